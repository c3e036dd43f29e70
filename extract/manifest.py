"""Tables of photos: a CSV or JSONL manifest, and a text file of URLs."""

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from extract.fetch import redacted
from extract.found import Found, absolute
from garments.errors import BadTable
from garments.files import open_regular, printable

NAMES = {"license": "licence", "filename": "path", "file": "path", "date": "taken_at"}
"""Other spellings of columns, used where the column itself is missing or empty."""


def read_csv(path: Path) -> Iterator[Found]:
    """The rows of a manifest with a header line that has `path` or `url`, or both.

    Known beside them: handle, licence, consent, taken_at, split; other columns are ignored.
    Separated by comma, semicolon or tab, UTF-8. A path is relative to the manifest's folder.
    Raises `BadTable` without a column that says where the photos are.
    """
    with _open_text(path) as file:
        header = file.readline()
        separator = max(",;\t", key=header.count)
        names = next(csv.reader([header], delimiter=separator), [])
        columns = [name.strip().lower() for name in names]
        _check_names(columns, f"the header of {path}")
        reader = csv.reader(file, delimiter=separator, strict=True)
        for line, cells, problem in _rows(reader):
            if problem or any(cell.strip() for cell in cells):
                yield _found(path, line + 1, dict(zip(columns, cells, strict=False)), problem)


def read_jsonl(path: Path) -> Iterator[Found]:
    """The lines of a manifest with one JSON object each, with the keys of `read_csv`.

    Raises `BadTable` when the first object has neither `path` nor `url`.
    """
    checked = False
    with _open_text(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            row, problem = _object(line)
            if not problem and not checked:
                _check_names(list(row), f"line {number} of {path}")
                checked = True
            yield _found(path, number, row, problem)


def read_url_list(path: Path) -> Iterator[Found]:
    """The URLs in a text file, one a line; empty lines and lines that begin with # are ignored."""
    with _open_text(path) as file:
        for number, line in enumerate(file, start=1):
            url = line.strip()
            if not url or url.startswith("#"):
                continue
            problem = "" if "://" in url else f"expected a URL, but got {url[:80]!r}"
            yield _found(path, number, {"url": url}, problem)


def _open_text(path: Path) -> io.TextIOWrapper:
    """The file as text. Bytes that are not UTF-8 survive: they may belong to a file name."""
    file = open_regular(path)
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _check_names(names: list[str], place: str) -> None:
    if not {NAMES.get(name, name) for name in names} & {"path", "url"}:
        shown = ", ".join(repr(printable(name)) for name in names[:20])
        raise BadTable(
            f"expected a column 'path' or 'url' in {place}, but it has {shown or 'nothing'}; "
            "add one that says where each photo is"
        )


def _rows(reader: Any) -> Iterator[tuple[int, list[str], str]]:
    """Last line, cells and problem of each row; one that csv cannot read does not end the rest."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, [], f"cannot be read as CSV ({error})"
        else:
            yield reader.line_num, cells, ""


def _object(line: str) -> tuple[dict[str, Any], str]:
    """The JSON object in `line` with lower-case keys, or the problem with it."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return {}, f"is no JSON ({error})"
    if not isinstance(row, dict):
        return {}, f"expected a JSON object, but got {printable(line.strip()[:80])!r}"
    return {str(key).strip().lower(): value for key, value in row.items()}, ""


def _found(table: Path, number: int, row: Mapping[str, object], problem: str = "") -> Found:
    """One row of `table`, which ends in line `number`."""
    place = f"{printable(str(absolute(table)))}:{number}"
    values = _values(row)
    file, url = values.get("path", ""), values.get("url", "").strip()
    if not problem and not file and not url:
        problem = "expected a path or a url, but both are empty"
    origin, path = place, None
    if not problem:
        path = _beside(table, file) if file else None
        origin = printable(str(path)) if path else redacted(printable(url))
    return Found(
        origin,
        path,
        url or None,
        handle=printable(values.get("handle", "").strip()),
        licence=printable(values.get("licence", "").strip()),
        consent=printable(values.get("consent", "").strip()),
        taken_at=printable(values.get("taken_at", "").strip()),
        split=printable(values.get("split", "").strip()),
        problem=f"{place}: {problem}" if problem else "",
    )


def _values(row: Mapping[str, object]) -> dict[str, str]:
    """The cells of a row that are not blank, by the names that we use."""
    cells = {name: str(value) for name, value in row.items() if value is not None}
    filled = {name: text for name, text in cells.items() if text.strip()}
    return {NAMES.get(name, name): text for name, text in filled.items()} | filled


def _beside(table: Path, file: str) -> Path:
    """The file that a row of `table` names. Blanks around the name may belong to it, or not."""
    exact = absolute(table.parent / file)
    return exact if os.path.lexists(exact) else absolute(table.parent / file.strip())
