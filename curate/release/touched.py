"""Which releases have something of what is taken down."""

import csv
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from curate.release.manifest import read_manifest
from curate.release.names import release_names
from curate.release.sources import LEFT_OUT, SOURCES
from curate.release.thin import Gone
from garments.errors import DatasetError

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Touched:
    """One release that has something of what goes: garments by split, photos, lines elsewhere."""

    name: str
    garments: dict[str, int] = field(default_factory=dict)
    photos: int = 0
    lines: int = 0


def touched_by(dataset: "Dataset", gone: Gone) -> tuple[list[Touched], list[str]]:
    """Releases that have something of it; and why others cannot be told. Nothing is changed."""
    found, problems = [], []
    for name in release_names(dataset):
        try:
            one = _look(dataset.releases / name, gone)
        except DatasetError as error:
            problems.append(str(error))
        else:
            found += [one] if one else []
    return found, problems


def _look(folder: Path, gone: Gone) -> Touched | None:
    """What a release has of it; None for nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    manifest = read_manifest(folder)
    garments: Counter[str] = Counter()
    photos, renamed = set(), False
    for path in data_files(folder):
        try:
            with pq.ParquetFile(path) as file:
                light = file.read(columns=["garment_id", "photo_id", "group"]).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise DatasetError(
                f"expected to read {path}, but {error}; copy the release {folder.name} again from "
                "where it was kept, or delete it"
            ) from error
        for row in light:
            if row["garment_id"] in gone.garments or row["photo_id"] in gone.photos:
                garments[split_of(path.name)] += 1
                photos.add(row["photo_id"])
            renamed |= row["group"] in gone.groups
    lines = lines_with(folder / SOURCES, "photo_id", gone.photos)
    lines += lines_with(folder / LEFT_OUT, "garment_id", gone.garments)
    if not garments and not lines and not renamed:
        return None
    return Touched(manifest.name, dict(garments), len(photos), lines)


def data_files(folder: Path) -> list[Path]:
    """The Parquet files of a release."""
    return sorted((folder / "data").glob("*.parquet"))


def lines_with(path: Path, column: str, names: Collection[str]) -> int:
    """Rows of a CSV file that have one of these names in that column."""
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8", newline="") as file:
        return sum(row[column] in names for row in csv.DictReader(file))


def split_of(name: str) -> str:
    """The split of `data/train-00000-of-00001.parquet`."""
    return name.removeprefix("data/").rpartition("-of-")[0].rpartition("-")[0]
