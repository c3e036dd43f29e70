"""Findings in a file: a table for people, or ids for `garmentloop annotate push --select`."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from garments.errors import BadSetting, DatasetError
from garments.whole import write_whole

TABLE, IDS = ".csv", ".txt"


def expect_ending(path: Path) -> None:
    """Raise `BadSetting` where the ending says neither what to write."""
    if path.suffix.lower() not in (TABLE, IDS):
        raise BadSetting(
            f"expected a file that ends in {TABLE} (a table) or {IDS} (garment ids, for `annotate "
            f"push --select`), but got {path.name!r}"
        )


def write_findings(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], id_column: str = "garment_id"
) -> int:
    """Write a table, or each garment's id once, in order; how many lines, the header aside.

    Raises `BadSetting` for another ending, and `DatasetError` where it cannot be written.
    """
    expect_ending(path)
    lines = [tuple(row) for row in rows]
    if path.suffix.lower() == IDS:
        place = header.index(id_column)
        lines = [(name,) for name in dict.fromkeys(row[place] for row in lines)]
        text = "".join(f"{name}\n" for (name,) in lines)
    else:
        held = StringIO()
        csv.writer(held, lineterminator="\n").writerows([header, *lines])
        text = held.getvalue()
    try:
        write_whole(path, text)
    except OSError as error:
        raise DatasetError(
            f"expected to write {path}, but {error.strerror or error}; free some space or name "
            "another file"
        ) from error
    return len(lines)
