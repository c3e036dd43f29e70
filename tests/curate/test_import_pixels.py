"""Clothing Co-Parsing: label maps and image-level tags."""

from pathlib import Path

import numpy as np
import public_sets
import pytest
from PIL import Image
from public_sets import everything, said, take

from curate.imports.options import ImportOptions
from curate.imports.tags import read_tagged, run_tags
from extract.run import RunOptions
from extract.run import run as extract
from garments.catalog.rows import garment_from_row
from garments.dataset import Dataset
from garments.errors import BadSetting, BadTable
from garments.records import Doubt


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def test_pixels_become_a_person_and_garments_with_true_masks(dataset, tmp_path):
    root = public_sets.ccp(tmp_path / "set", 2)
    end = take(dataset, "ccp", root)
    assert (end.photos, end.people, end.garments, end.labels) == (2, 2, 3, 3)
    assert said(dataset) == {
        "0000.png upper": {"category": "jacket"},
        "0000.png lower": {"category": "jeans"},
        "0001.png whole": {"category": "dress"},
    }
    (person, *_) = dataset.catalog.rows("people").to_pylist()
    assert [person[side] for side in ("x1", "y1", "x2", "y2")] == [60, 20, 153, 300]
    assert (person["verdict"], person["score"]) == ("accepted", 1.0)
    _, parts = public_sets.outfit()
    (upper,) = dataset.catalog.rows("garments", where="region = 'upper'").to_pylist()
    garment = garment_from_row(upper)
    assert garment.mask is not None
    np.testing.assert_array_equal(garment.mask.decode(), parts == 3)
    assert garment.person_id == person["person_id"]
    assert garment.area == (parts == 3).sum()


def test_regions_are_those_of_the_settings_or_the_option(dataset, tmp_path):
    root = public_sets.ccp(tmp_path / "set", 1)
    take(dataset, "ccp", root, regions=("feet",))
    assert said(dataset) == {"0000.png feet": {"category": "boots"}}
    with pytest.raises(BadSetting, match="sleeves"):
        take(dataset, "ccp", root, regions=("sleeves",))


def test_an_outer_layer_names_the_region_and_its_label_the_rest(dataset, tmp_path):
    pixels, parts = public_sets.outfit()
    labels = np.zeros_like(parts)
    rows, columns = np.nonzero(parts == 3)
    labels[parts == 3] = 1
    labels[rows[columns < 90], columns[columns < 90]] = 2
    labels[parts == 6] = 3
    row = public_sets.save_parsed(tmp_path, 0, pixels, labels)
    public_sets.write_table(tmp_path / "splits.csv", [row])
    names = ["null", "t-shirt", "coat", "heels"]
    table = [{"id": i, "name": name} for i, name in enumerate(names)]
    public_sets.write_table(tmp_path / "labels.csv", table)
    take(dataset, "ccp", tmp_path, regions=("upper", "feet"))
    assert said(dataset) == {
        "0000.png upper": {"category": "coat"},
        "0000.png feet": {"category": "shoes", "sub_category": "heels"},
    }


def test_label_maps_that_do_not_fit_are_told(dataset, tmp_path):
    root = public_sets.ccp(tmp_path / "set", 4)
    Image.fromarray(np.zeros((100, 50), np.uint8)).save(root / "labels/0000.png")
    Image.fromarray(np.zeros((320, 240, 3), np.uint8)).save(root / "labels/0001.png")
    (root / "labels/0002.png").unlink()
    end = take(dataset, "ccp", root)
    assert (end.photos, end.unreadable) == (1, 3)
    first, second, third = end.reasons
    assert "expected a photo of 50 x 100 pixels" in first
    assert "its mode is RGB" in second
    assert "cannot be read" in third


def test_a_label_without_a_known_name_is_counted(dataset, tmp_path):
    root = public_sets.ccp(tmp_path / "set", 1)
    names = dict(public_sets.IDS)
    names["poncho-ish"] = names.pop("jacket")
    public_sets.write_table(
        root / "labels.csv", [{"id": i, "name": name} for name, i in names.items() if i != 4]
    )
    end = take(dataset, "ccp", root)
    assert end.words.unknown == {"poncho-ish": 1, "id 4": 1}
    assert (end.people, end.garments) == (1, 0)


def test_a_photo_without_anybody_has_no_garments(dataset, tmp_path):
    row = public_sets.save_parsed(
        tmp_path, 0, np.zeros((40, 30, 3), np.uint8), np.zeros((40, 30), np.uint8)
    )
    public_sets.write_table(tmp_path / "splits.csv", [row])
    public_sets.write_table(tmp_path / "labels.csv", [{"id": 0, "name": "null"}])
    end = take(dataset, "ccp", tmp_path)
    assert (end.photos, end.people, end.garments) == (1, 0, 0)
    assert take(dataset, "ccp", tmp_path).skipped == 1


def test_a_street_of_several_people_is_refused(dataset, tmp_path):
    root = public_sets.ccp(tmp_path / "set", 1)
    (root / "garments.csv").write_text("file,region\n")
    with pytest.raises(BadTable, match=r"garments\.csv tells of several"):
        take(dataset, "ccp", root)


def test_garments_found_before_keep_their_ids_and_labels(dataset, tmp_path):
    from standins import PaintDetector, PaintParser

    root = public_sets.ccp(tmp_path / "set", 2)
    options = RunOptions(workers=1)
    parser = PaintParser()
    list(extract(dataset, [str(root / "photos")], options, detector=PaintDetector(), parser=parser))
    found = set(dataset.catalog.active_garments(columns=["garment_id"]).column(0).to_pylist())
    take(dataset, "ccp", root)
    now = set(dataset.catalog.active_garments(columns=["garment_id"]).column(0).to_pylist())
    assert now == found
    assert len(said(dataset)) == 3


TAGS = ["hair|jacket|jeans|heels|flats|skin", "dress|coat|sweater", "blouse|t-shirt|moonboots"]


def test_tags_name_what_leaves_no_doubt(dataset, tmp_path):
    from standins import PaintDetector, PaintParser

    root = public_sets.ccp_tags(tmp_path / "set", TAGS)
    options = ImportOptions(regions=("upper", "lower", "whole", "feet"), workers=1)
    models = {"detector": PaintDetector(), "parser": PaintParser()}
    *_, end = run_tags(dataset, read_tagged(root), options, **models)
    assert (end.photos, end.total, end.absent) == (3, 3, 1)
    assert said(dataset) == {
        "0.png upper": {"category": "jacket"},
        "0.png lower": {"category": "jeans"},
        "0.png feet": {"category": "shoes"},
        "1.png whole": {"category": "dress"},
        "1.png feet": {},
        "2.png upper": {},
        "2.png lower": {},
        "2.png feet": {},
    }
    assert end.words.unknown == {"moonboots": 1}
    before = everything(dataset)
    *_, again = run_tags(dataset, read_tagged(root), options, **models)
    assert (again.photos, again.skipped, again.labels) == (0, 3, 0)
    assert everything(dataset) == before
    assert not any(
        Doubt.SECOND_GUESS in (row["flags"] or ())
        for row in dataset.catalog.active_garments().to_pylist()
    )
