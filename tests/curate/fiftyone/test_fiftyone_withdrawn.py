"""FiftyOne forgets what was taken down, and loses nothing that a curator said."""

import pytest
from curated_data import garment_ids

from curate.fiftyone import app, mongod
from curate.fiftyone.environment import fiftyone_folder
from curate.fiftyone.sync import sync
from curate.fiftyone.window import open_window
from curate.fiftyone.withdraw import forget_fiftyone
from garmentloop.takedown.find import find
from garmentloop.takedown.run import Services, take_down
from garments.dataset import Dataset
from garments.errors import DatasetError


def first_photo(dataset: Dataset) -> str:
    name: str = dataset.catalog.rows("photos", ["photo_id"]).column(0).to_pylist()[0]
    return name


def shown(dataset: Dataset, mongo: str | None = None) -> set[str]:
    """Garments that FiftyOne has."""
    with open_window(dataset, mongo) as window:
        return set(window.garments.values("garment_id"))


def tag(dataset: Dataset, garment: str, mongo: str | None = None) -> None:
    with open_window(dataset, mongo) as window:
        sample = window.garments.match(window.fo.ViewField("garment_id") == garment).first()
        sample.tags.append("gold")
        sample.save()


def of_photo(dataset: Dataset, photo: str) -> list[str]:
    rows = dataset.catalog.rows("garments", ["garment_id"], f"photo_id = '{photo}'")
    return sorted(rows.column(0).to_pylist())


def down(dataset: Dataset, what: str, **services) -> list[str]:
    events = take_down(dataset, find(dataset, what), services=Services(**services))
    return [told.note for told in events if told.note]


def test_our_own_database_goes_as_a_whole_with_its_app_and_is_written_anew(curated):
    dataset = curated(4)
    list(sync(dataset))
    photo = first_photo(dataset)
    gone = of_photo(dataset, photo)
    kept = next(name for name in garment_ids(dataset) if name not in gone)
    tag(dataset, kept)
    tag(dataset, gone[0])
    with open_window(dataset) as window:
        app.launch(dataset, window.uri, 0)
    assert app.running(dataset) and mongod.running(dataset)
    notes = down(dataset, photo)
    assert any("gold" in note for note in notes), notes
    assert any("FiftyOne was closed, and the database" in note for note in notes), notes
    assert not app.running(dataset)
    assert not (fiftyone_folder(dataset) / "mongod").exists() and not mongod.running(dataset)
    decided = dataset.catalog.rows("decisions", ["garment_id", "kind"]).to_pylist()
    assert decided == [{"garment_id": kept, "kind": "gold"}]
    files = (path for path in dataset.folder.rglob("*") if path.is_file())
    assert not [path for path in files if photo.encode() in path.read_bytes()]
    list(sync(dataset))
    assert shown(dataset) == set(garment_ids(dataset)) and len(shown(dataset)) == 6


def test_a_mongodb_of_others_loses_both_datasets(curated, mongo_uri):
    dataset = curated(3)
    list(sync(dataset, mongo=mongo_uri))
    photo = first_photo(dataset)
    notes = down(dataset, photo, mongo=mongo_uri)
    assert any("is not ours" in note for note in notes)
    with open_window(dataset, mongo_uri, create=False) as window:
        assert window.garments is None and window.photos is None
    list(sync(dataset, mongo=mongo_uri))
    assert shown(dataset, mongo_uri) == set(garment_ids(dataset))


def test_a_database_that_is_not_there_is_told_and_the_rest_is_done(curated):
    dataset = curated(2)
    photo = first_photo(dataset)
    with pytest.raises(DatasetError, match=r"FiftyOne: .*127\.0\.0\.1:9.*finish it with"):
        down(dataset, photo, mongo="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300")
    assert not dataset.catalog.known("photos", [photo])


def test_where_there_never_was_one_nothing_is_made(curated):
    dataset = curated(1)
    assert not forget_fiftyone(dataset).deleted
    assert not (dataset.run / "fiftyone").exists()


def test_half_a_database_of_a_killed_takedown_is_cleared_away(curated):
    dataset = curated(1)
    half = fiftyone_folder(dataset) / "mongod.gone"
    half.mkdir()
    (half / "collection-1.wt").write_bytes(b"x")
    forget_fiftyone(dataset)
    assert not half.exists()
