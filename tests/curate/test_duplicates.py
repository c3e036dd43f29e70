"""Copies are found whatever was done to them; what is merely alike is not a copy."""

from pathlib import Path

import numpy as np
import pytest

from curate.duplicates import (
    copied_photos,
    duplicate_groups,
    duplicate_pairs,
    joined,
    near_duplicates,
    neighbourhood,
)
from curate.thumbnails import likeness, thumbnails
from curate.vectors import crop_vectors, nearest
from garments.catalog.rows import retire_row
from garments.dataset import Dataset
from garments.images import decode, phash
from tests.curate.wardrobe import altered, embed, scene, wear


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "d")


def directions(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 32))


@pytest.mark.parametrize("kind", ["compressed", "smaller", "trimmed", "brighter"])
def test_a_copied_photo_is_found(dataset, kind):
    wear(dataset, "a", scene(1), {"a-up": scene(11), "a-low": scene(12)})
    wear(dataset, "b", scene(2), {"b-up": scene(13)})
    wear(dataset, "c", altered(scene(1), kind), {"c-up": scene(14)})
    assert copied_photos(dataset) == [("a", "c")]
    assert duplicate_groups(dataset) == dict.fromkeys(("a-up", "a-low", "c-up"), "a-low")


def test_copies_of_copies_are_one_group(dataset):
    for number, name in enumerate("abcdef"):
        picture = scene(number % 2)
        wear(dataset, name, altered(picture, "smaller") if number > 1 else picture, {name: picture})
    groups = duplicate_groups(dataset)
    assert groups == {"a": "a", "c": "a", "e": "a", "b": "b", "d": "b", "f": "b"}


def test_blank_and_unreadable_pictures_are_like_nothing(dataset):
    grey = np.full((200, 100, 3), 128, np.uint8)
    wear(dataset, "a", grey, {"a": grey})
    wear(dataset, "b", grey, {"b": grey})
    wear(dataset, "c", scene(1), {"c": scene(1)})
    wear(dataset, "d", scene(1), {"d": scene(1)})
    dataset.preview_path("d").write_bytes(b"no picture")
    embed(dataset, dict.fromkeys("abcd", np.ones(32)))
    dataset.crop_path(neighbourhood(dataset).garments["d"][1]).unlink()
    assert duplicate_groups(dataset) == {}


def test_the_same_crop_in_another_photo_is_found(dataset):
    shirt = scene(5)
    wear(dataset, "a", scene(1), {"a-up": shirt, "a-low": scene(6)})
    wear(dataset, "b", scene(2), {"b-up": altered(shirt, "smaller")})
    wear(dataset, "c", scene(3), {"c-up": scene(7)})
    way = directions(3)
    embed(dataset, {"a-up": way[0], "a-low": way[1], "b-up": way[0] + 0.01, "c-up": way[0]})
    assert duplicate_groups(dataset) == {"a-up": "a-up", "b-up": "a-up"}, "c is only near to them"


def test_a_retired_garment_is_in_no_group(dataset):
    for name in "ab":
        wear(dataset, name, scene(1), {name: scene(2)})
    rows = dataset.catalog.rows("garments").to_pylist()
    assert duplicate_groups(dataset)
    from garments.catalog.rows import garment_from_row

    dataset.catalog.add("extractions", [retire_row(garment_from_row(rows[0]), "config")])
    assert duplicate_groups(dataset) == {}


def test_pairs_of_some_are_those_of_all(dataset):
    for number, name in enumerate("abcdefgh"):
        wear(dataset, name, scene(number % 3), {name: scene(number % 3)})
    way = directions(3)
    embed(dataset, {name: way[n % 3] for n, name in enumerate("abcdefgh")})
    everyone = {frozenset(pair) for pair in duplicate_pairs(dataset, neighbourhood(dataset))}
    for name in "ah":
        some = duplicate_pairs(dataset, neighbourhood(dataset, [name]), [name])
        assert {frozenset(pair) for pair in some} == {pair for pair in everyone if name in pair}


def test_near_duplicates_are_much_nearer_than_usual(dataset):
    way = directions(40)
    for number in range(40):
        name = f"g{number:02d}"
        wear(dataset, f"p{number:02d}", scene(number), {name: scene(number)})
    vectors = {f"g{n:02d}": way[n] for n in range(40)}
    vectors["g07"] = way[31] + 0.05
    embed(dataset, vectors)
    found = near_duplicates(dataset)
    assert set(found) == {"g07", "g31"}
    assert found["g07"].garment_id == "g31" and found["g07"].similarity > 0.9


def test_garments_of_one_photo_are_no_near_duplicates(dataset):
    wear(dataset, "a", scene(1), {"a-up": scene(2), "a-low": scene(3)})
    embed(dataset, dict.fromkeys(("a-up", "a-low"), np.ones(32)))
    assert near_duplicates(dataset) == {} == duplicate_groups(dataset)


def test_nothing_is_known_of_an_empty_data_set(dataset):
    assert duplicate_groups(dataset) == {} == near_duplicates(dataset)
    assert crop_vectors(dataset).garment_ids == []
    assert joined([]) == {}


def test_vectors_are_those_of_the_present_crop_by_the_best_known_model(dataset):
    wear(dataset, "a", scene(1), {"x": scene(2), "y": scene(3)})
    embed(dataset, {"x": np.ones(8), "y": np.ones(8)}, "other@1+grey")
    embed(dataset, {"x": np.ones(4)})
    assert crop_vectors(dataset).model == "other@1+grey"
    embed(dataset, {"y": np.ones(4)})
    assert crop_vectors(dataset).model == "starter@1+grey", "the tagger's own, where both know all"
    dataset.catalog.add_embeddings("starter@1+grey", ["x"], ["an older crop"], np.eye(4)[:1])
    assert sorted(crop_vectors(dataset).garment_ids) == ["x", "y"]


@pytest.mark.parametrize("count", [1, 2, 5, 300, 1500])
def test_the_nearest_are_the_nearest(count):
    vectors = directions(count).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = list(range(0, count, 7))
    found = nearest(vectors, 3, rows)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    for at, row in enumerate(rows):
        expected = np.sort(alike[row])[::-1][:3][: count - 1]
        assert np.allclose(found.cosine[at, : count - 1][:3], expected)
        known = found.index[at][found.index[at] >= 0]
        assert np.allclose(alike[row, known], expected)


@pytest.mark.parametrize("name", ["ccp/photos", "clothing/images"])
def test_on_real_photos_copies_are_found_and_others_are_not(shared_data, name):
    folder, kind = name.split("/")
    paths = sorted((shared_data(folder) / kind).glob("*.jpg"))[:120]
    pictures = [decode(path.read_bytes(), longest=256).pixels for path in paths]
    small = [thumbnails(picture) for picture in pictures]
    for change in ("compressed", "smaller", "trimmed", "brighter"):
        again = [altered(picture, change) for picture in pictures]
        bits = [int(phash(a), 16) ^ int(phash(b), 16) for a, b in zip(pictures, again, strict=True)]
        alike = [likeness(a, thumbnails(b)) for a, b in zip(small, again, strict=True)]
        found = [n.bit_count() <= 10 and t >= 0.985 for n, t in zip(bits, alike, strict=True)]
        assert np.mean(found) >= 0.8, change
    others = [likeness(a, b) for at, a in enumerate(small) for b in small[:at]]
    assert np.mean(np.array(others) >= 0.985) < 0.001
