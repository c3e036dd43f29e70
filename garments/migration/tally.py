"""What a migration does to all labels of a data set: rows to be added, and what became of what."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from garments.answers import answer_of
from garments.migration.history import History
from garments.migration.labels import Migration, NewRow, Row, carried, last_words, taken_back
from garments.migration.moves import Became, Fate
from garments.said import Key, LabelKind, Rules, people_say
from garments.taxonomy import Taxonomy

NOTHING = "(none)"
"""Stands for the answer that no value applies."""


@dataclass(frozen=True)
class Line:
    """What became of one old value in labels: its fate, the values that it may be now, how often.

    Where an answer has several values each counts; `labels` and `garments` are in all kinds.
    """

    attribute: str
    value: str
    fate: Fate
    becomes: tuple[str, ...]
    labels: int
    garments: int


@dataclass(frozen=True)
class Tally:
    """What became of every label that was somebody's last word, by its old attribute.

    `superseded` and `withdrawn` labels did not count any more before. `garments` are to be asked
    again. `added` are new values that nothing became, `proposals` the attributes whose proposals
    have to be made again.
    """

    fates: Mapping[str, Mapping[Fate, int]] = field(default_factory=dict)
    lines: Sequence[Line] = ()
    superseded: int = 0
    withdrawn: int = 0
    garments: int = 0
    added: Mapping[str, Sequence[str]] = field(default_factory=dict)
    proposals: Sequence[str] = ()

    @property
    def totals(self) -> dict[Fate, int]:
        """Labels by fate."""
        return {fate: sum(found.get(fate, 0) for found in self.fates.values()) for fate in Fate}

    def content(self) -> dict[str, Any]:
        """As JSON has it."""
        totals = {str(fate): count for fate, count in self.totals.items()}
        more = {"superseded before": self.superseded, "withdrawn before": self.withdrawn}
        return {
            "labels": totals | more,
            "attributes": {
                name: {str(fate): found.get(fate, 0) for fate in Fate}
                for name, found in self.fates.items()
            },
            "values": [
                {**vars(line), "fate": str(line.fate), "becomes": list(line.becomes)}
                for line in self.lines
            ],
            "garments_asked_again": self.garments,
            "added": {name: list(values) for name, values in self.added.items()},
            "proposals_to_make": list(self.proposals),
        }


@dataclass(frozen=True)
class Step:
    """What is to be added to `labels`, and the tally of it."""

    rows: Sequence[NewRow]
    tally: Tally


def step(rows: Iterable[Row], history: History, migration: Migration, rules: Rules) -> Step:
    """Apply a migration to rows of `labels`: those that it made before are passed over.

    So whoever was cut off finds the same again. Labels that the migrations of `history` should have
    brought on and did not are brought on first.
    """
    words = last_words(row for row in rows if row.get("migration") != migration.id)
    made, standing, count = list[NewRow](), list[Row](), _Counter(migration)
    for row in words.live:
        before = history.carried(row)
        made += before
        now = {**before[-1], "seq": row["seq"]} if before else row
        if not now.get("withdraws"):
            standing.append(now)
    overruled = _overruled(standing, migration, rules)
    for row in standing:
        if row["label_id"] in overruled:
            made.append(taken_back(row, migration))
            count.add(row, Became(Fate.OVERRULED, row["attribute"], frozenset()))
        else:
            made += carried(row, [migration])
            count.add(row, migration.become(row))
    return Step(made, count.tally(words.superseded, words.withdrawn))


def _overruled(rows: Iterable[Row], migration: Migration, rules: Rules) -> set[str]:
    """Labels that would come into force because others, which went before them, no longer hold.

    Where a curator had said `red` instead of `blue` and red is split, blue is as wrong as before.
    """
    together: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        if row["kind"] != LabelKind.GOLD:  # it never holds, and so overrules nothing
            together[row["garment_id"], row["attribute"]].append(row)
    found: set[str] = set()
    for key, said in together.items():
        rest = [row for row in said if migration.become(row).holds]
        if len(rest) in (0, len(said)):
            continue
        before, after = (people_say(some, rules).get(key) for some in (said, rest))
        if (before and before.value) != (after and after.value):
            found |= {row["label_id"] for row in rest}
    return found


class _Counter:
    """Counts labels by what becomes of them."""

    def __init__(self, migration: Migration) -> None:
        self._moves = migration.moves
        self._fates: dict[str, Counter[Fate]] = {
            attribute.id: Counter() for attribute in self._moves.old.attributes
        }
        self._labels: Counter[tuple[str, str, Fate]] = Counter()
        self._garments: dict[tuple[str, str, Fate], set[str]] = {}
        self._again: set[str] = set()

    def add(self, row: Row, became: Became) -> None:
        """One label, and what becomes of it."""
        name, garment = row["attribute"], row["garment_id"]
        self._fates.setdefault(name, Counter())[became.fate] += 1
        if became.fate is Fate.AGAIN and row["kind"] != LabelKind.GOLD:
            self._again.add(garment)
        for value in sorted(answer_of(row["value"])) or [NOTHING]:
            key = (name, value, self._fate(name, value, became))
            self._labels[key] += 1
            self._garments.setdefault(key, set()).add(garment)

    def tally(self, superseded: int, withdrawn: int) -> Tally:
        """All that was counted."""
        moves = self._moves
        order = {(a.id, v): at for a in moves.old.attributes for at, v in enumerate(a.ids)}
        places = {name: at for at, name in enumerate(self._fates)}
        keys = sorted(
            self._labels, key=lambda key: (places[key[0]], order.get(key[:2], 10**6), key[1:])
        )
        return Tally(
            {name: dict(found) for name, found in self._fates.items()},
            [self._line(key) for key in keys],
            superseded,
            withdrawn,
            len(self._again),
            moves.added,
            _changed(moves.old, moves.new),
        )

    def _line(self, key: tuple[str, str, Fate]) -> Line:
        name, value, fate = key
        target, image = self._moves.attribute(name), self._moves.image(name, value)
        values = image.values or ((value,) if fate in (Fate.KEPT, Fate.RENAMED) else ())
        values = () if fate is Fate.OVERRULED else values
        prefix = f"{target} " if target != name else ""
        becomes = tuple(f"{prefix}{one}" for one in values)
        return Line(*key, becomes, self._labels[key], len(self._garments[key]))

    def _fate(self, name: str, value: str, became: Became) -> Fate:
        """The fate of one value of an answer."""
        if became.fate in (Fate.AGAIN, Fate.OVERRULED, Fate.OUTDATED):
            return became.fate
        fate = self._moves.image(name, value).fate
        if fate is Fate.OUTDATED:  # that nothing applies, or cannot be seen
            return Fate.KEPT if became.fate is Fate.REDUCED else became.fate
        return Fate.RENAMED if fate is Fate.KEPT and self._moves.attribute(name) != name else fate


def _changed(old: Taxonomy, new: Taxonomy) -> list[str]:
    """Attributes of the new taxonomy whose values are not those of the old one."""
    before = {attribute.id: old.vocabulary_hash(attribute.id) for attribute in old.attributes}
    return [a.id for a in new.attributes if before.get(a.id) != new.vocabulary_hash(a.id)]
