"""A takedown reaches what migrations of the taxonomy wrote, and neither gets in the other's way."""

import pytest
from migrating import files
from withdrawing import PHOTOS, down, held, here, traces

from annotate.studio.again import Asks
from garmentloop.migration import alone as locks
from garmentloop.migration.run import Request, State, migrate
from garmentloop.takedown.run import resume
from garments.atwork import alone
from garments.dataset import Dataset
from garments.errors import DatasetError
from garments.migration.record import journal_path, read_records, write_journal
from garments.withdrawals import Withdrawals


@pytest.fixture
def request_(dataset, tmp_path) -> Request:
    """All colors are red, which is split."""
    return Request(*files(tmp_path / "files", dataset.taxonomy))


def garments_of(dataset: Dataset, number: int) -> set[str]:
    where = f"photo_id = '{here(dataset, number)}'"
    return set(dataset.catalog.rows("garments", ["garment_id"], where).column(0).to_pylist())


def test_what_a_migration_wrote_goes_too(dataset, request_):
    migrated = migrate(dataset, request_)
    assert migrated.page.exists() and read_records(dataset.folder)
    gone, every = garments_of(dataset, 0), dataset.catalog.ids("garments")
    terms = traces(dataset, 0)
    made = dataset.catalog.rows("labels", where="migration IS NOT NULL").to_pylist()
    assert {row["label_id"] for row in made if row["garment_id"] in gone} & terms
    assert any("labels.lance" in line for line in held(dataset.folder, terms))
    down(dataset, here(dataset, 0))
    assert held(dataset.folder, terms) == []
    assert [one.id for one in read_records(dataset.folder)] == [migrated.record.id]
    assert set(Asks.of(dataset).garments) == every - gone, "the others are asked again as before"
    assert migrate(dataset, request_).state is State.NOTHING


def test_a_migration_waits_for_a_takedown(dataset, request_, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with alone(dataset), pytest.raises(DatasetError, match="expected no takedown of"):
        migrate(dataset, request_)
    assert dataset.catalog.count("labels", "migration IS NOT NULL") == 0
    assert not journal_path(dataset.folder).exists() and not read_records(dataset.folder)


def test_a_takedown_after_a_migration_was_cut_off(dataset, request_, tmp_path):
    """What needs the taxonomy waits until it is settled; finishing it brings nothing back."""
    other = Dataset.create(tmp_path / "other")
    migrate(other, request_)
    for path in (other.folder / "taxonomies").glob("*.toml"):
        (dataset.folder / "taxonomies").mkdir(exist_ok=True)
        (dataset.folder / "taxonomies" / path.name).write_bytes(path.read_bytes())
    write_journal(dataset.folder, read_records(other.folder)[0])
    terms = traces(dataset, 0)
    data = Dataset.open(dataset.folder)
    with pytest.raises(DatasetError, match="garmentloop taxonomy migrate"):
        down(data, here(dataset, 0))
    assert data.catalog.count("photos") == PHOTOS - 1
    assert migrate(data, Request()).state is State.FINISHED
    list(resume(data))
    assert Withdrawals(data).pending() is None and held(dataset.folder, terms) == []
