import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from standins import PAINT, PaintDetector, PaintParser, canvas, paint_person

from extract.base import Detections
from extract.evaluate import evaluate_extract
from extract.evaluate_people import evaluate_people
from garments.errors import BadTable
from garments.parts import PARTS
from garments.settings import FramingLimits

LIMITS = FramingLimits(min_height_px=40)


class NoDetector:
    """Finds nobody."""

    reference = fingerprint = "nobody"

    def detect(self, images):
        return [Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)) for _ in images]


def _table(path: Path, header: str, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])


@pytest.fixture
def parsed(tmp_path: Path) -> Path:
    """Four photos of one painted person each with their label maps, two of them val."""
    rows = []
    for k in range(4):
        pixels = canvas(160, 240)
        paint_person(pixels, 40 + 5 * k, 20, 200, dress=k % 2 == 1)
        labels = np.abs(pixels[:, :, None].astype(int) - PAINT.astype(int)).sum(-1).argmin(-1)
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
        Image.fromarray(labels.astype(np.uint8)).save(tmp_path / f"{k}-labels.png")
        rows.append((f"{k}.png", f"{k}-labels.png", "val" if k < 2 else "train"))
    _table(tmp_path / "splits.csv", "photo,label,split", rows)
    _table(tmp_path / "labels.csv", "id,name", list(enumerate(PARTS)))
    return tmp_path


def test_models_that_know_the_truth_score_nearly_one(parsed: Path) -> None:
    told: list[tuple[int, int]] = []
    figures = evaluate_extract(
        parsed,
        detector=PaintDetector(),
        parser=PaintParser(),
        limits=LIMITS,
        tell=lambda done, total: told.append((done, total)),
    )
    assert figures["photos"] == 2
    assert figures["garments"] == 3
    assert figures["parser_pixel_accuracy"] > 0.97
    assert figures["garment_box_iou"] > 0.9
    assert figures["garment_found"] == figures["garment_precision"] == 1.0
    assert figures["parser_iou_upper"] > 0.9
    assert figures["parser_iou_accessories"] == 0.0, "nobody wears one, so it counts nothing"
    assert told == [(1, 2), (2, 2)]


def test_a_named_split_and_a_limit_are_kept_to(parsed: Path) -> None:
    models = {"detector": PaintDetector(), "parser": PaintParser(), "limits": LIMITS}
    assert evaluate_extract(parsed, "train", **models)["photos"] == 2
    assert evaluate_extract(parsed, limit=1, **models)["photos"] == 1
    with pytest.raises(BadTable, match="splits are"):
        evaluate_extract(parsed, "test", **models)


def test_people_who_are_not_found_count_as_missed(parsed: Path) -> None:
    figures = evaluate_extract(parsed, detector=NoDetector(), parser=PaintParser(), limits=LIMITS)
    assert figures["garment_box_iou"] == figures["garment_found"] == 0.0
    assert figures["parser_miou5"] == 0.0
    assert 0.5 < figures["parser_pixel_accuracy"] < 0.9, "background is still right"
    assert figures["garment_box_iou_constant"] > 0.4


def test_a_table_of_garments_tells_several_people_apart(parsed: Path) -> None:
    header = "file,framing,region,x1,y1,x2,y2"
    rows = [
        ("0.png", "accepted", "upper", 40, 60, 106, 120),
        ("0.png", "too_small", "upper", 0, 0, 9, 9),
        ("0.png", "accepted", "feet", 0, 0, 9, 9),
    ]
    _table(parsed / "garments.csv", header, rows)
    figures = evaluate_extract(
        parsed, detector=PaintDetector(), parser=PaintParser(), limits=LIMITS, limit=1
    )
    assert figures["garments"] == 1
    assert figures["garment_found"] == 1.0


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Two single people, one to be accepted, one whose feet are out of view; and a pair."""
    pictures = []
    for k, (height, many) in enumerate([(200, 1), (360, 1), (150, 2)]):
        pixels = canvas(240, 240)
        boxes = []
        for place in range(many):
            paint_person(pixels, 20 + 110 * place, 20, height)
            boxes.append((20 + 110 * place, 20, height / 3, min(height, 220)))
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
        pictures.append((f"{k}.png", boxes, ("full_body", "no_feet", "")[k]))
    header = "file,width,height,framing,split"
    _table(
        tmp_path / "images.csv",
        header,
        [(name, 240, 240, framing, "val") for name, _, framing in pictures],
    )
    rows = [(name, *box, 0) for name, boxes, _ in pictures for box in boxes]
    _table(tmp_path / "boxes.csv", "file,x,y,w,h,iscrowd", rows)
    return tmp_path


def test_people_are_scored_end_to_end(people: Path) -> None:
    limits = FramingLimits(min_height_px=40, feet_aspect=2.9)
    figures = evaluate_people(people, detector=PaintDetector(), parser=PaintParser(), limits=limits)
    assert figures["photos"] == 3
    assert figures["people"] == 4
    assert figures["people_ap50"] == pytest.approx(1.0)
    assert figures["people_ap50_constant"] <= 0.5
    assert figures["accepted_recall"] == figures["accepted_precision"] == 1.0
    assert figures["accept_all_precision"] == 0.5
    assert figures["accepted_recall_low"] < 1.0
    assert figures["accepted_wanted"] == 1
    assert figures["accepted_labelled"] == 2


def test_a_box_beside_the_person_is_wrong_and_missed(people: Path) -> None:
    limits = FramingLimits(min_height_px=40, feet_aspect=2.9)
    figures = evaluate_people(
        people, detector=PaintDetector(shift=50), parser=PaintParser(), limits=limits
    )
    assert figures["people_ap50"] < 0.3
    assert figures["accepted_recall"] == 0.0
