"""`status`: where the loop stands, quick and quiet where there is none."""

import json

import pytest
from looping import go_round, small_dataset

from garmentloop.loop import ORDER
from garmentloop.loop.standing import next_step, next_thing, rate_text, step_text, verdict_text
from garments.dataset import Dataset
from garments.rounds import Round, record
from garments.status import LoopStatus, Status, status


@pytest.fixture(scope="module")
def turned(tmp_path_factory) -> Dataset:
    """A data set after a round, in the middle of the next."""
    dataset = small_dataset(tmp_path_factory.mktemp("status") / "turned")
    go_round(dataset)
    for step in ("begin", *ORDER[:3]):
        record(dataset, "round-2", step, {})
    dataset.catalog.put(
        "tasks",
        [
            {
                "task_id": f"open-{n}",
                "garment_id": f"g{n}",
                "round": "round-2",
                "audit": n == 0,
                "state": "created",
            }
            for n in range(3)
        ],
    )
    return dataset


def test_without_any_round_there_is_nothing_to_tell(tmp_path):
    dataset = Dataset.create(tmp_path / "data")
    found = status(dataset)
    assert found.loop == LoopStatus()
    assert "garmentloop extract PHOTOS" in next_thing(found)


def test_where_the_loop_stands(turned):
    loop = status(turned).loop
    assert (loop.waiting, loop.blind, loop.rounds, loop.current) == (3, 1, 1, "round-2")
    assert loop.corrected == 16
    assert loop.done == ORDER[:3]
    assert loop.champions == {"category": "model:round-1", "color": "model:round-1"}


def test_the_command_tells_rounds_champions_and_what_is_next(turned, garmentloop_command):
    result = garmentloop_command("status", "--dataset", turned.folder)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert any(line.startswith("tasks waiting") and "blind 1" in line for line in lines)
    assert any("now round-2, at wait" in line for line in lines)
    assert any(line.startswith("round-1 ") and "%" in line and "color" in line for line in lines)
    assert "In force: category model:round-1, color model:round-1" in result.stdout
    assert "Next: Answer the 3 tasks that wait" in result.stdout


def test_json_has_it_too(turned, garmentloop_command):
    told = json.loads(garmentloop_command("status", "-d", turned.folder, "--json").stdout)
    assert told["loop"]["current"] == "round-2"
    assert told["loop"]["done"] == list(ORDER[:3])
    rates = told["edit_rates"]["round-1"]
    assert rates["before"]["color"]["garments"] == rates["after"]["color"]["garments"] == 4
    assert told["edit_rates"]["round-2"] == {"before": {}, "after": {}}
    assert told["next"].startswith("Answer the 3 tasks")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({}, "garmentloop extract PHOTOS"),
        ({"garments": {"upper": 3}}, "garmentloop prelabel"),
        ({"garments": {"upper": 3}, "proposals": 9}, "Begin the first round"),
        ({"loop": {"rounds": 2}}, "Begin the next round"),
        ({"loop": {"current": "round-3", "done": ORDER[:3]}}, "Go on with round-3"),
        ({"loop": {"current": "round-3", "done": ORDER[:3], "waiting": 1200}}, "the 1,200 tasks"),
        ({"loop": {"current": "round-3", "done": ORDER[:8], "waiting": 1200}}, "Go on with round"),
    ],
)
def test_the_next_thing_is_one_sentence_with_its_command(what, words, tmp_path):
    loop = LoopStatus(**what.pop("loop", {}))
    if loop != LoopStatus():
        what = {"garments": {"upper": 3}, "proposals": 9}
    said = next_thing(Status("mine", tmp_path, loop=loop, **what))
    assert words in said
    assert f"garmentloop loop --dataset {tmp_path}" in said or "round" not in words


def test_the_next_step_is_the_first_that_is_not_done():
    assert next_step(()) == ORDER[0]
    assert next_step(ORDER[:4]) == ORDER[4]


def test_words_of_a_verdict():
    details = {"promoted": {"color": "x"}, "refused": {"style": "too few labels"}}
    found = Round("round-1", done={"promote": details})
    assert verdict_text(found) == "promoted for color; refused for style: too few labels"
    assert verdict_text(Round("round-1")) == ""
    assert step_text("promote", {}) == "nothing to judge"


def test_words_of_a_rate():
    rate = {"rate": 0.25, "low": 0.2, "high": 0.31, "empty": 3, "shown_rate": 0.125}
    assert rate_text(rate) == "25.0% (20% to 31%)"
    assert rate_text({}) == ""
    said = step_text("measure", {"all_answers": {"color": rate}})
    assert said == "edit rate color 25.0% (20% to 31%), 12.5% of what was proposed"


def test_every_step_has_its_words(turned):
    from garments.rounds import rounds

    done = rounds(turned)[0].done
    assert set(done) == set(ORDER)
    assert all(step_text(name, details) for name, details in done.items())
