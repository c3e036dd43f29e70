"""iMaterialist 2020: masks of garments, in small files of the published format."""

import csv
from pathlib import Path

import numpy as np
import public_sets
import pytest
from public_sets import block, said, take

from curate.imports.instances import outfits
from curate.imports.names import open_set
from garments.catalog.rows import garment_from_row
from garments.dataset import Dataset
from garments.errors import BadInput, BadTable
from garments.masks import RunLengthMask
from garments.sets.imaterialist import run_lengths


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def test_instances_become_one_garment_a_region(dataset, tmp_path):
    shirt = block(100, 60, 10, 50, 10, 50)
    jacket = block(100, 60, 12, 48, 5, 30)
    left, right = block(100, 60, 90, 98, 12, 22), block(100, 60, 90, 98, 35, 45)
    skirt = block(100, 60, 50, 80, 12, 48)
    rows = [
        ("aa", 0, "317", shirt),
        ("aa", 4, "17,325,156", jacket),
        ("aa", 31, "", block(100, 60, 12, 30, 5, 12)),
        ("aa", 6, "317,325", skirt),
        ("bb", 10, "317", block(90, 70, 5, 80, 10, 60)),
        ("aa", 23, "", left),
        ("aa", 23, "", right),
    ]
    root = public_sets.imaterialist(tmp_path / "set", rows)
    end = take(dataset, "imaterialist", root, regions=("upper", "lower", "whole", "feet"))
    assert (end.photos, end.garments, end.people) == (2, 4, 0)
    assert said(dataset) == {
        "aa.jpg upper": {"category": "blazer", "pattern": "floral"},
        "aa.jpg lower": {"category": "trousers", "pattern": "floral"},
        "aa.jpg feet": {"category": "shoes"},
        "bb.jpg whole": {"category": "dress", "pattern": "solid"},
    }
    masks = {
        row["region"]: garment_from_row(row).mask
        for row in dataset.catalog.rows("garments", where="region != 'whole'").to_pylist()
    }
    np.testing.assert_array_equal(masks["upper"].decode(), shirt | jacket)
    np.testing.assert_array_equal(masks["feet"].decode(), left | right)
    assert not end.words.unknown
    (split,) = {row["split"] for row in dataset.catalog.rows("sources").to_pylist()}
    assert split == "train"


def test_two_people_side_by_side_are_two_outfits(dataset, tmp_path):
    rows = [
        ("aa", 0, "", block(100, 120, 10, 50, 10, 50)),
        ("aa", 6, "", block(100, 120, 50, 90, 12, 48)),
        ("aa", 10, "", block(100, 120, 10, 90, 70, 110)),
        ("aa", 23, "", block(100, 120, 90, 99, 72, 80)),
        ("aa", 23, "", block(100, 120, 92, 98, 14, 30)),
        ("aa", 0, "", block(100, 120, 20, 50, 62, 100)),
    ]
    root = public_sets.imaterialist(tmp_path / "set", rows)
    end = take(dataset, "imaterialist", root, regions=("upper", "lower", "whole", "feet"))
    assert end.garments == 6
    boxes = sorted(
        (row["region"], row["x1"], row["x2"])
        for row in dataset.catalog.rows("garments").to_pylist()
    )
    assert boxes == [
        ("feet", 14, 30),
        ("feet", 72, 80),
        ("lower", 12, 48),
        ("upper", 10, 50),
        ("upper", 62, 100),
        ("whole", 70, 110),
    ]
    assert outfits([]) == []


def test_run_lengths_are_column_by_column_from_one():
    random = np.random.default_rng(4)
    for _ in range(50):
        height, width = random.integers(1, 9, 2).tolist()
        mask = random.random((height, width)) < random.random()
        if mask.any():
            found = run_lengths(public_sets.encoded(mask), height, width)
            np.testing.assert_array_equal(found.decode(), mask)
            assert found.area == mask.sum()
    assert run_lengths("3 2 1 1", 2, 2) == RunLengthMask(2, 2, (0, 1, 1, 2, 0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "pairs of start and length, but got 0"),
        ("1", "pairs of start and length"),
        ("0 1", "they go from 0"),
        ("3 3", "from 3 to 5"),
        ("1 0", "runs within"),
        ("1 2 2 1", "do not overlap"),
        ("1 x", "expected numbers"),
        ("1 99999999999999999999999", "expected numbers"),
    ],
)
def test_run_lengths_that_make_no_sense_are_refused(text, message):
    with pytest.raises(BadInput, match=message):
        run_lengths(text, 2, 2)


@pytest.mark.parametrize("cell", ["nan", "inf", "-5", "0", "1e300", "wide"])
def test_sizes_that_make_no_sense_are_told(dataset, tmp_path, cell):
    root = public_sets.imaterialist(tmp_path, [("aa", 10, "", block(20, 10, 2, 18, 1, 9))])
    text = (root / "train.csv").read_text(encoding="utf-8").replace(",20,10,", f",{cell},10,")
    (root / "train.csv").write_text(text, encoding="utf-8")
    end = take(dataset, "imaterialist", root)
    assert (end.photos, end.unreadable) == (0, 1)
    row = {"file": "train/aa.jpg", "width": cell, "height": 10}
    public_sets.write_table(root / "images.csv", [row])
    public_sets.write_table(
        root / "boxes.csv", [{"file": "train/aa.jpg"} | dict.fromkeys("xywh", 1)]
    )
    try:
        assert take(dataset, "persons", root).photos == 0
    except BadTable as error:
        assert f"but got {cell!r}" in str(error)


def test_masks_may_be_longer_than_other_cells(dataset, tmp_path):
    comb = np.zeros((1000, 300), bool)
    comb[::8] = True
    root = public_sets.imaterialist(tmp_path, [("aa", 10, "317,156", comb)])
    assert len((root / "train.csv").read_text(encoding="utf-8")) > 2 * 131_072
    assert take(dataset, "imaterialist", root).labels == 2


def test_bad_rows_of_instances_cost_their_photo_only(dataset, tmp_path):
    mask = block(20, 10, 2, 18, 1, 9)
    names = ("aa", "bb", "cc", "dd", "ee")
    root = public_sets.imaterialist(tmp_path / "set", [(name, 10, "", mask) for name in names])
    with (root / "train.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[0]["EncodedPixels"] = "1 9999"
    rows[1]["Height"] = "40"
    rows[2]["ClassId"] = "dress"
    rows[3]["ClassId"] = "77"
    public_sets.write_table(root / "train.csv", rows)
    end = take(dataset, "imaterialist", root)
    assert (end.photos, end.unreadable, end.garments) == (2, 3, 1)
    assert end.words.unknown == {"ClassId 77": 1}
    assert "expected a photo of 10 x 40 pixels" in end.reasons[1]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train.csv", "", "header is empty"),
        (
            "train.csv",
            "EncodedPixels,ImageId,Height,Width,ClassId,AttributesIds\n",
            "in this order",
        ),
        ("train.csv", "\xff\xff,a\n", "UTF-8"),
        ("label_descriptions.json", "{", "categories and attributes"),
        ("label_descriptions.json", '{"categories": [{"id": 1}]}', "KeyError"),
    ],
)
def test_rubbish_for_imaterialist_is_told(dataset, tmp_path, name, text, message):
    root = public_sets.imaterialist(tmp_path, [("aa", 10, "", block(20, 10, 2, 18, 1, 9))])
    (root / name).write_text(text, encoding="latin-1")
    with pytest.raises(BadTable, match=message):
        open_set("imaterialist", root, dataset)
