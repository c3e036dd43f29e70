"""Every single change between two releases, as a CSV file."""

import csv
from collections.abc import Iterator
from pathlib import Path

from curate.release.diff import Difference
from garments.errors import DatasetError
from garments.whole import in_place_of

COLUMNS = ("garment_id", "attribute", "change", "before", "after", "why")


def write_changes(path: Path, found: Difference) -> None:
    """Write a row a change; garments that came, went or moved have the attribute `split`.

    The file appears whole or not at all; `DatasetError` where it cannot be written.
    """
    try:
        with in_place_of(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(_rows(found))
    except OSError as error:
        raise DatasetError(
            f"expected to write {path}, but {error.strerror or error}; free some space or name "
            "another file"
        ) from error


def _rows(found: Difference) -> Iterator[tuple[str, ...]]:
    for move in found.moves:
        kind = "changed" if move.before and move.after else "removed" if move.before else "added"
        yield move.garment_id, "split", kind, move.before, move.after, move.why
    for change in found.changes:
        yield (
            change.garment_id,
            change.attribute,
            str(change.kind),
            change.before,
            change.after,
            change.why,
        )
