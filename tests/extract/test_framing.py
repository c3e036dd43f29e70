import csv
from pathlib import Path

import numpy as np
import pytest

from extract.framing import judge, judge_parts
from extract.framing_fit import fit, read_labelled, score_limits, street_boxes
from garments.boxes import Box
from garments.errors import BadTable
from garments.parts import PART_INDEX
from garments.records import Verdict
from garments.settings import FramingLimits

PERSONS = Path("../shared/data/persons")
LIMITS = FramingLimits(min_height_share=0.12, top_aspect=1.4, side_aspect=1.9)
SIZE = (600, 800)


@pytest.mark.parametrize(
    ("box", "verdict"),
    [
        (Box(200, 80, 400, 720), Verdict.ACCEPTED),
        (Box(200, 80, 400, 798), Verdict.ACCEPTED),
        (Box(280, 300, 300, 340), Verdict.TOO_SMALL),
        (Box(2, 2, 598, 798), Verdict.TOO_CLOSE),
        (Box(150, 300, 500, 798), Verdict.HALF_BODY),
        (Box(100, 450, 500, 799), Verdict.HEAD_ONLY),
        (Box(200, 0, 500, 400), Verdict.CUT_OFF),
        (Box(0, 200, 250, 600), Verdict.CUT_OFF),
        (Box(50, 300, 550, 500), Verdict.HALF_BODY),
    ],
)
def test_verdict_follows_from_the_box(box: Box, verdict: Verdict) -> None:
    found, reason = judge(box, SIZE, LIMITS)
    assert found is verdict
    assert bool(reason) == (verdict is not Verdict.ACCEPTED)


def _figure(**rows: tuple[int, int]) -> np.ndarray:
    labels = np.zeros((100, 40), np.uint8)
    for part, (first, last) in rows.items():
        labels[first:last, 10:30] = PART_INDEX[part]
    return labels


def test_parts_turn_down_a_person_without_head_or_legs() -> None:
    whole = _figure(hair=(0, 8), skin=(8, 15), upper=(15, 50), lower=(50, 90), feet=(90, 100))
    assert judge_parts(whole, LIMITS)[0] is Verdict.ACCEPTED
    assert judge_parts(_figure(upper=(0, 50), lower=(50, 100)), LIMITS)[0] is Verdict.NO_HEAD
    assert judge_parts(_figure(hair=(0, 20), upper=(20, 100)), LIMITS)[0] is Verdict.NO_LEGS
    bare_legs = _figure(hair=(0, 8), skin=(8, 15), whole=(15, 70))
    bare_legs[70:100, 15:25] = PART_INDEX["skin"]
    assert judge_parts(bare_legs, LIMITS)[0] is Verdict.ACCEPTED


def test_nothing_found_in_the_box_is_no_person() -> None:
    assert judge_parts(np.zeros((10, 10), np.uint8), LIMITS)[0] is Verdict.NO_HEAD


def _table(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_fit_finds_limits_that_agree_better_than_bad_ones(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    rng = np.random.default_rng(3)
    for number in range(120):
        aspect = rng.uniform(1.0, 4.0)
        height = 500.0
        width = height / aspect
        rows.append(
            {
                "x1": 50, "y1": 298, "x2": 50 + width, "y2": 798, "width": 600, "height": 800,
                "verdict": "accepted" if aspect > 2.7 else "half_body",
                "split": "val" if number % 4 == 0 else "train",
            }
        )  # fmt: skip
    labelled = read_labelled(_table(tmp_path / "boxes.csv", rows))
    found = fit(labelled, FramingLimits(feet_aspect=1.2, head_aspect=0.6))
    assert 2.5 <= found.limits.feet_aspect <= 2.8
    scores = {score.verdict: score for score in found.held_out}
    assert scores[Verdict.ACCEPTED].precision > 0.9
    assert scores[Verdict.ACCEPTED].recall > 0.9
    before = {score.verdict: score for score in found.held_out_before}
    assert before[Verdict.ACCEPTED].precision < scores[Verdict.ACCEPTED].precision


def test_labelled_table_errors_say_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="no file"):
        read_labelled(tmp_path / "none.csv")
    with pytest.raises(BadTable, match="verdict"):
        read_labelled(_table(tmp_path / "a.csv", [{"x1": 1, "y1": 1, "x2": 2}]))
    row: dict[str, object] = dict(zip(("x1", "y1", "x2", "y2"), (1, 1, 9, 9), strict=True))
    row |= {"width": 10, "height": 10, "verdict": "fine"}
    with pytest.raises(BadTable, match="line 2"):
        read_labelled(_table(tmp_path / "b.csv", [row]))


def test_street_boxes_are_small_or_close() -> None:
    found = list(street_boxes(30))
    assert found
    assert {row.verdict for row in found} <= {Verdict.TOO_SMALL, Verdict.TOO_CLOSE}


@pytest.mark.skipif(not PERSONS.is_dir(), reason="needs ../shared/data/persons")
def test_defaults_do_well_on_everyday_photos() -> None:
    scores = {
        score.verdict: score
        for score in score_limits(read_labelled(PERSONS / "images.csv"), FramingLimits())
    }
    assert scores[Verdict.ACCEPTED].precision > 0.7
    assert scores[Verdict.ACCEPTED].recall > 0.7
