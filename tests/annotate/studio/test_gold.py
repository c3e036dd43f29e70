"""Gold garments come again, unrecognised, to everybody; they score people and change nothing."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pulling import answer, pulled, result
from pushing import MOMENTS_OF_TEAMS
from standin_taggers import PixelTagger
from teaming import ASKED, team, truth_of, vouch

from annotate.prelabel import PrelabelOptions, prelabel
from annotate.studio.client import Studio, connect
from annotate.studio.gold import gold_answers, mixed
from annotate.studio.journal import read_journal
from annotate.studio.ledger import ledger
from annotate.studio.listing import list_tasks
from annotate.studio.overlap import EVERYBODY, people_for
from annotate.studio.project import Kind
from annotate.studio.push import PushOptions, plan, push
from annotate.studio.scores import ALL, scores
from garments.answers import value_of
from garments.said import people_say_in

HERE = Path(__file__).parent


def pushed(studio: Studio, **options):
    return list(push(studio.dataset, studio, PushOptions(**{"audit": 0.0, **options})))[-1]


def checks(dataset) -> list[dict]:
    return dataset.catalog.rows("checks").sort_by("seq").to_pylist()


def there(studio: Studio, kind: Kind = Kind.MAIN) -> dict[str, dict]:
    """Tasks by what they call their garment; each once."""
    found = list(studio.tasks(studio.project(kind)))
    named = {task["data"]["garment_id"]: task for task in found}
    assert len(named) == len(found)
    return named


def propose(dataset, weights: str = "w1") -> None:
    tagger = PixelTagger(dataset.taxonomy, weights=weights)
    list(prelabel(dataset, PrelabelOptions(), [tagger]))


def known_ones(dataset, count: int = 3) -> list[str]:
    """Garments that a curator vouches for."""
    garments = sorted(dataset.catalog.ids("garments"))[:count]
    vouch(dataset, garments)
    return garments


def test_gold_lies_scattered_among_the_others() -> None:
    ordinary = [f"o{number}" for number in range(100)]
    gold = ["1" * 16, "8" + "0" * 15, "f" * 16]
    order = mixed(ordinary, gold)
    assert [name for name in order if name not in gold] == ordinary
    places = [order.index(name) for name in gold]
    assert places == sorted(places) and places[0] < 10 and 40 < places[1] < 60 and places[2] > 90
    assert mixed([], gold) == sorted(gold)


def test_gold_looks_like_any_other_task_and_is_mixed_in_once(studio) -> None:
    dataset = studio.dataset
    propose(dataset)
    gold = known_ones(dataset, 4)
    dataset.catalog.add(
        "decisions", [{"decision_id": "b", "garment_id": gold[3], "kind": "bad_crop", "who": "x"}]
    )
    assert set(gold_answers(dataset)) == set(gold[:3])
    foreseen = plan(dataset, studio, PushOptions(audit=0.0, gold=0.2))
    assert (foreseen.created, foreseen.gold) == (11, 2) and "2 gold" in str(foreseen)
    end = pushed(studio, gold=0.2)
    assert (end.created, end.plan.gold) == (11, 2)
    rows, tasks = checks(dataset), there(studio)
    assert len(rows) == 2 and {row["garment_id"] for row in rows} <= set(gold[:3])
    ordinary = [task for name, task in tasks.items() if name in dataset.catalog.ids("garments")]
    assert len(ordinary) == 9
    for row in rows:
        task = tasks[row["name"]]
        # nothing in it says what it is, nor which garment: all else is as it is everywhere
        assert set(task["data"]) == set(ordinary[0]["data"])
        told = str({key: value for key, value in task.items() if key != "overlap"})
        assert row["garment_id"] not in told and "gold" not in told.lower()
        assert task["overlap"] == EVERYBODY and len(task["predictions"]) == 1
        assert len(row["name"]) == len(row["garment_id"])
    # what the curator said is not filled in: the tagger's own word is
    twin = {t["data"]["crop_sha"]: t for n, t in tasks.items() if n in truth_of(dataset)}
    for row in rows:
        if row["crop_sha"] in twin:
            mine = tasks[row["name"]]["predictions"][0]["result"]
            color = [entry for entry in mine if entry["from_name"] == "color"]
            theirs = twin[row["crop_sha"]]["predictions"][0]["result"]
            assert color == [entry for entry in theirs if entry["from_name"] == "color"]
    again = pushed(studio, gold=0.2)
    assert (again.created, again.updated) == (0, 0) and there(studio).keys() == tasks.keys()
    more = pushed(studio, gold=1.0)
    assert (more.created, more.plan.gold) == (1, 1), "there are three gold garments, and no more"
    assert (end.plan.lacking_gold, more.plan.lacking_gold) == (0, 6)
    assert pushed(studio, gold=1.0).created == 0


def test_a_new_model_fills_gold_tasks_like_all_others(studio) -> None:
    propose(studio.dataset)
    known_ones(studio.dataset)
    pushed(studio, gold=0.3)
    before = {name: task["predictions"][0] for name, task in there(studio).items()}
    propose(studio.dataset, "w2")
    end = pushed(studio, gold=0.3)
    assert (end.created, end.updated) == (0, len(before))
    after = there(studio)
    assert all(after[name]["predictions"][0]["id"] != one["id"] for name, one in before.items())
    assert {row["state"] for row in checks(studio.dataset)} == {"created"}


def test_answers_to_gold_score_people_and_never_hold(studio, studio_server) -> None:
    """Somebody is always right, somebody is wrong, and turns one crop down."""
    dataset = studio.dataset
    gold = known_ones(dataset)
    pushed(studio, gold=0.3)
    holds = {key: held for key, held in people_say_in(dataset).items() if key[0] in gold}
    people = [studio_server.first, studio_server.second]
    good, bad = team(dataset, studio_server, people, [0.0, 0.999])
    project = studio.project(Kind.MAIN)
    names = {row["name"] for row in checks(dataset)}
    assert len(names) == 3 and len(good.work(project)) == 10 + len(names) - 0
    seen = bad.work(project)
    assert {task["data"]["garment_id"] for task in seen} == names, "all else is done"
    pulled(studio)
    assert {row["state"] for row in checks(dataset)} == {"done"}
    after = {key: held for key, held in people_say_in(dataset).items() if key[0] in gold}
    assert after == holds and all(held.who == "cora" for held in after.values())
    found = {(one.annotator, one.attribute): one for one in scores(dataset)}
    right, wrong = (found[person.email, ALL] for person in people)
    assert (right.garments, right.answers, right.right) == (3, 9, 9)
    assert (wrong.garments, wrong.answers, wrong.right, wrong.missing) == (3, 9, 0, 0)
    assert right.accuracy == 1 and right.interval[0] < 0.5, "three garments prove little"
    assert {name for _, name in found} == {ALL, *ASKED}
    counts = ledger(dataset).rounds["round-1"]
    assert (counts.tasks, counts.answered) == (10, 10), "gold is no labelling"
    stored = [dataset.catalog.rows(name).to_pylist() for name in ("labels", "decisions", "checks")]
    pulled(studio, everything=True)
    assert stored == [
        dataset.catalog.rows(name).to_pylist() for name in ("labels", "decisions", "checks")
    ]


def test_a_gold_crop_that_is_turned_down_counts_as_wrong_and_stays(studio, studio_server) -> None:
    dataset = studio.dataset
    [garment] = known_ones(dataset, 1)
    pushed(studio, gold=0.1)
    [row] = checks(dataset)
    number = there(studio)[row["name"]]["id"]
    mine = answer(studio, number, reason="occluded")
    pulled(studio)
    assert garment in gold_answers(dataset)
    overall = scores(dataset)[0]
    assert (overall.attribute, overall.answers, overall.right, overall.missing) == (ALL, 3, 0, 3)
    truth = truth_of(dataset)[garment]
    said = {"result": result(dataset, color=truth["color"]), "lead_time": 3.0}
    studio.request("PATCH", f"/api/annotations/{mine}/", json=said)
    pulled(studio)
    assert [(one.right, one.missing) for one in scores(dataset)][:1] == [(1, 2)]
    studio.request("DELETE", f"/api/annotations/{mine}/")
    pulled(studio)
    assert scores(dataset) == []
    held = people_say_in(dataset)[garment, "color"]
    assert (held.value, held.who) == (value_of(truth["color"]), "cora")


@pytest.mark.faults
def test_a_killed_push_with_overlap_and_gold_goes_on(studio_dataset, fault_rounds) -> None:
    for _ in range(1 if fault_rounds <= 3 else min(fault_rounds, 20)):
        dataset = studio_dataset(8)
        propose(dataset)
        known_ones(dataset)
        moment = random.randrange(MOMENTS_OF_TEAMS)
        environment = {
            **os.environ,
            "DIE_AT": str(moment),
            "PUSH_OPTIONS": '{"audit": 0.2, "overlap": 3, "overlap_share": 0.4, "gold": 0.2}',
        }
        command = [sys.executable, str(HERE / "pushing.py"), str(dataset.folder)]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
        studio = connect(dataset)
        options = {"audit": 0.2, "overlap": 3, "overlap_share": 0.4, "gold": 0.2}
        pushed(studio, **options)
        again = pushed(studio, **options)
        assert (again.created, again.updated, again.removed) == (0, 0, 0), f"moment {moment}"
        rows = dataset.catalog.rows("tasks").to_pylist()
        assert len(rows) == 8 and {row["state"] for row in rows} == {"created"}
        wanted = {row["garment_id"]: people_for(row["garment_id"], 3, 0.4) for row in rows}
        assert {row["garment_id"]: row["overlap"] for row in rows} == wanted
        names = {row["name"] for row in checks(dataset)}
        blind = {row["garment_id"] for row in rows if row["audit"]}
        found = {}
        for kind in (Kind.MAIN, Kind.AUDIT) if blind else (Kind.MAIN,):
            tasks = list_tasks(studio, studio.project(kind))
            assert len({task.garment_id for task in tasks}) == len(tasks), f"moment {moment}"
            found |= {task.garment_id: task.overlap for task in tasks}
        usual = {name: 2 if name in blind else 1 for name in wanted}
        expected = {name: people or usual[name] for name, people in wanted.items()}
        assert found == expected | dict.fromkeys(names, EVERYBODY), f"moment {moment}"
        assert len(names) == 2 and read_journal(dataset) == frozenset()
        studio.connection.close()
