"""Rounds against a real Label Studio: people answer by its API, and answers come back by pull."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from pulling import answer
from real_studio import borrow
from standin_taggers import PixelTagger

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "garmentloop"))

from rehearsing import QUICK, rehearse, small_set

from annotate.prelabel import PrelabelOptions, prelabel
from annotate.studio.client import connect
from annotate.studio.project import LABELLING, Kind
from garmentloop.loop.context import Context
from garmentloop.loop.options import LoopOptions
from garmentloop.loop.round import run_round
from garmentloop.simulate.directly import PEOPLE
from garmentloop.simulate.run import HELD_OUT
from garments.rounds import rounds


@pytest.fixture
def rehearsed(studio_server, tmp_path):
    """One round of four on fifteen photos, and the server's answers."""
    folder = studio_server.home.folder / "others" / f"rehearsal-{tmp_path.name}"

    def reach(dataset):
        if not (dataset.run / "labelstudio").exists():
            (dataset.run / "labelstudio").mkdir(parents=True)
            borrow(dataset, studio_server.home)
        return connect(dataset)

    return rehearse(small_set(tmp_path / "set", 15), folder, reach, rounds=1, budget=4)


def test_a_rehearsal_goes_through_the_server(rehearsed):
    rehearsal, held_out = rehearsed
    dataset, studio = rehearsal.dataset, connect(rehearsal.dataset)
    assert held_out == 6
    given = {
        kind: [one for task in studio.tasks(studio.project(kind)) for one in task["annotations"]]
        for kind in LABELLING
    }
    members = studio.annotation_members()
    who = {kind: Counter(members[a["completed_by"]] for a in given[kind]) for kind in LABELLING}
    assert who[Kind.AUDIT] == {PEOPLE[0]: 6, PEOPLE[1]: 6}
    assert who[Kind.MAIN] == {PEOPLE[0]: 4}
    tasks = dataset.catalog.rows("tasks").to_pylist()
    assert Counter(row["round"] for row in tasks) == {HELD_OUT: 6, "round-1": 4}
    assert {row["state"] for row in tasks} == {"done"}
    labels = dataset.catalog.rows("labels").to_pylist()
    assert {row["kind"] for row in labels} == {"simulated"}
    assert {row["annotator"] for row in labels} == set(PEOPLE)
    truth = rehearsal.set.truth(dataset)
    said = {row["garment_id"]: row["value"] for row in labels if row["attribute"] == "category"}
    assert all(value.strip('[]"') in truth[garment]["category"] for garment, value in said.items())
    assert rounds(dataset)[0].finished


def test_a_round_waits_for_people_and_goes_on_when_they_answered(studio_dataset):
    dataset = studio_dataset(8)
    changed = {"n": 0}

    def propose(context):
        changed["n"] += 1
        tagger = PixelTagger(dataset.taxonomy, weights=f"w{changed['n']}")
        *_, end = prelabel(dataset, PrelabelOptions(), [tagger])
        return {"proposals": end.proposals}

    nothing = {name: lambda context: {} for name in ("split", "release")}
    steps = {**QUICK, **nothing, "propose": propose, "prelabel": propose}
    options = LoopOptions(budget=4, audit=0.0, fiftyone=False)

    def go(**more):
        context = Context(dataset, "round-1", options, lambda: connect(dataset), **more)
        return [(event.step, event.state) for event in run_round(context, steps)]

    assert go()[-1] == ("wait", "waiting")
    assert go()[0:3] == [("propose", "skipped"), ("select", "skipped"), ("push", "skipped")]
    studio = connect(dataset)
    sent = sorted(studio.task_ids_by_garment(studio.project(Kind.MAIN)).values())
    assert len(sent) == 4
    for task in sent[:2]:
        answer(studio, task, color=("red",))
    assert go()[-1] == ("wait", "waiting")
    assert go(enough=True)[-1] == ("report", "done")
    [one] = rounds(dataset)
    assert one.finished
    assert (one.of("wait")["total"], one.of("wait")["waiting"]) == (4, 2)
    assert one.of("pull")["garments"] == 2
    # The two that nobody touched show what the newer tagger proposes.
    assert one.of("refresh")["updated"] == 2
    assert one.of("push")["tasks"] == 4
