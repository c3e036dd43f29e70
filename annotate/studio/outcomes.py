"""What becomes of proposals: accepted, changed, emptied or filled, and how often which."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from garments.answers import Answer
from garments.metrics import wilson_interval

K = TypeVar("K", bound=Hashable)

NOTHING: Answer = frozenset()


class Outcome(StrEnum):
    """What became of one proposed answer. `not visible` is an answer like any other.

    `filled`: the tagger left it empty, and the annotator did not. `open`: both left it empty.
    """

    ACCEPTED = "accepted"
    CHANGED = "changed"
    EMPTIED = "emptied"
    FILLED = "filled"
    OPEN = "open"


def outcome(shown: Answer, given: Answer) -> Outcome:
    """What the annotator made of what was shown; an empty answer is an empty field."""
    if shown:
        if shown == given:
            return Outcome.ACCEPTED
        return Outcome.CHANGED if given else Outcome.EMPTIED
    return Outcome.FILLED if given else Outcome.OPEN


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's answer to one task: it holds for `seconds`, None where nobody knows."""

    task_id: str
    round: str
    blind: bool
    annotator: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What one person said about one attribute, beside what was (or would have been) shown.

    `tagger` is the version that proposed, empty where none did.
    """

    visit: Visit
    attribute: str
    tagger: str
    shown: Answer
    given: Answer

    @property
    def outcome(self) -> Outcome:
        """What became of the proposal."""
        return outcome(self.shown, self.given)


@dataclass(frozen=True)
class Tally:
    """How often each outcome occurred, over so many tasks in which a value was shown."""

    counts: Mapping[Outcome, int]
    tasks: int

    @property
    def shown(self) -> int:
        """Proposals that were (or would have been) in the form."""
        return sum(self.counts[o] for o in (Outcome.ACCEPTED, Outcome.CHANGED, Outcome.EMPTIED))

    @property
    def edited(self) -> int:
        """Of those, the ones that did not stay."""
        return self.shown - self.counts[Outcome.ACCEPTED]

    @property
    def rate(self) -> float:
        """Edited of shown, in [0, 1]; NaN where nothing was shown."""
        return self.edited / self.shown if self.shown else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `rate`; answers about one garment count as one, as they go together."""
        hits = round(self.rate * self.tasks) if self.shown else 0
        return wilson_interval(hits, self.tasks)


@dataclass(frozen=True)
class RoundCounts:
    """What became of a round's tasks, each counted once, beside how many are `blind`.

    `answered` ones have a label; `empty` ones were sent without any answer that could be kept.
    """

    tasks: int = 0
    blind: int = 0
    answered: int = 0
    bad_crops: int = 0
    empty: int = 0
    skipped: int = 0
    deleted: int = 0

    @property
    def waiting(self) -> int:
        """Tasks that nobody has dealt with."""
        dealt = self.answered + self.bad_crops + self.empty + self.skipped + self.deleted
        return self.tasks - dealt


@dataclass(frozen=True)
class Ledger:
    """All that was answered: `rounds` in their order, `models` the references of versions."""

    attributes: tuple[str, ...]
    rounds: Mapping[str, RoundCounts]
    visits: tuple[Visit, ...]
    entries: tuple[Entry, ...]
    models: Mapping[str, str]

    def tallies(self, key: Callable[[Entry], K], blind: bool = False) -> dict[K, Tally]:
        """Outcomes of pre-filled (or blind) entries by `key`, in the order of first sight."""
        return tally((entry for entry in self.entries if entry.visit.blind == blind), key)

    def seconds(self, blind: bool, round_: str | None = None) -> list[float]:
        """How long each answer took, where that is known."""
        return [
            visit.seconds
            for visit in self.visits
            if visit.blind == blind and visit.seconds and round_ in (None, visit.round)
        ]

    def agreement(self) -> dict[str, tuple[int, int]]:
        """By attribute: in how many pairs two people answered a blind task, and in how many alike.

        A field that both left empty says nothing and is no pair.
        """
        given: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        for entry in self.entries:
            if entry.visit.blind:
                given[entry.attribute, entry.visit.task_id].append(entry.given)
        found: dict[str, tuple[int, int]] = {}
        for (attribute, _), answers in given.items():
            pairs = [(a, b) for i, a in enumerate(answers) for b in answers[:i] if a or b]
            before = found.get(attribute, (0, 0))
            found[attribute] = before[0] + len(pairs), before[1] + sum(a == b for a, b in pairs)
        return {name: found[name] for name in self.attributes if found.get(name, (0, 0))[0]}


def tally(entries: Iterable[Entry], key: Callable[[Entry], K]) -> dict[K, Tally]:
    """Outcomes by `key`."""
    counts: dict[K, Counter[Outcome]] = {}
    tasks: dict[K, set[str]] = defaultdict(set)
    for entry in entries:
        name = key(entry)
        counts.setdefault(name, Counter())[entry.outcome] += 1
        if entry.shown:
            tasks[name].add(entry.visit.task_id)
    return {name: Tally(found, len(tasks[name])) for name, found in counts.items()}
