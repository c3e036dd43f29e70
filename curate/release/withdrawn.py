"""The list of rows that were withdrawn from a release: their places, and nothing about them."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

WITHDRAWN = "withdrawn.csv"

COLUMNS = ("file", "row", "takedown", "at")


@dataclass(frozen=True, order=True)
class Row:
    """One row that went. `row` counts from 0 in the file as it was frozen."""

    file: str
    row: int
    takedown: str
    at: str


def read_withdrawn(folder: Path) -> list[Row]:
    """All rows that were withdrawn from a release; none where nothing was."""
    path = folder / WITHDRAWN
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return [Row(row["file"], int(row["row"]), row["takedown"], row["at"]) for row in rows]


def write_withdrawn(folder: Path, rows: Iterable[Row]) -> None:
    """Inverse of `read_withdrawn`."""
    with (folder / WITHDRAWN).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((row.file, row.row, row.takedown, row.at) for row in sorted(rows))


def as_frozen(places: Sequence[int], before: Iterable[int]) -> list[int]:
    """Places in the file as it was frozen, of rows by their place after `before` had gone."""
    found, gone = [], sorted(before)
    for place in places:
        for earlier in gone:
            if earlier > place:
                break
            place += 1
        found.append(place)
    return found
