"""The migrations of a data set in order, and labels of any earlier taxonomy read by them.

An era is the time between two migrations: labels of era `n` are brought to the present taxonomy by
the migrations `n`, `n + 1` and so on. A label tells its era by the hash of the values that were on
offer; where it has none, by its place among all rows.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from garments.errors import DatasetError
from garments.migration.labels import Migration, NewRow, Row, carried, followed, last_words
from garments.migration.moves import Became, Fate, Moves
from garments.migration.record import Record, read_records, taxonomy_path
from garments.said import Held, Key, Rules, people_say
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from garments.dataset import Dataset


class History:
    """The migrations of one data set, the first one first."""

    def __init__(self, migrations: Sequence[Migration]) -> None:
        self.migrations = tuple(migrations)

    @classmethod
    def of(cls, folder: Path) -> "History":
        """What was migrated in the data set in `folder`; `DatasetError` for a damaged record."""
        return cls([read_migration(folder, record) for record in read_records(folder)])

    def then(self, migration: Migration) -> "History":
        """With one more."""
        return History([*self.migrations, migration])

    def __bool__(self) -> bool:
        return bool(self.migrations)

    @cached_property
    def by_id(self) -> dict[str, Migration]:
        """Migrations by the id that labels have."""
        return {migration.id: migration for migration in self.migrations}

    @cached_property
    def earlier(self) -> list[Taxonomy]:
        """Taxonomies that are no longer in force, the newest first, each once."""
        found = [t for m in reversed(self.migrations) for t in (m.moves.new, m.moves.old)]
        return list({taxonomy.hash: taxonomy for taxonomy in found}.values())

    @cached_property
    def steps(self) -> list[list[Moves]]:
        """For each era that is over the steps that led from it to now."""
        moves = [migration.moves for migration in self.migrations]
        return [moves[start:] for start in range(len(moves))]

    def since(self, row: Row) -> Sequence[Migration]:
        """The migrations that a label was not brought through when it was written."""
        return self.migrations[self.era(row) :]

    def era(self, row: Row) -> int:
        """How many migrations came before a label was said, or made it."""
        if row.get("migration") in self._places:
            return self._places[row["migration"]] + 1
        known = self._eras.get((row["attribute"], row.get("vocabulary_hash") or ""))
        if known is not None:
            return known
        seq = row.get("seq")
        if seq is None:  # about to be written
            return len(self.migrations)
        return sum(migration.record.upto < int(seq) for migration in self.migrations)

    def brought(self, new: Sequence[Row], known: Sequence[Row] = ()) -> list[NewRow]:
        """What is to be written with `new` rows, so that they hold in the words of now.

        Each label is followed by what it becomes; `known` are rows of the same task. Who answered
        both a question and what it was before said the former.
        """
        said = {_answer(row) for row in new if not row.get("withdraws")}
        made = [
            made
            for row in new
            if not row.get("withdraws")
            for made in self.carried(row)
            if made["attribute"] == row["attribute"] or _answer(made) not in said
        ]
        return [*made, *followed(new, known)]

    def carried(self, row: Row) -> list[NewRow]:
        """What one label becomes."""
        return carried(row, self.since(row))

    def attribute(self, name: str) -> str | None:
        """What an attribute of any taxonomy so far is called now, None where it was removed."""
        for migration in self.migrations:
            if any(found.id == name for found in migration.moves.old.attributes):
                now = migration.moves.attribute(name)
                if now is None:
                    return None
                name = now
        return name

    def present(self, attribute: str, value: str) -> Became | None:
        """What became of a value of any earlier taxonomy; None where none of them had it.

        Where it still has the same name it is as it was, since an id has one meaning for ever.
        """
        for start, migration in enumerate(self.migrations):
            if migration.moves.image(attribute, value).fate is Fate.OUTDATED:
                continue
            became = migration.moves.become(attribute, frozenset([value]))
            for later in self.migrations[start + 1 :]:
                if became.holds:
                    became = later.moves.become(became.attribute, became.answer)
            return became
        return None

    def lacking(self, rows: Iterable[Row]) -> list[NewRow]:
        """What the last words among some rows should have become by now."""
        return [made for row in last_words(rows).live for made in self.carried(row)]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {migration.id: place for place, migration in enumerate(self.migrations)}

    @cached_property
    def _eras(self) -> dict[tuple[str, str], int]:
        """The newest era in which an attribute had that vocabulary."""
        found: dict[tuple[str, str], int] = {}
        for era, migration in enumerate(self.migrations):
            for place, taxonomy in ((era, migration.moves.old), (era + 1, migration.moves.new)):
                for attribute in taxonomy.attributes:
                    found[attribute.id, taxonomy.vocabulary_hash(attribute.id)] = place
        return found


def _answer(row: Row) -> tuple[object, object]:
    """One answer in an annotation."""
    return row.get("annotation_id"), row["attribute"]


def read_migration(folder: Path, record: Record) -> Migration:
    """A record with its two taxonomies."""
    old, new = (kept_taxonomy(folder, digest) for digest in (record.old, record.new))
    return Migration(record, Moves(old, new, record.read_map()))


@lru_cache(maxsize=32)
def kept_taxonomy(folder: Path, digest: str) -> Taxonomy:
    """The taxonomy of that hash, as it was kept; `DatasetError` where it is gone or was changed."""
    path = taxonomy_path(folder, digest)
    found = Taxonomy.load(path) if path.exists() else None
    if found is None or found.hash != digest:
        what = "it was changed" if found else "there is none"
        raise DatasetError(
            f"expected the taxonomy {digest} as it was in {path}, but {what}; restore it from a "
            "backup: labels of that time are read by it"
        )
    return found


def said_before(dataset: "Dataset", migration: Migration) -> dict[Key, Held]:
    """What people's labels added up to just before a migration, in the words of that time."""
    rows = dataset.catalog.rows("labels", where=f"seq <= {migration.record.upto}").to_pylist()
    return people_say(rows, Rules.of(dataset))


def settle(dataset: "Dataset", history: History) -> int:
    """Bring in what was written by somebody who did not know of the last migration yet.

    How many labels were brought to the words of now. Call it with pulls and pushes kept out.
    """
    if not history:
        return 0
    upto = history.migrations[-1].record.upto
    rows = dataset.catalog.rows("labels", where=f"seq > {upto}").to_pylist()
    return dataset.catalog.add("labels", history.lacking(rows))
