"""Figures of one tagger on the labels of one attribute, each with its interval.

One value holds: right is the top value. Several may hold: right is the exact set of labelled
values. Precision at k is the share of the labelled values among the k most probable ones, of at
most k: for one value, how often it is among the top k. Calibration error (15 bins) is of the top
value, and whether that is among the labelled ones. Coverage is the share of labels where the
tagger does not abstain, precision how often its top value is right there. F1 is of the answers,
abstained or not, for each value that is labelled or answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from finetune.evaluate.resample import error_interval, interval, totals
from garments.metrics import ReliabilityBin, reliability
from garments.reading import Answers, Bools, Floats
from garments.taxonomy import Attribute

BINS = 15

NAMES = (
    "accuracy",
    "macro_f1",
    "weighted_f1",
    "precision_at_1",
    "precision_at_3",
    "ece",
    "coverage",
    "precision",
)
"""Figures in the order in which they are shown."""


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval; NaN where it cannot be told."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Scored:
    """One tagger's answers about the n labelled garments of an attribute.

    `rows` (n,) are their places in the test split and `units` (n) their photos; `truth`,
    `chosen` and `probabilities` are (n, K), `confidence` and `abstained` (n,).
    """

    attribute: Attribute
    rows: NDArray[np.int64]
    units: tuple[str, ...]
    truth: Bools
    chosen: Bools
    probabilities: Floats
    confidence: Floats
    abstained: Bools

    @classmethod
    def of(
        cls, answers: Answers, truth: Bools, rows: NDArray[np.int64], units: Sequence[str]
    ) -> "Scored":
        """The answers about all test garments, kept where there is a label."""
        return cls(
            answers.attribute,
            rows,
            tuple(units[row] for row in rows.tolist()),
            truth[rows],
            answers.chosen[rows],
            answers.probabilities[rows],
            answers.confidence[rows],
            answers.abstained[rows],
        )

    def at(self, places: NDArray[np.integer]) -> "Scored":
        """The same for some of the n garments only."""
        parts = (self.truth, self.chosen, self.probabilities, self.confidence, self.abstained)
        units = tuple(self.units[place] for place in places.tolist())
        return Scored(self.attribute, self.rows[places], units, *(part[places] for part in parts))

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def top(self) -> NDArray[np.int64]:
        """(n,) the most probable value, -1 where none is possible."""
        best = self.probabilities.argmax(axis=1)
        return np.where(self.chosen.any(axis=1), best, -1)

    @cached_property
    def hit(self) -> Bools:
        """(n,) whether the top value is among the labelled ones."""
        return np.asarray((self.top >= 0) & self.truth[np.arange(len(self)), self.top])

    @cached_property
    def right(self) -> Bools:
        """(n,) whether the answer is right: what accuracy counts."""
        exact = np.asarray((self.chosen == self.truth).all(axis=1))
        return exact if self.attribute.multiple else self.hit

    @cached_property
    def spared(self) -> Bools:
        """(n,) whether what is proposed is right, so that nobody has to change or fill in."""
        return np.asarray(self.right & ~self.abstained)

    @cached_property
    def bins(self) -> list[ReliabilityBin]:
        """Confidence and hits, in bins."""
        return reliability(self.confidence, self.hit, BINS)

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Every figure of `NAMES`."""
        return _figures(self)

    def found_among(self, top: int) -> Floats:
        """(n,) in [0, 1]: precision at `top`."""
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :top]
        likely = np.take_along_axis(self.truth & (self.probabilities > 0), order, axis=1)
        wanted = np.minimum(self.truth.sum(axis=1), top)
        return np.asarray(likely.sum(axis=1) / wanted)


def confusion(scored: Scored) -> NDArray[np.int64]:
    """(K, K + 1) counts, rows labelled, columns said, the last one for no possible value.

    Where several values hold, a garment counts at the top value if that is right, else at the
    first of its labelled ones.
    """
    width = len(scored.attribute.ids)
    labelled = np.where(scored.hit, scored.top, scored.truth.argmax(axis=1))
    said = np.where(scored.top < 0, width, scored.top)
    counts = np.bincount(labelled * (width + 1) + said, minlength=width * (width + 1))
    return counts.reshape(width, width + 1)


def accuracy(scored: Scored) -> Figure:
    """Accuracy alone, for slices."""
    found = totals(scored.units, np.column_stack([np.ones(len(scored)), scored.right * 1.0]))
    return _figure(_share(found[:, 1], found[:, 0]))


def difference(one: Scored, other: Scored) -> Figure:
    """By how much `one` is right more often than `other` on the same garments, in pairs."""
    gained = one.right.astype(float) - other.right
    found = totals(one.units, np.column_stack([np.ones(len(one)), gained]))
    return _figure(_share(found[:, 1], found[:, 0]))


def _figures(scored: Scored) -> dict[str, Figure]:
    width = len(scored.attribute.ids)
    spoke = ~scored.abstained
    member = _bin_of(scored.confidence)[:, None] == np.arange(BINS)
    gap = member * (scored.confidence - scored.hit)[:, None]
    singles = [
        np.ones(len(scored)),
        scored.right,
        scored.hit,
        scored.found_among(3),
        spoke,
        spoke & scored.hit,
    ]
    wide = [scored.truth & scored.chosen, scored.truth, scored.chosen, gap]
    found = totals(scored.units, np.column_stack([*singles, *wide]))
    n, right, hit, among, spoken, spoken_hit = found[:, : len(singles)].T
    cuts = [width, 2 * width, 3 * width]
    both, labelled, said, gaps = np.split(found[:, len(singles) :], cuts, axis=1)
    macro, weighted = _f1(both, labelled, said)
    drawn = (
        _share(right, n),
        macro,
        weighted,
        _share(hit, n),
        _share(among, n),
        _share(np.abs(gaps).sum(axis=1), n),
        _share(spoken, n),
        _share(spoken_hit, spoken),
    )
    return {
        name: _figure(one, mirrored=name == "ece") for name, one in zip(NAMES, drawn, strict=True)
    }


def _f1(both: Floats, labelled: Floats, said: Floats) -> tuple[Floats, Floats]:
    """Macro and weighted F1 of draws, from counts (rounds, K)."""
    there = labelled + said
    scores = np.divide(2 * both, there, out=np.zeros_like(both), where=there > 0)
    macro = _share(scores.sum(axis=1), (there > 0).sum(axis=1).astype(float))
    return macro, _share((scores * labelled).sum(axis=1), labelled.sum(axis=1))


def _share(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0))


def _figure(drawn: Floats, mirrored: bool = False) -> Figure:
    """The value (first) with its interval from the draws (the rest)."""
    value = float(drawn[0])
    return Figure(value, *(error_interval(value, drawn[1:]) if mirrored else interval(drawn[1:])))


def _bin_of(confidence: Floats) -> NDArray[np.int64]:
    """Which of the bins of `garments.metrics.reliability` a confidence belongs to."""
    edges = np.linspace(0, 1, BINS + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, BINS - 1)
