"""Migrations applied to rows of `labels`: what is to be added so that they hold in new words.

A row that a migration adds bears its id in `migration`, and in `migrated_from` the label that it
says anew or takes back. Rows without a migration are what people and imports said themselves. Ids
follow from the migration and the label, so whatever is done twice adds nothing the second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from garments.answers import answer_of, value_of
from garments.ids import stable_id
from garments.migration.moves import Became, Fate, Moves
from garments.migration.record import Record

Row = Mapping[str, Any]
NewRow = dict[str, Any]

_ABOUT = ("garment_id", "crop_sha", "attribute")
_BY = ("kind", "annotator", "task_id", "annotation_id")
_OURS = ("seq", "withdraws")


@dataclass(frozen=True)
class Migration:
    """A migration with what it does."""

    record: Record
    moves: Moves

    @cached_property
    def id(self) -> str:
        """As rows of labels have it."""
        return self.record.id

    def become(self, row: Row) -> Became:
        """What becomes of a label that was said under its old taxonomy."""
        return self.moves.become(row["attribute"], answer_of(row["value"]))


def as_said(rows: Iterable[Row]) -> list[Row]:
    """Rows that people and imports wrote themselves, in the words of their time."""
    return [row for row in rows if not row.get("migration")]


def carried(row: Row, migrations: Sequence[Migration]) -> list[NewRow]:
    """Rows that bring one label through these migrations; none where it stays as it is."""
    made = list[NewRow]()
    for migration in migrations:
        became = migration.become(row)
        if became.fate in (Fate.KEPT, Fate.OUTDATED):
            continue
        if not became.holds or became.attribute != row["attribute"]:
            made.append(taken_back(row, migration))
        if not became.holds:
            break
        row = _anew(row, migration, became)
        made.append(dict(row))
    return made


def followed(new: Iterable[Row], known: Sequence[Row]) -> list[NewRow]:
    """Tombstones of what migrations made of labels that `new` rows take back.

    `known` are rows of the same task, or of more.
    """
    children: dict[str, list[Row]] = {}
    for row in known:
        if row.get("migration") and row.get("migrated_from") and not row["withdraws"]:
            children.setdefault(row["migrated_from"], []).append(row)
    withdrawn = {row["withdraws"] for row in known if row["withdraws"]}
    made = list[NewRow]()
    open_ = [row["withdraws"] for row in new if row.get("withdraws")]
    while open_:
        for child in children.get(open_.pop(), ()):
            open_.append(child["label_id"])
            if child["label_id"] not in withdrawn:
                withdrawn.add(child["label_id"])
                made.append(_withdrawal(child))
    return made


@dataclass(frozen=True)
class Words:
    """Labels sorted: those that are somebody's last word, and how many others there are."""

    live: Sequence[Row]
    superseded: int
    withdrawn: int


def last_words(rows: Iterable[Row]) -> Words:
    """The newest label by garment, attribute, kind and person, unless it was taken back."""
    ordered = sorted(rows, key=lambda row: int(row["seq"]))
    withdrawn = {row["withdraws"] for row in ordered if row["withdraws"]}
    said = [row for row in ordered if not row["withdraws"]]
    newest = {
        (row["garment_id"], row["attribute"], row["kind"], row["annotator"] or ""): row
        for row in said
    }
    live = [row for row in newest.values() if row["label_id"] not in withdrawn]
    gone = sum(row["label_id"] in withdrawn for row in said)
    return Words(live, len(said) - gone - len(live), gone)


def _anew(row: Row, migration: Migration, became: Became) -> NewRow:
    """The same word in the words of the next taxonomy."""
    return {
        **{name: value for name, value in row.items() if name not in _OURS},
        "label_id": stable_id("migrated", migration.id, row["label_id"]),
        "attribute": became.attribute,
        "value": value_of(became.answer),
        "vocabulary_hash": migration.moves.new.vocabulary_hash(became.attribute),
        "migrated_from": row["label_id"],
        "migration": migration.id,
    }


def taken_back(row: Row, migration: Migration) -> NewRow:
    """The tombstone of a label that does not hold any more, or not under that attribute."""
    return {
        **{name: row.get(name) for name in (*_ABOUT, *_BY)},
        "label_id": stable_id("migrated away", migration.id, row["label_id"]),
        "withdraws": row["label_id"],
        "migrated_from": row["label_id"],
        "migration": migration.id,
    }


def _withdrawal(row: Row) -> NewRow:
    """The tombstone of a migrated label whose source was taken back."""
    return {
        **{name: row.get(name) for name in (*_ABOUT, *_BY)},
        "label_id": stable_id("withdrawal", row["label_id"]),
        "withdraws": row["label_id"],
        "migration": row["migration"],
    }
