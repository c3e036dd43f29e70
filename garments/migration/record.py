"""What was migrated, and what is being migrated: files in the data set's folder `taxonomies`.

taxonomies/<hash>.toml             every taxonomy that was in force, and the present one
taxonomies/migrating.json          the journal: a migration that has begun and has not ended
taxonomies/migrations/0001.json    the first migration that ended, and so on

The journal becomes a record when all is done. While it is there nobody reads the taxonomy in force:
labels and taxonomy may not fit each other yet.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from garments.errors import DatasetError
from garments.ids import stable_id
from garments.migration.mapfile import MigrationMap
from garments.whole import write_whole

FOLDER = "taxonomies"
JOURNAL = "migrating.json"
RECORDS = "migrations"


@dataclass(frozen=True)
class Record:
    """One migration: the `number`-th of its data set, from taxonomy `old` to `new` (hashes).

    `upto` is the highest `seq` of labels when it began, `at` when that was (UTC, ISO 8601).
    """

    number: int
    old: str
    new: str
    map: Mapping[str, Any] = field(default_factory=dict)
    upto: int = 0
    at: str = ""

    @property
    def name(self) -> str:
        """What people call it, and the round in which it has people asked again."""
        return f"migration-{self.number}"

    @property
    def id(self) -> str:
        """The same for the same step at the same place, whenever it is made."""
        return stable_id("migration", self.number, self.old, self.new, self.read_map().text)

    def read_map(self) -> MigrationMap:
        """Its map."""
        return MigrationMap.model_validate(self.map)

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def journal_path(folder: Path) -> Path:
    """The journal of a data set in `folder`."""
    return folder / FOLDER / JOURNAL


def read_journal(folder: Path) -> Record | None:
    """The migration that was begun and has not ended, None without one."""
    path = journal_path(folder)
    return _read(path) if path.exists() else None


def write_journal(folder: Path, record: Record) -> None:
    """Say that a migration begins; from now on it can only be finished."""
    write_whole(journal_path(folder), record.dumps())


def end_journal(folder: Path, record: Record) -> None:
    """Say that it ended: the journal becomes its record."""
    path = _record_path(folder, record.number)
    path.parent.mkdir(parents=True, exist_ok=True)
    journal_path(folder).replace(path)


def read_records(folder: Path) -> list[Record]:
    """Migrations that ended, in order; `DatasetError` where a record is missing or damaged."""
    paths = sorted((folder / FOLDER / RECORDS).glob("*.json"))
    records = [_read(path) for path in paths]
    for number, (path, record) in enumerate(zip(paths, records, strict=True), 1):
        if record.number != number:
            raise DatasetError(
                f"expected the record of migration {number} in {path.parent}, but got {path.name} "
                f"with number {record.number}; restore the missing one from a backup"
            )
    return records


def expect_settled(folder: Path) -> None:
    """`DatasetError` while labels and taxonomy may not fit each other."""
    if journal_path(folder).exists():
        raise DatasetError(
            f"expected a taxonomy that is settled, but a migration of {folder} is at work or was "
            f"cut off; wait for it, or finish it with `garmentloop taxonomy migrate -d {folder}`"
        )


def taxonomy_path(folder: Path, digest: str) -> Path:
    """Where the taxonomy with that hash is kept."""
    return folder / FOLDER / f"{digest}.toml"


def _record_path(folder: Path, number: int) -> Path:
    return folder / FOLDER / RECORDS / f"{number:04d}.json"


def _read(path: Path) -> Record:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = {one.name for one in fields(Record)}
        if set(found) - known:
            raise ValueError(f"it has the unknown keys {sorted(set(found) - known)}")
        record = Record(**found)
        record.read_map()
        return record
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(
            f"expected the record of a migration in {path}, but {error}; restore it from a backup: "
            "without it labels of earlier taxonomies cannot be told from those of now"
        ) from error
