"""The public sets beside the repository, imported whole and compared with what they say."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from curate.imports.names import open_set
from curate.imports.options import ImportOptions, ImportProgress
from curate.imports.run import run
from curate.imports.tags import by_region, read_tagged
from curate.imports.words import Lexicon, Words
from garments.catalog.rows import garment_from_row
from garments.dataset import Dataset
from garments.parts import GARMENT_REGIONS
from garments.said import people_say_in
from garments.sets.ccp import load_parts, read_ccp
from garments.sets.clothing import read_clothing
from garments.sets.crops import ccp_crops
from garments.sets.fashion_products import read_fashion_products
from garments.taxonomy import Taxonomy

Find = Callable[[str], Path]


def take(dataset: Dataset, name: str, root: Path) -> ImportProgress:
    """Import a set whole, then again: the second time nothing is left to do."""
    options = ImportOptions(workers=1)
    *_, end = run(dataset, open_set(name, root, dataset, options), options)
    *_, again = run(dataset, open_set(name, root, dataset, options), options)
    assert (again.photos, again.labels, again.unreadable) == (0, 0, end.unreadable)
    assert again.skipped + again.outside == again.done == end.done
    return end


def garments(dataset: Dataset) -> dict[tuple[str, str], dict[str, str]]:
    """Values by file and region; the first file where a picture has several."""
    rows = dataset.catalog.rows("sources", ["photo_id", "origin", "seq"]).sort_by("seq").to_pylist()
    files = {row["photo_id"]: Path(row["origin"]).name for row in reversed(rows)}
    found: dict[tuple[str, str], dict[str, str]] = {}
    at: dict[str, tuple[str, str]] = {}
    for row in dataset.catalog.active_garments(
        columns=["garment_id", "photo_id", "region"]
    ).to_pylist():
        at[row["garment_id"]] = (files[row["photo_id"]], row["region"])
        found[at[row["garment_id"]]] = {}
    for (garment, attribute), held in people_say_in(dataset).items():
        assert held.value is not None
        found[at[garment]][attribute] = held.value[2:-2]
    return found


def splits(dataset: Dataset) -> Mapping[str, int]:
    return Counter(dataset.catalog.rows("sources", ["split"]).column(0).to_pylist())


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def test_ccp_is_what_its_pixels_say(dataset: Dataset, shared_data: Find) -> None:
    root = shared_data("ccp")
    end = take(dataset, "ccp", root)
    assert (end.photos, end.unreadable, end.total) == (900, 0, 900)
    assert splits(dataset) == {"train": 800, "val": 100}
    found = garments(dataset)
    wanted = {
        (crop.photo.photo.name, str(crop.region)): crop.values["category"]
        for crop in ccp_crops(root)
        if str(crop.region) in ("upper", "lower", "whole")
    }
    # Specks do not count here, so a few regions are none, or named by what is left.
    same = [key for key, values in found.items() if values.get("category") == wanted.get(key)]
    assert len(same) >= 0.99 * len(wanted)
    assert len(found) >= 0.97 * len(wanted)
    assert not end.words.unknown
    photos = {photo.photo.name: photo for photo in read_ccp(root)}
    rows = dataset.catalog.rows("garments", where="region = 'lower'").to_pylist()[:20]
    names = {row["photo_id"]: row["origin"] for row in dataset.catalog.rows("sources").to_pylist()}
    for row in rows:
        mask = garment_from_row(row).mask
        assert mask is not None
        parts = load_parts(photos[Path(names[row["photo_id"]]).name])
        own = parts == 3 + GARMENT_REGIONS.index("lower")  # type: ignore[arg-type]
        assert not (mask.decode() & ~own).any()
        assert mask.area > 0.8 * np.count_nonzero(own)


def test_tags_of_ccp_are_all_known(shared_data: Find) -> None:
    read = read_tagged(shared_data("ccp"))
    assert (len(read.photos), read.absent) == (220, 874)
    lexicon, words = Lexicon(Taxonomy.default()), Words()
    told = [by_region(photo.tags, lexicon, GARMENT_REGIONS, words) for photo in read.photos]
    assert not words.unknown
    assert sum("lower" in regions or "whole" in regions for regions in told) > 180


def test_clothing_is_what_its_table_says(dataset: Dataset, shared_data: Find) -> None:
    root = shared_data("clothing")
    end = take(dataset, "clothing", root)
    photos = read_clothing(root)
    assert (end.photos, end.garments, end.total) == (3409, 3409, 3409)
    assert splits(dataset) == {"train": 3068, "validation": 341}
    found = {file: values for (file, _), values in garments(dataset).items()}
    assert found == {Path(photo.file).name: photo.values for photo in photos}


def test_fashion_products_are_what_their_table_says(dataset: Dataset, shared_data: Find) -> None:
    root = shared_data("fashion_products")
    end = take(dataset, "fashion-products", root)
    products = read_fashion_products(root)
    assert end.total == end.done == len(products) == 6583
    assert end.photos + end.twice + end.outside == 6583
    assert not end.words.unknown
    found = {file: values for (file, _), values in garments(dataset).items()}
    stated = {Path(product.file).name: product.values for product in products}
    assert {file: stated[file] for file in found} == found
    assert len(found) == end.photos > 6500


def test_people_of_coco_are_what_their_boxes_say(dataset: Dataset, shared_data: Find) -> None:
    end = take(dataset, "persons", shared_data("persons"))
    assert (end.photos, end.total, end.garments) == (560, 560, 0)
    assert dataset.catalog.active_people().num_rows == end.people == 2043
    verdicts = dataset.catalog.counts("people", "verdict")
    assert verdicts["accepted"] > 200
    assert verdicts["too_small"] > 200
    rows = dataset.catalog.rows("sources", ["licence"]).column(0).to_pylist()
    assert all("licenses" in licence or "flickr" in licence for licence in rows)
