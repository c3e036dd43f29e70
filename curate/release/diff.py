"""What changed from one release to another: for each attribute, from what to what, and why."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from curate.release.choose import WORDS, LeftOut, attribute_columns
from curate.release.manifest import Manifest, read_manifest
from curate.release.names import release_folder
from curate.release.sources import LEFT_OUT, read_left_out
from garments.dataset import TAXONOMY_FILE, Dataset
from garments.errors import BadTaxonomy, DatasetError
from garments.said import Basis
from garments.taxonomy import Taxonomy

Row = Mapping[str, Any]


class Kind(StrEnum):
    """What became of a label from one release to the next."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One label that is not what it was. Values are as people read them, empty for none."""

    garment_id: str
    attribute: str
    kind: Kind
    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class Move:
    """One garment that is in another split, or in only one of the releases (the other is "")."""

    garment_id: str
    before: str
    after: str
    why: str


@dataclass(frozen=True)
class Difference:
    """All that changed.

    `same` counts labels that stayed, by attribute; `confirmed` those of them that now stand on
    another basis.
    """

    old: Manifest
    new: Manifest
    changes: Sequence[Change]
    moves: Sequence[Move]
    same: Mapping[str, int]
    confirmed: Mapping[str, int]

    @property
    def attributes(self) -> list[str]:
        """Attributes of either release, in order."""
        return list(dict.fromkeys([*self.new.attributes, *self.old.attributes]))

    def count(self, attribute: str, kind: Kind) -> int:
        """How many labels of an attribute were added, changed or removed."""
        return sum(c.attribute == attribute and c.kind is kind for c in self.changes)

    def moved(self) -> list[tuple[str, str, str, int]]:
        """From which split to which, why and how many garments; "" is outside the release."""
        alike = Counter((move.before, move.after, move.why) for move in self.moves)
        return [(*key, count) for key, count in sorted(alike.items(), key=lambda one: -one[1])]

    def grouped(self, attribute: str) -> list[tuple[str, str, str, str, int]]:
        """Changes of an attribute that are alike, with their number, the commonest first.

        Added labels come last, as they are expected.
        """
        alike = Counter(
            (str(change.kind), change.before, change.after, change.why)
            for change in self.changes
            if change.attribute == attribute
        )
        order = sorted(alike.items(), key=lambda one: (_ORDER[one[0][0]], -one[1], one[0]))
        return [(*key, count) for key, count in order]


_ORDER: Mapping[str, int] = {Kind.CHANGED: 0, Kind.REMOVED: 1, Kind.ADDED: 2}


def diff(dataset: Dataset, old: str, new: str) -> Difference:
    """Compare two releases of a data set by what is in their files."""
    return compare(release_folder(dataset, old), release_folder(dataset, new))


def compare(old: Path, new: Path) -> Difference:
    """Compare two release folders."""
    sides = _Side.read(old), _Side.read(new)
    found = _Finder(*sides)
    changes = sorted(found.changes(), key=lambda one: (one.attribute, one.garment_id))
    return Difference(
        sides[0].manifest,
        sides[1].manifest,
        changes,
        sorted(found.moves(), key=lambda one: (one.before, one.after, one.garment_id)),
        found.same,
        found.confirmed,
    )


@dataclass(frozen=True)
class _Side:
    """One release: its rows by garment, what it left out, and its values by attribute."""

    manifest: Manifest
    rows: Mapping[str, Row]
    left_out: Mapping[str, LeftOut]
    values: Mapping[str, Collection[str]]

    @classmethod
    def read(cls, folder: Path) -> "_Side":
        manifest = read_manifest(folder)
        try:
            rows = {row["garment_id"]: row for row in _rows(folder, manifest)}
            attributes = Taxonomy.load(folder / TAXONOMY_FILE).attributes
            values = {found.id: frozenset(found.ids) for found in attributes}
            return cls(manifest, rows, read_left_out(folder / LEFT_OUT), values)
        except (OSError, ValueError, KeyError, BadTaxonomy) as error:
            raise DatasetError(
                f"expected the files of a release in {folder}, but {error}; "
                f"`garmentloop curate verify {folder.name}` tells what is wrong"
            ) from error

    def split(self, garment: str) -> str:
        """The split that a garment is in, empty where it is not in this release."""
        return str(self.rows[garment]["split"]) if garment in self.rows else ""

    def stated(self, garment: str, attribute: str) -> tuple[list[str] | None, str]:
        """Values and basis of one label; (None, "") where there is none."""
        row = self.rows.get(garment, {})
        values, basis, _ = (row.get(name) for name in attribute_columns(attribute))
        return values, basis or ""


def _rows(folder: Path, manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Rows without their pictures, which are most of the bytes."""
    import pyarrow.parquet as pq

    columns = ["garment_id", *(c for a in manifest.attributes for c in attribute_columns(a))]
    for split in manifest.splits:
        for path in sorted((folder / "data").glob(f"{split}-*.parquet")):
            for row in pq.read_table(path, columns=columns).to_pylist():
                yield {**row, "split": split}


class _Finder:
    """Finds what differs between two releases, and why."""

    def __init__(self, old: _Side, new: _Side) -> None:
        self._old, self._new = old, new
        self.same: Counter[str] = Counter()
        self.confirmed: Counter[str] = Counter()

    def moves(self) -> Iterator[Move]:
        """Garments that came, went, or are in another split."""
        for garment in self._old.rows.keys() | self._new.rows.keys():
            before, after = self._old.split(garment), self._new.split(garment)
            if before != after:
                yield Move(garment, before, after, self._why_moved(garment, before, after))

    def changes(self) -> Iterator[Change]:
        """Labels that were added, changed or removed."""
        for garment in self._old.rows.keys() | self._new.rows.keys():
            for attribute in {**self._old.manifest.attributes, **self._new.manifest.attributes}:
                if change := self._change(garment, attribute):
                    yield change

    def _change(self, garment: str, attribute: str) -> Change | None:
        before, was = self._old.stated(garment, attribute)
        after, basis = self._new.stated(garment, attribute)
        if before == after:
            if after is not None:
                self.same[attribute] += 1
                self.confirmed[attribute] += was != basis
            return None
        kind = Kind.ADDED if before is None else Kind.REMOVED if after is None else Kind.CHANGED
        why = self._why(garment, attribute)
        return Change(garment, attribute, kind, _shown(before), _shown(after), why)

    def _why_moved(self, garment: str, before: str, after: str) -> str:
        if not before:
            reason = self._old.left_out.get(garment)
            return f"was {WORDS[reason]}" if reason else "new"
        if not after:
            reason = self._new.left_out.get(garment)
            return WORDS[reason] if reason else "no longer in the data set"
        return "the split was drawn again"

    def _why(self, garment: str, attribute: str) -> str:
        """Why a label of a garment is not what it was."""
        if garment not in self._old.rows or garment not in self._new.rows:
            there = self._old.split(garment), self._new.split(garment)
            return "garment " + self._why_moved(garment, *there)
        old, new = self._old.manifest.attributes, self._new.manifest.attributes
        if attribute not in old or attribute not in new:
            return "attribute is new" if attribute in new else "attribute was removed"
        before, was = self._old.stated(garment, attribute)
        after, basis = self._new.stated(garment, attribute)
        if before and after is not None and self._is_gone(attribute, before):
            return "the taxonomy changed"
        if after is None and basis == Basis.DISPUTED:
            return "annotators disagree"
        if after is None:
            return "withdrawn" if old[attribute] == new[attribute] else "the taxonomy changed"
        if was == basis:
            return _AGAIN[Basis(basis)]
        return _NOW[Basis(basis)] + (f", was {_WAS[Basis(was)]}" if was else "")

    def _is_gone(self, attribute: str, values: Sequence[str]) -> bool:
        """Whether the newer taxonomy lacks one of these values of the older one."""
        known = self._old.values[attribute], self._new.values[attribute]
        return any(value in known[0] and value not in known[1] for value in values)


_NOW = {
    Basis.ADJUDICATED: "adjudicated",
    Basis.CURATOR: "decided by a curator",
    Basis.CONSENSUS: "most annotators agree",
    Basis.ANNOTATOR: "answered by an annotator",
    Basis.IMPORT: "imported",
}
_AGAIN = {
    Basis.ADJUDICATED: "adjudicated again",
    Basis.CURATOR: "decided again by a curator",
    Basis.CONSENSUS: "annotators answered again",
    Basis.ANNOTATOR: "annotator answered again",
    Basis.IMPORT: "imported again",
}
_WAS = {
    Basis.ADJUDICATED: "adjudicated",
    Basis.CURATOR: "a curator's",
    Basis.CONSENSUS: "a consensus",
    Basis.ANNOTATOR: "an annotator's",
    Basis.IMPORT: "imported",
    Basis.DISPUTED: "disputed",
}


def _shown(values: Sequence[str] | None) -> str:
    """A label as people read it; `(none)` where people said that nothing applies."""
    if values is None:
        return ""
    return " + ".join(sorted(values)) or "(none)"
