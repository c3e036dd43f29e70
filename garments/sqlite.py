"""SQLite files of services: what was deleted stays in their free pages until they are packed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from garments.errors import DatasetError

_MAGIC = b"SQLite format 3\0"
_PATIENCE = 60.0
"""Seconds to wait for whoever is writing to a database."""


def databases(folder: Path) -> Iterator[Path]:
    """Files below `folder` that are SQLite databases, by what they begin with."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(len(_MAGIC)) == _MAGIC:
                    yield path


def vacuum(path: Path, patience: float = _PATIENCE) -> None:
    """Write a database anew without what was deleted from it; others wait meanwhile.

    `DatasetError` where somebody holds it for longer than `patience` seconds, or it is damaged.
    """
    try:
        with closing(sqlite3.connect(path, timeout=patience, isolation_level=None)) as database:
            database.execute("PRAGMA secure_delete = ON")
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise DatasetError(
            f"expected to pack {path}, so that what was deleted is gone from it, but {error}; stop "
            "the program that uses it (`garmentloop annotate down`), then run the same command "
            "again"
        ) from error
