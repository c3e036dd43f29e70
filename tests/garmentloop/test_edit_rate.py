"""The edit rate: counted by hand, on blind answers alone, by the taggers of any round."""

import math

import pytest
from looping import PixelTagger, small_dataset

from annotate.prelabel import PrelabelOptions, prelabel
from annotate.studio.blind import would_have_shown
from garmentloop.loop.edit_rate import ALL, EditRate, edit_rates, edit_rates_of
from garments.answers import value_of
from garments.calibration import Calibration

PEOPLE = ("ann", "bob")
BLIND = 4
"""Garments that are answered blind, each by two people."""


class Board:
    """A data set with blind tasks, on which answers are written by hand."""

    def __init__(self, folder) -> None:
        self.dataset = small_dataset(folder)
        propose(self.dataset, "w1")
        ids = sorted(self.dataset.catalog.ids("garments"))[:BLIND]
        rows = self.dataset.catalog.rows("garments").to_pylist()
        crops = {row["garment_id"]: row["crop_sha"] for row in rows}
        self.tasks = [
            {
                "task_id": f"task-{number}",
                "garment_id": garment,
                "crop_sha": crops[garment],
                "round": f"round-{1 + number // 3}",  # three in the first, one in the second
                "audit": True,
                "state": "done",
                "shown": "{}",
            }
            for number, garment in enumerate(ids)
        ]
        self.dataset.catalog.put("tasks", self.tasks)

    def proposed(self, task: int, attribute: str) -> frozenset:
        shown = would_have_shown(self.dataset, self.tasks, {})
        return shown[f"task-{task}"][attribute][0]

    def answer(self, task: int, attribute: str, who: str, values) -> None:
        row = self.tasks[task]
        label = {
            "label_id": f"{task}-{attribute}-{who}",
            "garment_id": row["garment_id"],
            "crop_sha": row["crop_sha"],
            "attribute": attribute,
            "value": value_of(values),
            "kind": "simulated",
            "annotator": who,
            "task_id": row["task_id"],
        }
        self.dataset.catalog.add("labels", [label])

    def other(self, task: int, attribute: str) -> list:
        known = self.dataset.taxonomy.values(attribute)
        return [next(one for one in known if one not in self.proposed(task, attribute))]


def propose(dataset, weights: str) -> None:
    tagger = PixelTagger(dataset.taxonomy, weights=weights)
    # It never says a pattern: its confidence cannot get there.
    tagger.calibrations["pattern"] = Calibration(threshold=1.0)
    list(prelabel(dataset, PrelabelOptions(), [tagger]))


@pytest.fixture
def board(tmp_path) -> Board:
    return Board(tmp_path / "data")


def test_counted_by_hand(board):
    for task in range(BLIND):
        for who in PEOPLE:
            agrees = (task, who) not in {(0, "ann"), (3, "ann"), (3, "bob")}
            said = board.proposed(task, "color") if agrees else board.other(task, "color")
            board.answer(task, "color", who, said)
    board.answer(0, "pattern", "ann", ["striped"])
    found = edit_rates(board.dataset)
    # Of eight answers about color three differ; the pattern was left empty by the tagger.
    assert found.overall["color"] == EditRate(answers=8, edited=3, empty=0, garments=4)
    assert found.overall["pattern"] == EditRate(answers=1, edited=1, empty=1, garments=1)
    assert found.overall[ALL] == EditRate(answers=9, edited=4, empty=1, garments=4)
    assert found.by_round["round-1"]["color"] == EditRate(6, 1, 0, 3)
    assert found.by_round["round-2"]["color"] == EditRate(2, 2, 0, 1)
    assert set(found.overall) == {ALL, "color", "pattern"}  # what nobody answered is not counted


def test_rate_and_interval_by_hand():
    rate = EditRate(answers=20, edited=5, empty=1, garments=10)
    assert rate.rate == 0.25
    # 2.5 of 10 garments, rounded to even: Wilson of 2 of 10.
    assert rate.interval == pytest.approx((0.0567, 0.5098), abs=1e-4)
    assert rate.shown_rate == pytest.approx(4 / 19)
    nothing = EditRate()
    assert math.isnan(nothing.rate) and math.isnan(nothing.shown_rate)
    assert nothing.interval == (0.0, 1.0)


def test_an_earlier_rounds_taggers_are_measured_on_the_same_answers(board):
    for task in range(BLIND):
        board.answer(task, "color", "ann", board.proposed(task, "color"))
    first = edit_rates(board.dataset)
    assert first.overall["color"].edited == 0

    before = would_have_shown(board.dataset, board.tasks, {})
    tagger = PixelTagger(board.dataset.taxonomy, ("color",), weights="w2")
    tagger.calibrations["color"] = Calibration(threshold=1.0)  # a newer one that says nothing
    list(prelabel(board.dataset, PrelabelOptions(), [tagger]))
    assert edit_rates(board.dataset).overall["color"] == EditRate(4, 4, 4, 4)
    again = edit_rates(board.dataset, first.versions)
    assert again.overall["color"] == first.overall["color"]
    both = edit_rates_of(board.dataset, [None, first.versions])
    assert [one.overall["color"].edited for one in both] == [4, 0]
    assert again.versions["color"] == before["task-0"]["color"][1] == first.versions["color"]


def test_pre_filled_answers_do_not_count(board):
    row = {**board.tasks[0], "audit": False}
    board.dataset.catalog.put("tasks", [row])
    board.answer(0, "color", "ann", board.other(0, "color"))
    board.answer(1, "color", "ann", board.proposed(1, "color"))
    assert edit_rates(board.dataset).overall["color"] == EditRate(1, 0, 0, 1)


def test_a_judge_may_accept_what_is_not_equal(board):
    board.answer(0, "color", "ann", board.other(0, "color"))
    board.answer(0, "pattern", "ann", ["striped"])
    kind = edit_rates(board.dataset, alike=lambda *asked: True)
    assert kind.overall["color"].edited == 0
    assert kind.overall["pattern"].edited == 1  # there is nothing to accept in an empty field


def test_without_blind_answers_there_is_no_rate(board):
    found = edit_rates(board.dataset)
    assert found.overall == {}
    assert found.as_details("round-1")["all_answers"] == {}
