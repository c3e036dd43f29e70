"""What calibrating a tagger found: figures, reliability, and how two taggers compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from garments.calibration import Calibration
from garments.inforce import Speaker
from garments.metrics import (
    ReliabilityBin,
    accuracy,
    bootstrap_interval,
    expected_calibration_error,
    reliability,
)
from garments.reading import Bools, Floats

ENOUGH_TO_COMPARE = 50
"""Labels that two taggers must share before one may take the other's place."""


@dataclass(frozen=True)
class Curve:
    """How confidence and accuracy agree: expected calibration error with its interval, bins."""

    error: float
    low: float
    high: float
    bins: tuple[ReliabilityBin, ...]

    @classmethod
    def of(cls, confidence: Floats, correct: Bools) -> "Curve":
        """The curve of N top labels."""
        low, high = bootstrap_interval(expected_calibration_error, confidence, correct, rounds=300)
        error = expected_calibration_error(confidence, correct)
        return cls(error, low, high, tuple(reliability(confidence, correct)))


@dataclass(frozen=True, eq=False)
class Measured:
    """One tagger version on the labels of one attribute.

    `garment` (N,) are the labelled ones (places in `Garments`) and `correct` (N,) whether the top
    value was right. `before` is the confidence as the tagger came, `after` as fitted on other
    labels; None where there are too few to fit, as is `calibration`. Above its threshold it
    answers for a share `coverage` of them, right in a share `precision` (NaN if it never does).
    """

    attribute: str
    speaker: Speaker
    in_force: bool
    garment: NDArray[np.int64]
    correct: Bools
    before: Curve
    after: Curve | None = None
    calibration: Calibration | None = None
    coverage: float = float("nan")
    precision: float = float("nan")

    @property
    def labels(self) -> int:
        """How many labels it was measured on."""
        return len(self.correct)

    @property
    def accuracy(self) -> float:
        """Share of labels that its top value got right, abstained or not."""
        return accuracy(np.ones(self.labels, bool), self.correct)


@dataclass(frozen=True)
class Promotion:
    """A tagger that is to be in force for an attribute, instead of another, and why."""

    attribute: str
    speaker: Speaker
    instead: Speaker
    evidence: dict[str, Any]


def better(found: Sequence[Measured]) -> Promotion | None:
    """Whoever is right clearly more often than the tagger in force, on labels both answered.

    Clearly: on at least `ENOUGH_TO_COMPARE` labels, the 95 % interval of the difference in
    accuracy (bootstrap in pairs) lies above 0. None where nobody is.
    """
    current = next((each for each in found if each.in_force), None)
    if current is None:
        return None
    compared = [_compared(current, each) for each in found if each is not current]
    clear = [each for each in compared if each and each.evidence["difference_low"] > 0]
    return max(clear, key=lambda each: float(each.evidence["difference"]), default=None)


def _compared(current: Measured, other: Measured) -> Promotion | None:
    shared, mine, theirs = np.intersect1d(current.garment, other.garment, return_indices=True)
    if len(shared) < ENOUGH_TO_COMPARE:
        return None
    before, after = current.correct[mine].astype(float), other.correct[theirs].astype(float)
    low, high = bootstrap_interval(lambda drawn: float(drawn.mean()), after - before)
    evidence = {
        "labels": len(shared),
        "accuracy": float(after.mean()),
        "accuracy_before": float(before.mean()),
        "difference": float((after - before).mean()),
        "difference_low": low,
        "difference_high": high,
        "instead_of": current.speaker.model,
    }
    return Promotion(current.attribute, other.speaker, current.speaker, evidence)
