"""Embeddings in the catalogue: kept once, of one length a model, searched by likeness."""

import numpy as np
import pytest

from garments.catalog import Catalog
from garments.errors import CatalogError, ModelError


@pytest.fixture
def catalog(tmp_path) -> Catalog:
    return Catalog(tmp_path / "catalog")


def vectors(count: int, size: int = 8, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def names(count: int, first: int = 0) -> list[str]:
    return [f"g{number:03d}" for number in range(first, first + count)]


def test_they_come_back_as_they_were(catalog):
    found = vectors(30)
    assert catalog.add_embeddings("m@1+grey", names(20), names(20), found[:20]) == 20
    assert catalog.add_embeddings("m@1+grey", names(20, 10), names(20, 10), found[10:]) == 10
    kept = catalog.embeddings("m@1+grey")
    assert kept.garment_ids == kept.crop_shas == names(30)
    assert np.array_equal(kept.vectors, found)
    assert np.array_equal(catalog.embedding("m@1+grey", "g007", "g007"), found[7])
    assert catalog.embedding("m@1+grey", "g007", "another crop") is None


def test_nothing_is_kept_yet(catalog):
    assert catalog.embeddings("m").vectors.shape == (0, 0)
    assert catalog.nearest("m", np.ones(4), 3) == []
    assert catalog.embedding("m", "g", "c") is None
    assert catalog.embedding_models() == []
    assert catalog.add_embeddings("m", [], [], np.zeros((0, 4))) == 0


def test_models_of_different_sizes_live_side_by_side(catalog):
    for model, size in (("it's", 8), ("b", 16), ("c", 8)):
        catalog.add_embeddings(model, names(5), names(5), vectors(5, size))
    assert catalog.embedding_models() == ["it's", "b", "c"], "the one used last at the end"
    assert catalog.embeddings("it's").vectors.shape == (5, 8)
    assert catalog.embeddings("b").vectors.shape == (5, 16)
    assert catalog.tables()[-2:] == ["embeddings_16", "embeddings_8"]
    assert catalog.count("embeddings_8") == 10


def test_the_nearest_are_those_with_the_highest_cosine(catalog):
    found, others = vectors(200), vectors(200, seed=1)
    catalog.add_embeddings("m", names(200), names(200), found)
    catalog.add_embeddings("other", names(200), names(200), others)
    query = vectors(1, seed=2)[0] * 3
    near = catalog.nearest("m", query, 10)
    cosines = found @ query / np.linalg.norm(query)
    best = np.argsort(-cosines)[:10]
    assert [one.garment_id for one in near] == [f"g{index:03d}" for index in best]
    assert np.allclose([one.similarity for one in near], cosines[best], atol=1e-5)
    assert len(catalog.nearest("m", query, 1000)) == 200


def test_one_model_has_one_length(catalog):
    catalog.add_embeddings("m", names(2), names(2), vectors(2, 8))
    with pytest.raises(ModelError, match=r"vectors of 8 numbers from m.*but got 16.*another name"):
        catalog.add_embeddings("m", names(2), names(2), vectors(2, 16))
    with pytest.raises(ModelError, match=r"vectors of 8 numbers from m.*but got 16"):
        catalog.nearest("m", vectors(1, 16)[0], 3)
    assert "embeddings_16" not in catalog.tables()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(catalog, bad):
    found = vectors(3)
    found[1, 2] = bad
    with pytest.raises(ModelError, match="finite embeddings from m"):
        catalog.add_embeddings("m", names(3), names(3), found)
    with pytest.raises(ModelError, match="finite embeddings from m"):
        catalog.nearest("m", found[1], 3)
    with pytest.raises(ModelError, match=r"expected 3 vectors.*\(2, 8\)"):
        catalog.add_embeddings("m", names(3), names(3), vectors(2))


def test_the_order_of_things_goes_on_after_a_lost_counter(catalog):
    catalog.add_embeddings("m", names(50), names(50), vectors(50))
    (catalog.folder / "seq").unlink()
    fresh = Catalog(catalog.folder)
    fresh.add("photos", [{"photo_id": "p"}])
    assert fresh.highest("photos", "seq") > fresh.highest("embeddings_8", "seq")


def test_many_small_commits_are_put_together(catalog):
    for number in range(12):
        catalog.add_embeddings("m", names(2, 2 * number), names(2, 2 * number), vectors(2))
    catalog.optimize()
    table = catalog.connect().open_table("embeddings_8")
    assert table.count_rows() == 24
    assert table.to_lance().get_fragments()[1:] == []
    assert len(table.search(vectors(1)[0]).limit(3).to_list()) == 3


def test_a_folder_that_is_no_table_is_left_alone(catalog):
    catalog.add("photos", [{"photo_id": "p"}])
    (catalog.folder / "embeddings_old.lance").mkdir()
    catalog.optimize()
    with pytest.raises(CatalogError, match=r"embeddings_<size>.*'embeddings_old'"):
        catalog.count("embeddings_old")


def test_of_some_garments_only_these_are_read(catalog):
    found = vectors(30)
    catalog.add_embeddings("m", names(20), names(20), found[:20])
    catalog.add_embeddings("other", names(5), names(5), found[:5])
    catalog.add_embeddings("m", names(10, 20), names(10, 20), found[20:])
    some = catalog.embeddings("m", ["g025", "g003", "nobody"])
    assert some.garment_ids == some.crop_shas == ["g003", "g025"]
    assert np.array_equal(some.vectors, found[[3, 25]])
    assert catalog.embeddings("m", ["nobody"]).vectors.shape == (0, 8)
    assert catalog.embeddings("m", []).garment_ids == []
    pairs = [{"garment_id": name, "crop_sha": name} for name in names(5)]
    assert catalog.embedded("other").to_pylist() == pairs
    assert catalog.embedded("nobody's").to_pylist() == []
