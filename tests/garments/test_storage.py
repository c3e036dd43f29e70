"""Tables in an object store: the same rows, and in the folder only what its writers need."""

import numpy as np
import pytest

from garments.catalog import Catalog
from garments.dataset import Dataset
from garments.errors import BadSetting
from garments.settings import Settings


@pytest.fixture(params=["file", "file-object-store"])
def far(request, tmp_path) -> Dataset:
    """A data set whose tables are reached by URI; the second way is that of buckets."""
    place = f"{request.param}://{tmp_path / 'bucket' / 'mine'}/"
    return Dataset.create(tmp_path / "data", Settings().changed({"storage.tables": place}))


def photos(*numbers: int) -> list[dict]:
    return [
        {"photo_id": f"{number:016x}", "width": 1, "height": 1, "state": "ok"} for number in numbers
    ]


def test_rows_are_kept_there_and_found_again(far):
    assert far.catalog.count("photos") == 0
    assert far.catalog.add("photos", photos(1, 2)) == 2
    assert far.catalog.add("photos", photos(2, 3)) == 1
    again = Dataset.open(far.folder)
    rows = again.catalog.rows("photos").sort_by("seq")
    assert rows.column("photo_id").to_pylist() == [f"{number:016x}" for number in (1, 2, 3)]
    assert rows.column("seq").to_pylist() == sorted(set(rows.column("seq").to_pylist()))
    assert {path.name for path in (far.folder / "catalog").iterdir()} == {".lock", "seq"}


def test_what_looks_for_tables_finds_them_there(far):
    catalog = far.catalog
    vectors = np.eye(3, dtype=np.float32)
    catalog.add_embeddings("m", ["a", "b", "c"], ["x", "y", "z"], vectors)
    catalog.optimize()
    assert catalog.embedding_tables() == ["embeddings_3"]
    assert [near.garment_id for near in catalog.nearest("m", vectors[1], 1)] == ["b"]
    newest = catalog.newest("embeddings_3")
    assert newest is not None and newest.count_rows() == 3


def test_a_lost_counter_is_mended_from_there(far):
    far.catalog.add("photos", photos(1, 2))
    (far.folder / "catalog" / "seq").unlink()
    fresh = Catalog(far.folder / "catalog", far.settings.storage.tables)
    fresh.add("photos", photos(3))
    assert len(set(fresh.rows("photos").column("seq").to_pylist())) == 3


def test_a_place_that_is_no_uri_is_refused():
    with pytest.raises(BadSetting, match=r"storage\.tables"):
        Settings().changed({"storage.tables": "bucket/mine"})
