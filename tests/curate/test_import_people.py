"""COCO's people, as it is published and in the project's own tables."""

from pathlib import Path

import public_sets
import pytest
from PIL import Image
from public_sets import take

from curate.imports.names import open_set
from extract.run import run as extract
from garments.dataset import Dataset
from garments.errors import BadTable


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def test_people_of_coco_come_without_garments(dataset, tmp_path):
    end = take(dataset, "persons", public_sets.coco(tmp_path / "coco"))
    assert (end.photos, end.people, end.garments, end.labels) == (2, 1, 0, 0)
    (person,) = dataset.catalog.rows("people").to_pylist()
    assert [person[side] for side in ("x1", "y1", "x2", "y2")] == [50.5, 2, 90.5, 98]
    assert person["verdict"] == "accepted"
    (licence,) = {row["licence"] for row in dataset.catalog.rows("sources").to_pylist()}
    assert licence.endswith("/by/2.0/")
    assert {row["split"] for row in dataset.catalog.rows("sources").to_pylist()} == {"val"}


@pytest.mark.parametrize("kind", ["person_keypoints", "instances"])
def test_coco_is_read_from_either_file_and_once(dataset, tmp_path, kind):
    root = public_sets.coco(tmp_path / "coco", kind)
    public_sets.coco(root)
    assert take(dataset, "persons", root).people == 1


def test_people_are_judged_as_labelled_else_by_their_box(dataset, tmp_path):
    for number in range(3):
        public_sets.noise(tmp_path / f"images/{number}.png", number, (200, 100))
    base = {"width": 200, "height": 100, "framing": ""}
    rows = [base | {"file": f"images/{number}.png"} for number in range(3)]
    rows[0]["framing"] = "head_only"
    public_sets.write_table(tmp_path / "images.csv", rows)
    box = {"x": 60, "y": 2, "w": 40, "h": 96, "iscrowd": ""}
    small = box | {"file": "images/1.png", "h": 12}
    boxes = [box | {"file": "images/0.png"}, small, box | {"file": "images/1.png"}]
    public_sets.write_table(tmp_path / "boxes.csv", boxes)
    end = take(dataset, "persons", tmp_path)
    assert (end.photos, end.people) == (3, 3)
    verdicts = sorted(row["verdict"] for row in dataset.catalog.rows("people").to_pylist())
    assert verdicts == ["accepted", "head_only", "too_small"]


def test_people_never_take_garments_away(dataset, tmp_path):
    from standins import PaintDetector, PaintParser

    pixels, _ = public_sets.outfit()
    (tmp_path / "set/images").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "set/images/0.png")
    parser = PaintParser()
    list(extract(dataset, [str(tmp_path / "set/images")], detector=PaintDetector(), parser=parser))
    before = dataset.catalog.active_garments().num_rows
    row = {"file": "images/0.png", "width": 240, "height": 320}
    public_sets.write_table(tmp_path / "set/images.csv", [row])
    box = {"file": "images/0.png", "x": 9, "y": 9, "w": 50, "h": 90}
    public_sets.write_table(tmp_path / "set/boxes.csv", [box])
    end = take(dataset, "persons", tmp_path / "set")
    assert (end.kept, end.photos, end.done) == (1, 0, 1)
    assert dataset.catalog.active_garments().num_rows == before == 2
    assert dataset.catalog.active_people().num_rows == 1


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"images": 1, "annotations": [], "categories": []}', "\xff"],
)
def test_rubbish_for_coco_is_told(dataset, tmp_path, text):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/instances_val2017.json").write_text(text, encoding="latin-1")
    with pytest.raises(BadTable, match=r"instances_val2017\.json"):
        open_set("persons", tmp_path, dataset)
