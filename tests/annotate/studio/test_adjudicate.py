"""What people disagree about is settled without names, once, and the verdict holds."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pulling import change, pulled, result
from pushing import MOMENTS
from real_studio import StudioServer

from annotate.studio.adjudicate import AdjudicateOptions, adjudicate, answers_html, plan
from annotate.studio.client import Studio, connect
from annotate.studio.controls import controls
from annotate.studio.disputes import Dispute, find_disputes
from annotate.studio.journal import read_journal
from annotate.studio.listing import list_tasks
from annotate.studio.project import Kind
from annotate.studio.push import PushOptions, push
from annotate.studio.verdicts import adjudication
from garments.answers import value_of
from garments.errors import BadSetting
from garments.said import Basis, people_say_in
from garments.taxonomy import Taxonomy

HERE = Path(__file__).parent


def said(studio: Studio, person, task: int, **values) -> int:
    """Somebody's own answer; the annotation's number."""
    theirs = Studio(studio.url, person.token, studio.dataset)
    body = {"result": result(studio.dataset, **values), "lead_time": 2.0}
    made = theirs.request("POST", f"/api/tasks/{task}/annotations/", json=body, replay=False)
    theirs.connection.close()
    return int(made["id"])


def disputing(studio: Studio, server: StudioServer, garments: int = 3) -> list[str]:
    """Two people answer blind tasks, differing in color and category; in the last in nothing."""
    list(push(studio.dataset, studio, PushOptions(audit=1.0, limit=garments)))
    tasks = studio.task_ids_by_garment(studio.project(Kind.AUDIT))
    names = sorted(tasks)
    rows = studio.dataset.catalog.rows("garments").to_pylist()
    regions = {row["garment_id"]: row["region"] for row in rows}
    for place, name in enumerate(names):
        one, other, *_ = studio.dataset.taxonomy.allowed("category", regions[name])
        alike = place == garments - 1
        said(studio, server.first, tasks[name], color=("red",), category=(one,))
        values = {"color": ("red",) if alike else ("blue",), "category": (one if alike else other,)}
        said(studio, server.second, tasks[name], **values)
    pulled(studio)
    return names


def sent(studio: Studio, **options):
    return list(adjudicate(studio.dataset, studio, AdjudicateOptions(**options)))[-1]


def there(studio: Studio) -> list[dict]:
    return list(studio.tasks(studio.project(Kind.ADJUDICATION)))


def checks(dataset) -> dict[str, dict]:
    return {row["name"]: row for row in dataset.catalog.rows("checks").to_pylist()}


def test_disputes_go_there_once_without_names_and_the_verdict_holds(
    studio, studio_server, people
) -> None:
    dataset = studio.dataset
    names = disputing(studio, studio_server)
    disputed = find_disputes(dataset)
    assert [(one.garment_id, one.disputed) for one in disputed] == [
        *((name, ("category",)) for name in names[:2]),
        *((name, ("color",)) for name in names[:2]),
    ]
    foreseen, counts = plan(dataset, studio)
    assert (foreseen.created, counts) == (4, {"category": 2, "color": 2})
    assert not checks(dataset), "a dry run changes nothing"
    assert sent(studio, attribute="color").created == 2
    assert sent(studio, limit=3).created == 1, "three wait by then"
    assert sent(studio, limit=3).created == 0
    assert sent(studio).created == 1 and sent(studio).created == 0
    tasks = there(studio)
    assert len(tasks) == 4
    for task in tasks:
        told = json.dumps(task["data"])
        assert not [person for person in people if person.email in told]
        assert "localhost" not in told
        assert task["overlap"] == 1 and not task["predictions"]
        row = checks(dataset)[task["data"]["garment_id"]]
        assert row["garment_id"] not in told and row["purpose"] == "adjudication"
        both = ">A</b>" in told and ">B</b>" in told and ">C</b>" not in told
        assert both and "What is right?" in told
        question = json.loads(row["shown"])["asked"][0]
        assert f"gl-without-{question}" not in told and "gl-without-style" in told
    assert people_say_in(dataset)[names[0], "color"].basis is Basis.DISPUTED
    judge, known = people[2], checks(dataset)
    for task in tasks:
        if known[task["data"]["garment_id"]]["garment_id"] == names[0]:
            # what is not asked is not heard, were it filled in by a stray key
            values = {"color": ("green",), "category": ("dress",), "style": ("casual",)}
            said(studio, judge, task["id"], **values)
    pulled(studio)
    held = people_say_in(dataset)
    verdict = held[names[0], "color"]
    assert (verdict.basis, verdict.value) == (Basis.ADJUDICATED, value_of(["green"]))
    assert verdict.who == judge.email
    assert held[names[0], "category"].value == value_of(["dress"])
    assert (names[0], "style") not in held
    assert held[names[1], "color"].basis is Basis.DISPUTED
    assert {one.garment_id for one in find_disputes(dataset)} == {names[1]}
    found = adjudication(dataset)
    assert [(one.attribute, one.count, one.settled) for one in found.verdicts] == [
        ("category", 1, 1),
        ("color", 1, 1),
    ]
    assert found.verdicts[1].own == 1, "nobody had said green"
    assert {(one.annotator, one.answers) for one in found.sided} == {
        (person.email, 2) for person in people[:2]
    }
    assert sent(studio).created == 0 and len(there(studio)) == 4
    stored = checks(dataset)
    pulled(studio, everything=True)
    assert checks(dataset) == stored


def test_what_is_over_is_taken_back_unless_somebody_began(studio, studio_server, people) -> None:
    dataset = studio.dataset
    first, second, _ = disputing(studio, studio_server)
    sent(studio, attribute="color")
    known = checks(dataset)
    [begun] = [t for t in there(studio) if known[t["data"]["garment_id"]]["garment_id"] == second]
    draft = {"result": result(dataset, color=("red",)), "lead_time": 1}
    path = f"/api/tasks/{begun['id']}/drafts?project={begun['project']}"
    studio.request("POST", path, json=draft)
    audit = studio.task_ids_by_garment(studio.project(Kind.AUDIT))
    extra = {name: said(studio, people[2], audit[name], color=("red",)) for name in (first, second)}
    pulled(studio)
    assert not [one for one in find_disputes(dataset) if "color" in one.disputed]
    end = sent(studio, attribute="color")
    assert (end.created, end.withdrawn) == (0, 1)
    assert [task["id"] for task in there(studio)] == [begun["id"]]
    states = {row["garment_id"]: row["state"] for row in checks(dataset).values()}
    assert states == {first: "withdrawn", second: "created"}
    every = find_disputes(dataset, everything=True)
    assert len([one for one in every if "color" in one.disputed]) == 2
    change(studio, extra[first], color=("green",))
    pulled(studio)
    assert sent(studio, attribute="color").created == 1
    told = [task["data"]["answers"] for task in there(studio)]
    assert sum(">C</b>" in text for text in told) == 1
    change(studio, extra[first], style=("casual",))  # as they were when it was sent at first
    pulled(studio)
    end = sent(studio, attribute="color")
    assert (end.created, end.withdrawn) == (1, 1)
    everything = [task["id"] for task in there(studio)]
    studio.delete_tasks(studio.project(Kind.ADJUDICATION), everything)
    assert sent(studio, attribute="color").created == 0, "what somebody deleted stays away"


def test_answers_are_told_by_letters_and_as_text() -> None:
    html = answers_html([["Red"], ["<b>Blue</b>", "Navy"], []])
    assert html.index(">A</b>Red") < html.index(">B</b>&lt;b&gt;Blue&lt;/b&gt; / Navy")
    assert ">C</b><em>nothing</em>" in html


def test_letters_change_places_from_dispute_to_dispute() -> None:
    [color] = [one for one in controls(Taxonomy.default()) if one.name == "color"]
    answers = {"color": {"ann": frozenset(["red"]), "bob": frozenset(["blue"])}}

    def first() -> list[list[str]]:
        disputes = [Dispute(f"{number:016x}", color, ("color",), answers) for number in range(20)]
        return [one.unnamed("uuid")[0] for one in disputes]

    assert first() == first()
    reds = first().count(["Red"])
    assert 4 <= reds <= 16 and reds + first().count(["Blue"]) == 20


def test_wrong_options_are_told(studio) -> None:
    with pytest.raises(BadSetting, match="'colour'; check --attribute"):
        plan(studio.dataset, studio, AdjudicateOptions("colour"))
    with pytest.raises(BadSetting, match="limit"):
        AdjudicateOptions(limit=0)


@pytest.mark.faults
def test_a_killed_adjudicate_goes_on_and_sends_nothing_twice(
    studio_dataset, studio_server, fault_rounds
) -> None:
    for _ in range(1 if fault_rounds <= 3 else min(fault_rounds, 20)):
        studio = connect(studio_dataset(6))
        dataset = studio.dataset
        disputing(studio, studio_server, 6)
        environment = {**os.environ, "DIE_AT": str(moment := random.randrange(MOMENTS))}
        command = [sys.executable, str(HERE / "pushing.py"), str(dataset.folder), "adjudicate"]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
        sent(studio)
        names = [t.garment_id for t in list_tasks(studio, studio.project(Kind.ADJUDICATION))]
        assert len(names) == len(set(names)) == 10, f"killed at moment {moment}"
        assert set(names) == set(checks(dataset))
        assert {row["state"] for row in checks(dataset).values()} == {"created"}
        assert read_journal(dataset, "adjudicate.json") == frozenset()
        studio.connection.close()


def test_adjudicate_as_a_command(studio, studio_server, garmentloop_command) -> None:
    disputing(studio, studio_server)
    folder = studio.dataset.folder
    tried = garmentloop_command("annotate", "adjudicate", "-d", folder, "--dry-run", timeout=600)
    counts = "category: 2 disputed\ncolor: 2 disputed\n"
    assert tried.stdout == f"{counts}4 disputes to send, 0 to update\n", tried.stderr
    told = garmentloop_command("annotate", "adjudicate", "-d", folder, timeout=600)
    project = studio.project(Kind.ADJUDICATION)
    assert told.stdout == f"4 disputes sent, 0 updated\n{project.url}\n", told.stderr
    assert project.title.endswith(" (adjudication)")
