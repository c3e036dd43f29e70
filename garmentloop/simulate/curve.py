"""Strategies side by side: F1 against labels over several seeds, and labels that are saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BASELINE = "random"
"""What the others are held against, where it took part."""


@dataclass(frozen=True)
class Run:
    """One rehearsal: F1 by attribute at 0 labels and after each round.

    `labels` are garments labelled for training. `studio`: answered in a real Label Studio.
    """

    strategy: str
    seed: int
    studio: bool
    labels: tuple[int, ...]
    f1: Mapping[str, tuple[float, ...]]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """As it is kept; `read` reads it."""
        return {**vars(self), "f1": {name: list(values) for name, values in self.f1.items()}}

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Run":
        """As it was kept; `KeyError` or `TypeError` where it is none."""
        f1 = {name: tuple(map(float, values)) for name, values in kept["f1"].items()}
        parts = {name: kept[name] for name in ("strategy", "seed", "studio", "seconds")}
        return cls(**parts, labels=tuple(kept["labels"]), f1=f1)


@dataclass(frozen=True)
class Mean:
    """Mean of n seeds with its 95 % interval (Student's t; NaN for fewer than two)."""

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Mean":
        """Of numbers, NaN left out."""
        from scipy.stats import t

        known = np.array([one for one in values if one == one], float)
        nan = float("nan")
        if not len(known):
            return cls(nan, nan, nan, 0)
        mean = float(known.mean())
        if len(known) < 2:
            return cls(mean, nan, nan, 1)
        half = float(t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
        return cls(mean, mean - half, mean + half, len(known))


@dataclass(frozen=True)
class Curve:
    """One strategy and attribute over the seeds that are done: `f1` is (seeds, points)."""

    strategy: str
    attribute: str
    labels: tuple[int, ...]
    seeds: tuple[int, ...]
    f1: Floats

    @cached_property
    def means(self) -> tuple[Mean, ...]:
        """At each of `labels`."""
        return tuple(Mean.of(column) for column in self.f1.T.tolist())

    @property
    def end(self) -> Mean:
        """After the last round."""
        return self.means[-1]

    def against(self, other: "Curve") -> Mean:
        """How much higher the end is than another's, by the seeds that both have."""
        shared = [seed for seed in self.seeds if seed in other.seeds]
        return Mean.of([self._of(seed)[-1] - other._of(seed)[-1] for seed in shared])

    def labels_for(self, target: float) -> float:
        """Labels at which the mean first is at `target`, between points by a straight line.

        NaN where it never is.
        """
        return reached(self.labels, [one.value for one in self.means], target)

    def saved(self, other: "Curve") -> Mean:
        """Share of another's labels with which its end is reached, seed by seed.

        A seed that never reaches it counts as 1, which is too low.
        """
        shared = [seed for seed in self.seeds if seed in other.seeds]
        needed = [
            reached(self.labels, self._of(seed).tolist(), float(other._of(seed)[-1]))
            for seed in shared
        ]
        most = other.labels[-1]
        return Mean.of([min(1.0, one / most) if one == one else 1.0 for one in needed])

    def _of(self, seed: int) -> Floats:
        return np.asarray(self.f1[self.seeds.index(seed)])


def curves(runs: Sequence[Run], attribute: str) -> list[Curve]:
    """One for each strategy, in the order in which they came; of runs of equal length."""
    found = []
    for strategy in dict.fromkeys(run.strategy for run in runs):
        mine = sorted((run for run in runs if run.strategy == strategy), key=lambda run: run.seed)
        points = min(len(run.labels) for run in mine)
        f1 = np.array([run.f1[attribute][:points] for run in mine], float)
        seeds = tuple(run.seed for run in mine)
        found.append(Curve(strategy, attribute, mine[0].labels[:points], seeds, f1))
    return found


def baseline(found: Sequence[Curve]) -> Curve:
    """The curve of `BASELINE`, else the first."""
    return next((one for one in found if one.strategy == BASELINE), found[0])


def reached(labels: Sequence[int], values: Sequence[float], target: float) -> float:
    """Labels at which `values` first are at `target`, between points by a straight line; or NaN."""
    for place, value in enumerate(values):
        if value >= target:
            if place == 0:
                return float(labels[0])
            before = values[place - 1]
            share = (target - before) / (value - before)
            return labels[place - 1] + share * (labels[place] - labels[place - 1])
    return float("nan")


COLUMNS = (
    "strategy",
    "attribute",
    "seeds",
    "F1 at the end",
    "95 %",
    "against random",
    "labels for random's end",
    "of its labels, by seed",
)


def table_rows(runs: Sequence[Run]) -> list[tuple[object, ...]]:
    """Lines of `COLUMNS`: one a strategy and attribute."""
    found = [curves(runs, attribute) for attribute in (runs[0].f1 if runs else ())]
    return [_row(one, baseline(some)) for some in found for one in some]


def _row(one: Curve, other: Curve) -> tuple[object, ...]:
    begin = (one.strategy, one.attribute, len(one.seeds), f"{one.end.value:.3f}", _span(one.end))
    if one is other:
        return (*begin, "", f"{one.labels[-1]}", "")
    needed, gain, saved = one.labels_for(other.end.value), one.against(other), one.saved(other)
    return (
        *begin,
        f"{gain.value:+.3f} {_span(gain)}",
        f"{needed:.0f} ({needed / max(1, other.labels[-1]):.0%})" if needed == needed else "more",
        f"{saved.value:.0%} {_span(saved, '.0%')}",
    )


def _span(mean: Mean, how: str = ".3f") -> str:
    return "" if mean.low != mean.low else f"({mean.low:{how}} to {mean.high:{how}})"
