"""Reading the CSV tables of public data sets, with errors that say which column is missing."""

import csv
import hashlib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from garments.errors import BadTable

Row = dict[str, str]
"""One row of a table by column name; cells are stripped text."""


class HasSplit(Protocol):
    """A row that knows its split."""

    @property
    def split(self) -> str:
        """Name of the split, "" where none is given."""
        ...


SplitRow = TypeVar("SplitRow", bound=HasSplit)


def read_table(path: Path, required: Sequence[str]) -> list[Row]:
    """Rows of the UTF-8 CSV file `path`; `BadTable` when it or a required column is missing."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = columns
            check_columns(path, columns, required)
            return [
                {name: (cell or "").strip() for name, cell in row.items() if name} for row in reader
            ]
    except FileNotFoundError:
        raise BadTable(
            f"expected a table {path} with the columns {','.join(required)}, but there is no such "
            "file; check the folder, or see its layout in datasets/README.md"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadTable(
            f"expected a UTF-8 CSV table at {path}, but reading it failed ({error}); "
            "save it again as CSV in UTF-8"
        ) from error


def check_columns(path: Path, columns: Sequence[str], required: Sequence[str]) -> None:
    """Raise `BadTable` when one of `required` is not among `columns` of the table at `path`."""
    missing = [name for name in required if name not in columns]
    if missing:
        raise BadTable(
            f"expected the columns {','.join(required)} in {path}, but its header is "
            f"{','.join(columns) or 'empty'}; add {','.join(missing)} to the first line"
        )


def find_table(root: Path, required: Sequence[str], preferred: str = "") -> Path:
    """The first `*.csv` in `root` whose header has `required`; one with `preferred` too wins."""
    if not root.is_dir():
        raise BadTable(f"expected a data folder, but {root} is none; check the path")
    found: list[tuple[bool, Path]] = []
    headers: list[str] = []
    for path in sorted(root.glob("*.csv")):
        columns = _header(path)
        headers.append(f"{path.name}: {','.join(columns[:6])}")
        if all(name in columns for name in required):
            found.append((preferred not in columns, path))
    if not found:
        raise BadTable(
            f"expected a CSV table with the columns {','.join(required)} in {root}, but found "
            f"{'; '.join(headers) or 'no CSV file'}; add such a table or check the folder"
        )
    return min(found)[1]


def _header(path: Path) -> list[str]:
    """Names of columns; none where it cannot be read, as when it is a folder."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return [name.strip() for name in next(csv.reader(file), [])]
    except (OSError, csv.Error):
        return []


def number(row: Row, column: str, path: Path) -> float:
    """The cell `column` as a finite number, or `BadTable` naming the table and the cell."""
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadTable(
            f"expected a number in column {column} of {path}, but got {row[column]!r}; "
            "correct that row"
        )
    return value


def check_files(table: Path, files: Iterable[Path]) -> None:
    """Raise `BadTable` when files that `table` names are not there."""
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise BadTable(
            f"expected the files named in {table}, but {len(missing)} are missing, the first is "
            f"{missing[0]}; copy the whole folder again"
        )


def of_split(rows: Sequence[SplitRow], split: str | None, table: Path) -> list[SplitRow]:
    """The rows of `split`, all for None; `BadTable` when the table has no row of it."""
    if split is None:
        return list(rows)
    chosen = [row for row in rows if row.split == split]
    if not chosen:
        known = ", ".join(sorted({row.split for row in rows} - {""})) or "none"
        raise BadTable(
            f"expected rows of split {split!r} in {table}, but its splits are: {known}; "
            "choose one of these or leave the split out"
        )
    return chosen


def hash_percent(name: str) -> int:
    """The published split rule: first 8 hex digits of SHA-256 of `name`, modulo 100."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100
