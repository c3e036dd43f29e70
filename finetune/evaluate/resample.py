"""Intervals: the photos of a test split are drawn again with replacement, many times at once.

Garments of one photo are not independent, so photos are drawn, not garments (cluster bootstrap).
Everything that is measured is a function of sums over garments, which makes a thousand draws a
product of two matrices.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from garments.reading import Floats

ROUNDS = 1000
SEED = 0

_AT_ONCE = 4_000_000
"""Numbers in one piece of the matrix of draws."""

Interval = tuple[float, float]


def totals(units: Sequence[str], columns: NDArray[np.floating], rounds: int = ROUNDS) -> Floats:
    """Sums of N rows of `columns` (N, M) over draws of their units: (1 + rounds, M).

    The first row is that of the N rows themselves. `units` (N) name the photo of each. The same
    units give the same draws, so that two taggers on the same garments are compared in pairs.
    """
    by_unit, count = _by_unit(units, np.asarray(columns, np.float64))
    found = [by_unit.sum(axis=0, keepdims=True)]
    source = np.random.default_rng(SEED)
    step = max(1, _AT_ONCE // max(count, 1))
    for start in range(0, rounds if count else 0, step):
        size = min(step, rounds - start)
        drawn = source.multinomial(count, np.full(count, 1 / count), size)
        found.append(drawn.astype(np.float64) @ by_unit)
    return np.concatenate(found)


def interval(drawn: Floats) -> Interval:
    """95 % interval (percentiles) of a figure over draws (rounds,); NaN where there is none."""
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def error_interval(value: float, drawn: Floats) -> Interval:
    """95 % interval of a calibration error in [0, 1]: percentiles mirrored at the value.

    Few labels in a bin look badly calibrated by chance alone, and those of a draw even more so:
    plain percentiles of a perfect tagger's error would lie above it, mirrored ones hold it.
    """
    low, high = interval(drawn)
    return max(0.0, 2 * value - high), min(1.0, max(value, 2 * value - low))


def _by_unit(units: Sequence[str], columns: Floats) -> tuple[Floats, int]:
    names, place = np.unique(np.asarray(units, object).astype(str), return_inverse=True)
    found = np.zeros((len(names), columns.shape[1]))
    np.add.at(found, place.ravel(), columns)
    return found, len(names)
