"""Fitting a calibration to labels: temperature and bias by likelihood, threshold by precision."""

from math import exp, log

import numpy as np
from numpy.typing import NDArray

from garments.calibration import Calibration
from garments.reading import Bools, Floats, probabilities
from garments.taxonomy import Attribute

NEVER = 1.01
"""A threshold that no confidence reaches: the tagger always abstains."""

ENOUGH_FOR_PRECISION = 50
"""Labels from which precision is counted; below, the calibrated confidence is believed."""

_SPREAD_OF_TEMPERATURE = 1.0
_SPREAD_OF_BIAS = 3.0
"""How far log temperature and bias stray from where they started without many labels asking for
it: a few labels that happen to be right must not make a tagger certain of everything."""

_LOG_LIMIT = 4.0
"""Temperatures are sought within e^-4 and e^4."""


def fit(
    attribute: Attribute, scores: Floats, truth: Bools, allowed: Bools, start: Calibration
) -> Calibration:
    """The calibration under which N labels are likeliest, a little drawn to `start`.

    `scores` (N, K) comparable logits (`garments.reading.comparable`), `truth` (N, K) which values
    hold, `allowed` (N, K). Labels that are not allowed say nothing about confidence and are left
    out. The threshold is that of `start`; `items` are the labels that counted.
    """
    from scipy.optimize import minimize

    possible = (truth & allowed).any(axis=1)
    scores, truth, allowed = scores[possible], truth[possible], allowed[possible]
    origin = np.array([log(start.temperature), start.bias])

    def made(found: NDArray[np.float64]) -> Calibration:
        bias = float(found[1]) if attribute.multiple else start.bias
        return Calibration(exp(float(found[0])), bias, start.threshold, len(scores))

    def loss(found: NDArray[np.float64]) -> float:
        sure = probabilities(attribute, scores, made(found), allowed)
        strayed = (found - origin) / (_SPREAD_OF_TEMPERATURE, _SPREAD_OF_BIAS)
        return _surprise(attribute, sure, truth & allowed, allowed) + float(strayed @ strayed) / 2

    size = 2 if attribute.multiple else 1
    bounds = [(-_LOG_LIMIT, _LOG_LIMIT), (None, None)][:size]
    begin = np.clip(origin[:size], [-_LOG_LIMIT, -np.inf][:size], [_LOG_LIMIT, np.inf][:size])

    def objective(found: NDArray[np.float64]) -> float:
        return loss(np.append(found, origin[size:]))

    best = minimize(objective, begin, method="L-BFGS-B", bounds=bounds)
    return made(np.append(best.x, origin[size:]))


def threshold_for(precision: float, confidence: Floats, correct: Bools) -> float:
    """The confidence from which on at least `precision` of N answers are right.

    The lowest one that was seen; `NEVER` where none is enough. Of few labels (less than
    `ENOUGH_FOR_PRECISION`) no share is known: what is right is then taken from the confidences,
    which is what they mean once they are calibrated, and at most `precision` is asked of one.
    """
    few = len(confidence) < ENOUGH_FOR_PRECISION
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    hits = np.asarray(sorted_confidence if few else correct[order], np.float64)
    right = np.cumsum(hits) / np.arange(1, len(order) + 1)
    last_of_equals = np.append(sorted_confidence[1:] != sorted_confidence[:-1], True)
    enough = np.flatnonzero((right >= precision) & last_of_equals)
    if not len(enough):
        return precision if few else NEVER
    lowest = float(sorted_confidence[enough[-1]])
    return min(lowest, precision) if few else lowest


def _surprise(attribute: Attribute, sure: Floats, truth: Bools, allowed: Bools) -> float:
    """Negative log likelihood of the labels, summed."""
    tiny = np.finfo(float).tiny
    if not attribute.multiple:
        return -float(np.log(np.maximum(sure[truth], tiny)).sum())
    right = np.where(truth, sure, 1 - sure)[allowed]
    return -float(np.log(np.maximum(right, tiny)).sum())
