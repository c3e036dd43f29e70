"""How probably a label is wrong, from what is believed of its crop and how this attribute errs.

Cleanlab's confident joint (Northcutt et al. 2021, "Confident learning", JAIR 70) counts labels
against what is believed beyond a threshold of each value's own: how often a garment that is j
is called i, for every pair. By Bayes, what a crop is believed to be and how often such a thing is
called what this label says together give the probability that the label is wrong. It is the same
quantity for every attribute, whatever number of values it has and however well it can be seen, so
that one ranking holds them all: where a model wavers everywhere, no single label is suspicious.
It is as good as the embeddings: where they cannot tell two values apart, part of the classifier's
confusion is taken for people's.

It was chosen by measured precision (`python -m garmentloop.bench suspects`, `docs/suspects.md`).
Scores of `cleanlab.rank` find either mistakes at random (self-confidence) or look-alikes (margin);
this one is near the better of the two at both. For answers of several values cleanlab's
multilabel scores, which ask about each value by itself, found less than judging each given
value here.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curate.believed import Floats

ANY_MISTAKE = 0.25
"""Share of the mistakes that may be any, as likely one as the other; the rest is as estimated."""

LEAST_NOISE = 0.01
"""Share of wrong labels that is thought possible where none is seen."""

_NEVER = 1e-9

_MOST_LOG_POWER = 2.0
"""Of the power to which beliefs are raised: from 0.14 to 7.4."""


def wrongness(given: Sequence[tuple[int, ...]], shares: Floats) -> Floats:
    """(N,) the probability in [0, 1] that some given value is wrong.

    `given` are N answers, places in the K columns of `shares` (N, K), out-of-sample probabilities;
    NaN where nothing is known. An answer with such a value, or without values, gets NaN.
    """
    found = np.full(len(given), np.nan)
    sure = [
        (row, value)
        for row, values in enumerate(given)
        if not np.isnan(shares[row, list(values)]).any()
        for value in values
    ]
    if not sure:
        return found
    rows, values = (np.array(side, np.int64) for side in zip(*sure, strict=True))
    slots = np.maximum(np.nan_to_num(shares[rows], nan=0.0), _NEVER)
    for place, (row, value) in enumerate(sure):
        if len(given[row]) > 1:
            slots[place] = _slot(slots[place], given[row], value)
    np.fmax.at(found, rows, _of_slots(values, slots))
    return found


def _slot(shares: Floats, given: tuple[int, ...], value: int) -> Floats:
    """(K,) what one of several given values should be; each of m is expected to have 1 / m.

    The other given ones count with what they have beyond that.
    """
    found = shares.copy()
    others = [other for other in given if other != value]
    found[others] = np.maximum(found[others] - 1 / len(given), 0.0)
    mine = min(1.0, len(given) * found[value])
    found[value] = 0.0
    found *= (1 - mine) / max(found.sum(), _NEVER)
    found[value] = mine
    return np.maximum(found, _NEVER)


def _of_slots(values: NDArray[np.int64], slots: Floats) -> Floats:
    """(M,) the probability that a given value is wrong, of M values and their slots (M, K)."""
    known, places = np.unique(values, return_inverse=True)
    if len(known) < 2:
        return np.zeros(len(values))
    believed = _tempered(slots[:, known], places)
    posterior = believed * _said_of(places, believed)[places]
    posterior /= posterior.sum(axis=1, keepdims=True)
    return np.asarray(1 - posterior[np.arange(len(places)), places])


def _tempered(shares: Floats, given: NDArray[np.int64]) -> Floats:
    """The shares (M, K) raised to the power that foretells the labels best, each row adding to 1.

    The classifiers are held back so that they don't believe wrong labels, and so are less sure than
    they may be.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logits, rows = np.log(shares), np.arange(len(given))

    def surprise(log_power: float) -> float:
        found = log_softmax(np.exp(log_power) * logits, axis=1)
        return -float(found[rows, given].mean())

    best = minimize_scalar(surprise, bounds=(-_MOST_LOG_POWER, _MOST_LOG_POWER), method="bounded")
    return np.asarray(np.exp(log_softmax(np.exp(best.x) * logits, axis=1)))


def _said_of(given: NDArray[np.int64], believed: Floats) -> Floats:
    """(K, K): of garments that are j (column), the share that is called i (row)."""
    from cleanlab.count import estimate_joint

    joint = np.asarray(estimate_joint(given, believed), np.float64)
    count = len(joint)
    noise = max(LEAST_NOISE, 1 - float(np.trace(joint)))
    anything = np.full((count, count), noise / (count - 1))
    np.fill_diagonal(anything, 1 - noise)
    estimated = joint / np.maximum(joint.sum(axis=0), _NEVER)
    return np.asarray((1 - ANY_MISTAKE) * estimated + ANY_MISTAKE * anything)
