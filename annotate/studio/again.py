"""What migrations of the taxonomy have people asked again: garments whose value was split.

Such a garment gets one further task in the project that it was sent to, in a round named after the
migration. What still holds is filled in as it was answered; what was split is open, or as the
tagger proposes it by now. Blind garments are asked blind again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from garments.answers import NOT_VISIBLE, answer_of
from garments.catalog.convert import one_of
from garments.dataset import Dataset
from garments.migration.history import History
from garments.migration.labels import Row
from garments.migration.moves import Fate
from garments.reading import Reading
from garments.said import Held, Key, LabelKind, Rules, people_say

Ask = tuple[str, str]
"""(garment_id, id of the migration)"""

_COLUMNS = ["label_id", "garment_id", "attribute", "value", "kind", "annotator", "withdraws"]
_COLUMNS += ["migrated_from", "migration", "seq"]

OPEN = Reading((), 0.0, True)
"""Shown for what is asked again and nothing is proposed for: the eye goes there first."""


@dataclass(frozen=True)
class Asks:
    """Attributes to be asked again by garment and migration, and what people said about the rest.

    `rounds` has the round of each migration. Attributes are those of the taxonomy in force.
    """

    asked: Mapping[Ask, frozenset[str]] = field(default_factory=dict)
    said: Mapping[Key, Held] = field(default_factory=dict)
    rounds: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: Dataset) -> "Asks":
        """What is to be asked again in a data set, answered since or not."""
        history = History.of(dataset.folder)
        if not history:
            return cls()
        rows = dataset.catalog.rows("labels", _COLUMNS).to_pylist()
        found: dict[Ask, set[str]] = {}
        for ask, attribute in _split(rows, history):
            found.setdefault(ask, set()).add(attribute)
        rounds = {migration.id: migration.record.name for migration in history.migrations}
        asked = {ask: frozenset(names) for ask, names in found.items()}
        return cls(asked, people_say(rows, Rules.of(dataset)) if asked else {}, rounds)

    def open(self, garment: str, blind: bool) -> str | None:
        """The newest migration because of which a garment still has to be asked; None without one.

        Once people say something about it there is nothing left to ask; but blind garments wait
        for two answers, whatever one of their annotators said.
        """
        for migration in reversed(self.rounds):
            names = self.asked.get((garment, migration), frozenset())
            if any(blind or (garment, name) not in self.said for name in names):
                return migration
        return None

    @property
    def garments(self) -> list[str]:
        """Garments that were ever to be asked again, each once."""
        return list(dict.fromkeys(garment for garment, _ in self.asked))

    def filled(self, garment: str, migration: str) -> dict[str, Reading]:
        """What people said that still holds, by attribute, as it goes into the form again."""
        asked = self.asked.get((garment, migration), frozenset())
        held = self._by_garment.get(garment, {})
        return {
            name: Reading(tuple(sorted(answer_of(one.value))), 1.0, False)
            for name, one in held.items()
            if name not in asked and one.value is not None
        }

    @cached_property
    def _by_garment(self) -> dict[str, dict[str, Held]]:
        found: dict[str, dict[str, Held]] = {}
        for (garment, name), held in self.said.items():
            found.setdefault(garment, {})[name] = held
        return found


def _split(rows: list[Row], history: History) -> Iterator[tuple[Ask, str]]:
    """Garment, migration and attribute of every label that was taken back to be asked again."""
    by_id = {row["label_id"]: row for row in rows}
    withdrawn = {row["withdraws"] for row in rows if row["withdraws"] and not row["migration"]}
    for row in rows:
        migration = history.by_id.get(row["migration"] or "")
        source = by_id.get(row["migrated_from"] or "")
        if row["kind"] == LabelKind.GOLD:
            continue  # it scores whoever answered, and never held
        if migration is None or source is None or not row["withdraws"]:
            continue
        if _root(source, by_id) in withdrawn:
            continue  # its author took it back
        became = migration.become(source)
        later = history.migrations[history.migrations.index(migration) + 1 :]
        name: str | None = became.attribute if became.fate is Fate.AGAIN else None
        for step in later:
            name = step.moves.attribute(name) if name else None
        if name:
            yield (row["garment_id"], migration.id), name


def _root(row: Row, by_id: Mapping[str, Row]) -> str:
    """The label that somebody gave, of which migrations made this one."""
    while row["migrated_from"] in by_id:
        row = by_id[row["migrated_from"]]
    return str(row["label_id"])


def own_words(dataset: Dataset, labels: Iterable[Row]) -> list[Row]:
    """Labels without those of what a form was filled in with as people had said it before.

    Who left it there agrees with somebody whose answer was shown; and what they had said
    themselves before stands.
    """
    told = _told(dataset)
    if not told:
        return list(labels)
    kept, dropped = list[Row](), set[str]()
    for row in sorted(labels, key=lambda row: int(row["seq"])):
        mine = (row["task_id"], row["attribute"]) in told and not row["migration"]
        if not row["withdraws"] and (mine or row["migrated_from"] in dropped):
            dropped.add(row["label_id"])
        else:
            kept.append(row)
    return kept


def _told(dataset: Dataset) -> set[tuple[str, str]]:
    """Task and attribute of whatever was filled in as people had said it before."""
    rows = dataset.catalog.rows("tasks", ["task_id", "again"]).to_pylist()
    again = [row["task_id"] for row in rows if row["again"]]
    if not again:
        return set()
    sent = dataset.catalog.rows("tasks", ["task_id", "shown"], one_of("task_id", again)).to_pylist()
    return {
        (row["task_id"], name)
        for row in sent
        for name, one in json.loads(row["shown"] or "{}").items()
        if one.get("said")
    }


def shown_values(held: tuple[str, ...] | str) -> list[str]:
    """Values of a form's field as a list, with `not_visible` as one of them."""
    return [NOT_VISIBLE] if isinstance(held, str) else list(held)
