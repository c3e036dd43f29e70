"""The edit rate: how often people answer otherwise than the taggers in force would have proposed.

It is measured on the audit slice alone, whose tasks are answered blind: labels that were corrected
from a pre-fill lean towards it, and selected batches cannot be compared. A field that the tagger
leaves empty and a person fills is an edit too. So that rounds are comparable, each is measured on
all audit answers so far by the versions that were in force in it, and read with the calibrations
of the day on which it is measured.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from annotate.studio.blind import Shown, would_have_shown
from annotate.studio.ledger import ledger
from annotate.studio.outcomes import NOTHING, Entry
from garments.answers import Answer
from garments.metrics import wilson_interval

if TYPE_CHECKING:
    from garments.dataset import Dataset

ALL = "all"
"""Stands for all attributes together."""

Alike = Callable[[str, str, Answer, Answer], bool]
"""Whether an answer leaves a proposal as it is: (garment, attribute, given, shown)."""

Versions = Mapping[str, str]
"""Tagger version by attribute."""


@dataclass(frozen=True)
class EditRate:
    """`edited` of `answers` differ from what would have been proposed; `empty` of these because
    nothing was. Answers are about `garments` different garments.
    """

    answers: int = 0
    edited: int = 0
    empty: int = 0
    garments: int = 0

    @property
    def rate(self) -> float:
        """Edited of all, in [0, 1]; NaN without answers."""
        return self.edited / self.answers if self.answers else float("nan")

    @property
    def shown_rate(self) -> float:
        """The same for answers about which something was proposed; NaN without any."""
        shown = self.answers - self.empty
        return (self.edited - self.empty) / shown if shown else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `rate` (Wilson); answers about one garment count as one."""
        hits = round(self.rate * self.garments) if self.answers else 0
        return wilson_interval(hits, self.garments)

    def as_details(self) -> dict[str, Any]:
        """With rate and interval, as it is kept with a round."""
        low, high = self.interval
        rates = {"rate": self.rate, "low": low, "high": high, "shown_rate": self.shown_rate}
        return asdict(self) | rates


@dataclass(frozen=True)
class Measured:
    """Edit rates by attribute, and `ALL`: on all audit answers so far, and by round of the tasks.

    `versions` are the tagger versions that would have proposed, by attribute.
    """

    overall: Mapping[str, EditRate]
    by_round: Mapping[str, Mapping[str, EditRate]]
    versions: Versions

    def as_details(self, round_: str) -> dict[str, Any]:
        """As it is kept with that round."""
        return {
            "all_answers": rate_details(self.overall),
            "this_round": rate_details(self.by_round.get(round_, {})),
            "versions": dict(self.versions),
        }


def edit_rates(
    dataset: "Dataset", versions: Versions | None = None, alike: Alike | None = None
) -> Measured:
    """Measure on all blind answers that were pulled, by the taggers in force or by `versions`.

    `alike` decides instead of equality whether an answer leaves a proposal as it is.
    """
    return edit_rates_of(dataset, [versions], alike)[0]


def edit_rates_of(
    dataset: "Dataset", casts: Sequence[Versions | None], alike: Alike | None = None
) -> list[Measured]:
    """The same for each of several sets of versions, all on the same answers."""
    entries = [one for one in ledger(dataset).entries if one.visit.blind and one.given]
    answered = {entry.visit.task_id for entry in entries}
    rows = dataset.catalog.rows("tasks", where="audit = true").to_pylist()
    tasks = {row["task_id"]: row for row in rows if row["task_id"] in answered}
    found: dict[frozenset[tuple[str, str]], Measured] = {}
    for cast in casts:  # what is in force after a round mostly is what was before the next
        key = frozenset((cast or {}).items())
        if key not in found:
            found[key] = _measure(dataset, entries, tasks, cast or {}, alike)
    return [found[frozenset((cast or {}).items())] for cast in casts]


def _measure(
    dataset: "Dataset",
    entries: Sequence[Entry],
    tasks: Mapping[str, Mapping[str, Any]],
    versions: Versions,
    alike: Alike | None,
) -> Measured:
    by_round = {row["round"] or "": versions for row in tasks.values()}
    shown = would_have_shown(dataset, list(tasks.values()), by_round)
    garments = {name: row["garment_id"] for name, row in tasks.items()}
    judged = [_judge(entry, garments[entry.visit.task_id], shown, alike) for entry in entries]
    rounds: dict[str, list[_Judged]] = defaultdict(list)
    for one in judged:
        rounds[one.round].append(one)
    return Measured(
        _by_attribute(judged),
        {name: _by_attribute(some) for name, some in rounds.items()},
        _speakers(shown.values()),
    )


@dataclass(frozen=True)
class _Judged:
    round: str
    garment: str
    attribute: str
    edited: bool
    empty: bool


def _judge(entry: Entry, garment: str, shown: Mapping[str, Shown], alike: Alike | None) -> _Judged:
    name = entry.attribute
    proposed, _ = shown.get(entry.visit.task_id, {}).get(name, (NOTHING, ""))
    same = entry.given == proposed
    if not same and proposed and alike:
        same = alike(garment, name, entry.given, proposed)
    return _Judged(entry.visit.round, garment, name, not same, not same and not proposed)


def _by_attribute(judged: Iterable[_Judged]) -> dict[str, EditRate]:
    """Rates by attribute in the order of first sight, and over all of them."""
    groups: dict[str, list[_Judged]] = {ALL: []}
    for one in judged:
        groups.setdefault(one.attribute, []).append(one)
        groups[ALL].append(one)
    return {name: _rate(some) for name, some in groups.items() if some}


def _rate(some: list[_Judged]) -> EditRate:
    return EditRate(
        len(some),
        sum(one.edited for one in some),
        sum(one.empty for one in some),
        len({one.garment for one in some}),
    )


def _speakers(shown: Iterable[Shown]) -> dict[str, str]:
    """The version that spoke most, by attribute."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for by_attribute in shown:
        for name, (_, tagger) in by_attribute.items():
            counts[name][tagger] += 1
    return {name: found.most_common(1)[0][0] for name, found in counts.items()}


def rate_details(rates: Mapping[str, EditRate]) -> dict[str, Any]:
    """Rates by attribute as they are kept with a round."""
    return {name: rate.as_details() for name, rate in rates.items()}
