"""COCO's people, as it is published and in the project's own tables."""

import json
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


def _coco_with(root: Path, change) -> Path:
    """A folder of COCO whose JSON went through `change`."""
    path = next((public_sets.coco(root) / "annotations").glob("*.json"))
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return root


@pytest.mark.parametrize("bbox", [None, [1, 2, 3], [1, 2, "x", 4], [1, 2, -5, 4], 7])
def test_a_damaged_box_costs_its_own_photo_only(dataset, tmp_path, bbox):
    def damage(data):
        dog = data["annotations"][2] | {"category_id": 1}
        data["annotations"][2] = dog | {"bbox": bbox}

    end = take(dataset, "persons", _coco_with(tmp_path / "coco", damage))
    assert (end.photos, end.people, end.unreadable) == (1, 1, 1)
    assert "expected boxes" in end.reasons[0]


def test_two_photos_of_one_id_are_refused(dataset, tmp_path):
    root = _coco_with(tmp_path / "coco", lambda data: data["images"][1].update(id=1))
    with pytest.raises(BadTable, match="1 ids of images are there twice, such as 1"):
        open_set("persons", root, dataset)


def test_json_nested_without_end_is_refused(dataset, tmp_path):
    root = public_sets.coco(tmp_path / "coco")
    next((root / "annotations").glob("*.json")).write_text("[" * 100_000)
    with pytest.raises(BadTable, match="download it again"):
        open_set("persons", root, dataset)


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
