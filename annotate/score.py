"""Figures for one column of labels: what was said, against what is true."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from garments.metrics import (
    accuracy,
    bootstrap_interval,
    expected_calibration_error,
    macro_f1,
    weighted_f1,
)
from garments.reading import Answers

ENOUGH = 1000
"""Labels from which a calibration error stands without its interval."""

Truth = tuple[str, ...]
"""Every value that counts as right, the label's own one first."""

Figures = dict[str, float | int]


def answer_figures(truths: Sequence[Truth], answers: Answers, rows: Sequence[int]) -> Figures:
    """Figures of a tagger by their name; `rows` are those of `answers` that `truths` belong to.

    All but the last two are of the top value, whether or not the tagger abstains.
    """
    best = answers.best
    top = [best[row] or "" for row in rows]
    sure = answers.confidence[list(rows)]
    spoke = ~answers.abstained[list(rows)]
    right = hits(truths, top)
    figures = {"n": len(truths), **label_figures(truths, top)}
    figures["p1"] = float(right.mean())
    figures["ece"] = expected_calibration_error(sure, right)
    if len(truths) < ENOUGH:
        low, high = bootstrap_interval(expected_calibration_error, sure, right)
        figures |= {"ece_low": low, "ece_high": high}
    figures["coverage"] = float(spoke.mean())
    if spoke.any():
        figures["precision_at_threshold"] = float(right[spoke].mean())
    return figures


def label_figures(truths: Sequence[Truth], said: Sequence[str]) -> Figures:
    """Accuracy, macro and weighted F1; an accepted value counts as the label's own one."""
    labels = [truth[0] for truth in truths]
    counted = [truth[0] if one in truth else one for truth, one in zip(truths, said, strict=True)]
    return {
        "accuracy": accuracy(labels, counted),
        "macro_f1": macro_f1(labels, counted),
        "weighted_f1": weighted_f1(labels, counted),
    }


def hits(truths: Sequence[Truth], said: Sequence[str]) -> NDArray[np.bool_]:
    """(N,) whether what was said is among the accepted values."""
    return np.array([one in truth for truth, one in zip(truths, said, strict=True)], bool)
