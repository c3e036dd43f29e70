"""The figures of the report: edit rates by attribute and round, and time with and without help."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import NamedTuple

import numpy as np

from annotate.studio.outcomes import Ledger, Tally
from garments.metrics import bootstrap_interval

_ROUNDS = 500
"""Of the bootstrap."""

FEWEST = 5
"""Answers of either kind below which no saving of time is stated."""


class Version(NamedTuple):
    """One tagger version that spoke about an attribute; `model` and `tagger` empty for none."""

    attribute: str
    tagger: str
    model: str

    @property
    def name(self) -> str:
        """The model and the beginning of its version, as people tell versions apart."""
        if not self.tagger:
            return "nothing proposed"
        return f"{self.model.rpartition('/')[2] or 'unknown'} {self.tagger[:6]}"


@dataclass(frozen=True)
class Times:
    """Seconds of N answers: quartiles, and the 95 % interval of the median."""

    values: tuple[float, ...]

    @property
    def count(self) -> int:
        """How many answers took a known time."""
        return len(self.values)

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """A quarter, half and three quarters of the answers took less; NaN without any."""
        if not self.values:
            return (float("nan"),) * 3
        low, middle, high = np.percentile(self.values, [25, 50, 75]).tolist()
        return low, middle, high

    @property
    def median(self) -> float:
        """Half of the answers took less; people who go for coffee do not move it."""
        return self.quartiles[1]

    @property
    def interval(self) -> tuple[float, float]:
        """Of the median."""
        return bootstrap_interval(np.median, self.values, rounds=_ROUNDS)


@dataclass(frozen=True)
class Saving:
    """By which share of their time people are faster with a pre-fill, with its 95 % interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class RoundFigures:
    """One round: edit rates over all attributes and by attribute, and times."""

    name: str
    filled: Tally | None
    blind: Tally | None
    by_attribute: dict[str, tuple[Tally | None, Tally | None]]
    times: Times
    blind_times: Times


@dataclass(frozen=True)
class Anchoring:
    """One attribute: how often people differ from the tagger with its answer shown, and blind.

    `pairs` of people answered the same blind garment, of which `alike` gave the same answer.
    """

    attribute: str
    filled: Tally | None
    blind: Tally | None
    pairs: int = 0
    alike: int = 0

    @property
    def unlike(self) -> float:
        """Share of the pairs who differ, NaN without any."""
        return 1 - self.alike / self.pairs if self.pairs else float("nan")

    @property
    def compared(self) -> bool:
        """Whether there are answers of either kind."""
        return bool(self.filled and self.blind and self.filled.shown and self.blind.shown)

    @property
    def gap(self) -> float:
        """How much more often people differ blind, in [-1, 1]; NaN where either is missing."""
        if not (self.filled and self.blind):
            return float("nan")
        return self.blind.rate - self.filled.rate

    @property
    def gap_interval(self) -> tuple[float, float]:
        """Of `gap`: 95 %, from the two Wilson intervals (Newcombe, 1998)."""
        if not (self.filled and self.blind and self.compared):
            return float("nan"), float("nan")
        blind, filled = self.blind, self.filled
        (low, high), (under, over) = blind.interval, filled.interval
        return (
            self.gap - hypot(blind.rate - low, over - filled.rate),
            self.gap + hypot(high - blind.rate, filled.rate - under),
        )


@dataclass(frozen=True)
class Person:
    """One annotator's answers and times; the median of either kind is over their own only."""

    name: str
    answers: int
    times: Times
    blind_times: Times


def versions(ledger: Ledger) -> list[tuple[Version, Tally]]:
    """Outcomes of pre-filled tasks by attribute and tagger version, oldest round first."""
    place = {name: number for number, name in enumerate(ledger.rounds)}
    found = ledger.tallies(lambda entry: (entry.attribute, entry.tagger))
    first: dict[tuple[str, str], int] = {}
    for entry in ledger.entries:
        key = entry.attribute, entry.tagger
        here = place.get(entry.visit.round, len(place))
        first[key] = min(first.get(key, here), here)
    order = sorted(found, key=lambda key: (ledger.attributes.index(key[0]), first[key], key[1]))
    return [(Version(*key, ledger.models.get(key[1], "")), found[key]) for key in order]


def rounds(ledger: Ledger) -> list[RoundFigures]:
    """One entry a round in which somebody answered."""
    overall = [ledger.tallies(lambda entry: entry.visit.round, blind) for blind in (False, True)]
    each = [
        ledger.tallies(lambda entry: (entry.visit.round, entry.attribute), blind)
        for blind in (False, True)
    ]
    answered = {visit.round for visit in ledger.visits}
    return [
        RoundFigures(
            name,
            overall[0].get(name),
            overall[1].get(name),
            {
                attribute: (each[0].get((name, attribute)), each[1].get((name, attribute)))
                for attribute in ledger.attributes
            },
            Times(tuple(ledger.seconds(False, name))),
            Times(tuple(ledger.seconds(True, name))),
        )
        for name in ledger.rounds
        if name in answered
    ]


def overall(ledger: Ledger) -> tuple[Tally | None, Tally | None]:
    """Outcomes of all pre-filled entries, and of all blind ones; None where there are none."""
    found = [ledger.tallies(lambda entry: "", blind).get("") for blind in (False, True)]
    return found[0], found[1]


def anchoring(ledger: Ledger) -> list[Anchoring]:
    """One entry an attribute about which something was proposed."""
    filled, blind = (ledger.tallies(lambda entry: entry.attribute, b) for b in (False, True))
    pairs = ledger.agreement()
    found = [
        Anchoring(name, filled.get(name), blind.get(name), *pairs.get(name, (0, 0)))
        for name in ledger.attributes
    ]
    return [one for one in found if any(t and t.shown for t in (one.filled, one.blind))]


def people(ledger: Ledger) -> list[Person]:
    """One entry an annotator, the busiest first."""
    found: dict[str, list[list[float]]] = {}
    counts: dict[str, int] = {}
    for visit in ledger.visits:
        counts[visit.annotator] = counts.get(visit.annotator, 0) + 1
        times = found.setdefault(visit.annotator, [[], []])
        if visit.seconds:
            times[visit.blind].append(visit.seconds)
    busiest = sorted(counts, key=lambda name: (-counts[name], name))
    return [
        Person(name, counts[name], *(Times(tuple(times)) for times in found[name]))
        for name in busiest
    ]


def saving(filled: Sequence[float], blind: Sequence[float]) -> Saving | None:
    """How much less time the median answer takes with a pre-fill; None where there are too few."""
    if min(len(filled), len(blind)) < FEWEST:
        return None
    source, quick, slow = np.random.default_rng(0), np.asarray(filled), np.asarray(blind)
    drawn = [
        1 - np.median(source.choice(quick, len(quick))) / np.median(source.choice(slow, len(slow)))
        for _ in range(_ROUNDS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
    return Saving(float(1 - np.median(quick) / np.median(slow)), low, high)
