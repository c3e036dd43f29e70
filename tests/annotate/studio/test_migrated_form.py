"""After a migration form and tasks follow, and answers by the old form are understood."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pushing
import pytest
from pulling import answer, change, delete, numbers, pulled, push_all, result, rows
from pushing import MOMENTS
from standin_taggers import PixelTagger

from annotate.prelabel import PrelabelOptions, prelabel
from annotate.studio import push as module
from annotate.studio.client import Studio, connect
from annotate.studio.form import form
from annotate.studio.ledger import ledger
from annotate.studio.project import Kind, xml_hash
from annotate.studio.pull import Puller
from annotate.studio.push import PushOptions, plan, push
from annotate.studio.retired import retired
from annotate.studio.tasks import vocabulary_hash
from garmentloop.migration.run import Request, State, migrate
from garments.dataset import Dataset
from garments.errors import StudioBusy
from garments.migration.labels import as_said
from garments.migration.record import journal_path
from garments.said import people_say_in
from garments.taxonomy import Taxonomy

MAP = """
[attributes]
rename = { pattern = "print" }

[color]
split = { red = ["crimson", "scarlet"] }
merge = { blue = ["navy", "blue"] }
rename = { green = "leaf" }
remove = ["pink"]
"""


def changed(taxonomy: Taxonomy) -> Taxonomy:
    data = taxonomy.model_dump()
    [color] = [a for a in data["attributes"] if a["id"] == "color"]
    [pattern] = [a for a in data["attributes"] if a["id"] == "pattern"]
    pattern["id"] = "print"
    gone = {"red", "navy", "green", "pink"}
    color["values"] = [value for value in color["values"] if value["id"] not in gone]
    color["values"] += [{"id": n, "title": n.title()} for n in ("crimson", "scarlet", "leaf")]
    return Taxonomy.model_validate(data)


def request(studio: Studio) -> Request:
    folder = studio.dataset.folder
    new, said = folder / "run" / "new.toml", folder / "run" / "map.toml"
    changed(studio.dataset.taxonomy).save(new)
    said.write_text(MAP)
    return Request(new, said)


def migrated(studio: Studio) -> Studio:
    """Migrate by another process' eyes; a client as one has it afterwards.

    `studio` itself stays as it was: it answers by the old form.
    """
    outcome = migrate(Dataset.open(studio.dataset.folder), request(studio))
    assert outcome.state is State.DONE
    return connect(Dataset.open(studio.dataset.folder))


def propose(studio: Studio) -> None:
    tagger = PixelTagger(studio.dataset.taxonomy)
    tagger.calibrations = {}
    list(prelabel(studio.dataset, PrelabelOptions(), [tagger]))


def held(studio: Studio, attribute: str = "color") -> dict[str, str]:
    """What people said by garment."""
    return {
        g: one.value
        for (g, name), one in people_say_in(studio.dataset).items()
        if name == attribute
    }


def on_server(studio: Studio, kind: Kind = Kind.MAIN) -> dict[int, dict]:
    return {task["id"]: task for task in studio.tasks(studio.project(kind))}


def pushed(studio: Studio, **options) -> module.PushProgress:
    return list(push(studio.dataset, studio, PushOptions(**{"audit": 0.0, **options})))[-1]


def test_form_and_tasks_follow_and_what_was_split_is_asked_again(studio):
    propose(studio)
    tasks = numbers(studio, push_all(studio))
    garments = {n: task["data"]["garment_id"] for n, task in on_server(studio).items()}
    said = {0: ("red",), 1: ("navy",), 2: ("green", "black"), 3: ("pink",), 4: ("blue",)}
    for place, colors in said.items():
        answer(studio, tasks[place], color=colors, gender=("women",), pattern=("solid",))
    pulled(studio)
    before = ledger(studio.dataset)
    new = migrated(studio)
    assert held(new) == {
        garments[tasks[1]]: '["blue"]',
        garments[tasks[2]]: '["black", "leaf"]',
        garments[tasks[4]]: '["blue"]',
    }
    assert set(ledger(new.dataset).entries) == set(before.entries)
    propose(new)
    foreseen = plan(new.dataset, new, PushOptions(audit=0))
    assert (foreseen.created, foreseen.again, foreseen.updated) == (1, 1, 5)
    assert "1 asked again after a migration" in str(foreseen)
    end = pushed(new)
    assert (end.created, end.updated) == (1, 5)
    main = new.project(Kind.MAIN)
    assert 'alias="crimson"' in main.label_config and 'alias="red"' not in main.label_config
    address, gone = module.guidelines_url(new), retired(new.dataset)
    assert [control.name for control in gone] == ["pattern"], "Label Studio holds on to it"
    assert xml_hash(main.label_config) == xml_hash(
        form(new.dataset.taxonomy, address, retired=gone).xml
    )
    there, vocabulary = on_server(new), vocabulary_hash(new.dataset.taxonomy)
    for number in tasks[5:]:
        assert there[number]["data"]["vocabulary_hash"] == vocabulary
        form(new.dataset.taxonomy).answers(there[number]["predictions"][0]["result"])
    [again] = [task for task in there.values() if task["data"].get("again")]
    assert again["data"]["garment_id"] == garments[tasks[0]] and again["id"] not in tasks
    assert again["data"]["round"] == "migration-1"
    filled = form(new.dataset.taxonomy).answers(again["predictions"][0]["result"]).values
    assert filled["gender"] == ("women",), "what still holds is filled in"
    assert filled["print"] == ("solid",)
    assert "red" not in filled.get("color", ())
    assert pushed(new).created == pushed(new).updated == 0
    # and the new answer
    answer(new, again["id"], color=("crimson",), gender=("women",))
    assert pulled(new).labels == 2
    assert held(new)[garments[tasks[0]]] == '["crimson"]'
    assert (pushed(new).created, plan(new.dataset, new, PushOptions(audit=0)).again) == (0, 0)
    entries = [e for e in ledger(new.dataset).entries if e.given == {"women"}]
    assert len(entries) == 5, "what people had said is no proposal that they accepted"


def test_late_answers_by_the_old_form(studio):
    tasks = numbers(studio, push_all(studio))
    garments = {n: task["data"]["garment_id"] for n, task in on_server(studio).items()}
    new = migrated(studio)
    # before the new form was sent
    answer(studio, tasks[0], color=("navy", "black"))
    answer(studio, tasks[1], color=("red",), pattern=("solid",))
    end = pulled(new)
    assert (end.labels, end.migrated, end.set_aside) == (3, 3, 0)
    assert "3 in words of an earlier taxonomy, brought to those of now" in str(end)
    assert held(new) == {garments[tasks[0]]: '["black", "blue"]'}
    assert held(new, "print") == {garments[tasks[1]]: '["solid"]'} and not held(new, "pattern")
    # and in a tab that was left open, of tasks that have the new vocabulary
    assert pushed(new).created == 1, "the red one"
    assert on_server(new)[tasks[2]]["data"]["vocabulary_hash"] == vocabulary_hash(
        new.dataset.taxonomy
    )
    answer(studio, tasks[2], color=("green",), category=("t-shirt",), sub_category=("henley",))
    answer(studio, tasks[3], color=("red", "black"))
    answer(studio, tasks[4], color=("pink",))
    pulled(new)
    found = held(new)
    assert found[garments[tasks[2]]] == '["leaf"]'
    assert held(new, "sub_category") == {garments[tasks[2]]: '["henley"]'}
    assert not {garments[tasks[3]], garments[tasks[4]]} & set(found)
    # every word is kept as it was said, with the values that were on offer
    old = studio.dataset.taxonomy.vocabulary_hash("color")
    words = [r for r in as_said(rows(new.dataset, "labels")) if r["attribute"] == "color"]
    assert [json.loads(row["value"]) for row in words] == [
        ["black", "navy"],
        ["red"],
        ["green"],
        ["black", "red"],
        ["pink"],
    ]
    assert {row["vocabulary_hash"] for row in words} == {old}
    # what was split is asked again, once
    assert pushed(new).created == 1 and pushed(new).created == 0
    before = rows(new.dataset, "labels")
    assert pulled(new, everything=True).changes == 0
    assert rows(new.dataset, "labels") == before


def test_old_answers_that_are_changed_or_deleted_afterwards(studio):
    tasks = numbers(studio, push_all(studio))
    garments = {n: task["data"]["garment_id"] for n, task in on_server(studio).items()}
    ids = [answer(studio, n, color=("navy",), pattern=("solid",)) for n in tasks[:3]]
    pulled(studio)
    new = migrated(studio)
    change(studio, ids[0], color=("green",), pattern=("solid",))  # in the old form
    both = result(studio.dataset, pattern=("solid",))  # in the new one, which hides the old answer
    both += result(new.dataset, color=("scarlet",), print=("striped",))
    new.request("PATCH", f"/api/annotations/{ids[1]}/", json={"result": both, "lead_time": 4.0})
    delete(studio, ids[2])
    end = pulled(new)
    assert (end.labels, end.withdrawn, end.migrated) == (5, 2, 3)
    assert held(new) == {garments[tasks[0]]: '["leaf"]', garments[tasks[1]]: '["scarlet"]'}
    assert held(new, "print") == {
        garments[tasks[0]]: '["solid"]',
        garments[tasks[1]]: '["striped"]',
    }
    newest = as_said(rows(new.dataset, "labels"))
    [scarlet] = [row for row in newest if row["value"] == '["scarlet"]']
    assert scarlet["vocabulary_hash"] == new.dataset.taxonomy.vocabulary_hash("color")
    before = rows(new.dataset, "labels")
    assert pulled(new, everything=True).changes == 0
    assert rows(new.dataset, "labels") == before


def test_blind_garments_are_asked_blind_again(studio, studio_server):
    audit = push_all(studio, audit=1)
    task, other = numbers(studio, audit)[:2]
    second = connect(studio.dataset, studio.url, studio_server.second.token)
    answer(studio, task, color=("red",), pattern=("solid",))
    answer(second, task, color=("blue",), pattern=("solid",))
    answer(studio, other, color=("black",))
    pulled(studio)
    new = migrated(studio)
    end = pushed(new, audit=1)
    assert (end.created, end.blind) == (1, 1)
    [again] = [t for t in on_server(new, Kind.AUDIT).values() if t["data"].get("again")]
    assert again["predictions"] == [] and again["data"]["audit"] is True
    two = connect(new.dataset, new.url, studio_server.second.token)
    answer(new, again["id"], color=("crimson",))
    answer(two, again["id"], color=("crimson",))
    pulled(new)
    consensus = people_say_in(new.dataset)[again["data"]["garment_id"], "color"]
    assert (consensus.value, consensus.answers) == ('["crimson"]', 2)
    assert pushed(new, audit=1).created == 0


def test_a_pull_that_goes_on_meanwhile(studio):
    """A watcher that was there before the migration reads what comes after it."""
    tasks = numbers(studio, push_all(studio))
    watching = Puller(studio.dataset, studio)
    list(watching.run())
    answer(studio, tasks[0], color=("green",))
    list(watching.run())
    new = migrated(studio)
    answer(studio, tasks[1], color=("navy",))
    *_, last = watching.run()
    assert (last.labels, last.migrated) == (1, 1)
    assert sorted(held(new).values()) == ['["blue"]', '["leaf"]']
    journal_path(new.dataset.folder).write_text("{}")
    with pytest.raises(StudioBusy, match="garmentloop taxonomy migrate"):
        list(watching.run())
    journal_path(new.dataset.folder).unlink()
    assert list(watching.run())[-1].changes == 0


def test_a_push_that_began_before_does_not_send_the_old_form(studio):
    push_all(studio)
    new = migrated(studio)
    with pytest.raises(StudioBusy, match="run this again"):
        pushed(studio)
    pushed(new)
    assert 'alias="crimson"' in new.project(Kind.MAIN).label_config


def test_the_round_of_a_migration_keeps_to_the_limit(studio):
    tasks = numbers(studio, push_all(studio))
    for number in tasks[:4]:
        answer(studio, number, color=("red",))
    answer(studio, tasks[4], reason="occluded")
    pulled(studio)
    new = migrated(studio)
    foreseen = plan(new.dataset, new, PushOptions(audit=0, limit=3))
    assert (foreseen.created, foreseen.again, foreseen.reasons["beyond --limit"]) == (3, 3, 1)
    assert pushed(new, limit=3).created == 3
    assert pushed(new, limit=3).created == 0
    assert pushed(new).created == 1
    names = {row["round_id"] for row in rows(new.dataset, "rounds")}
    assert names == {"round-1", "migration-1"}


@pytest.mark.faults
def test_a_killed_push_asks_again_once(studio, fault_rounds):
    tasks = numbers(studio, push_all(studio))
    for number in tasks[:6]:
        answer(studio, number, color=("red",))
    pulled(studio)
    new = migrated(studio)
    folder = new.dataset.folder
    for _ in range(1 if fault_rounds <= 3 else min(fault_rounds, 20)):
        environment = {
            **os.environ,
            "DIE_AT": str(random.randrange(MOMENTS)),
            "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        }
        command = [sys.executable, pushing.__file__, str(folder)]
        subprocess.run(command, env=environment, check=False)
    pushed(new)
    again = [t["data"]["garment_id"] for t in on_server(new).values() if t["data"].get("again")]
    assert len(again) == len(set(again)) == 6
    recorded = [row["garment_id"] for row in rows(new.dataset, "tasks") if row["again"]]
    assert sorted(recorded) == sorted(again)
