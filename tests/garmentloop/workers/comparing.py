"""What two data sets must have in common that were made of the same photos."""

from garments.dataset import Dataset

TABLES = ("sources", "photos", "people", "garments", "extractions")


def rows(dataset: Dataset, table: str) -> list[dict]:
    """All rows in the order in which they were written, without the time."""
    found = dataset.catalog.rows(table).sort_by("seq").drop_columns(["seq", "created_at"])
    return found.to_pylist()


def files(dataset: Dataset) -> dict[str, bytes]:
    return {
        str(path.relative_to(dataset.folder)): path.read_bytes()
        for name in ("crops", "previews")
        for path in (dataset.folder / name).rglob("*.jpg")
    }


def expect_same(local: Dataset, other: Dataset) -> None:
    for table in TABLES:
        assert rows(other, table) == rows(local, table), table
    assert files(other) == files(local)
