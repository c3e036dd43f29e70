"""Calibration and figures of a tagger from its logits on examples that it has not learnt."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from annotate.finetuned.layout import Head, Layout
from finetune.tagger.targets import Targets
from garments.calibration import Calibration
from garments.fitting import fit, threshold_for
from garments.metrics import accuracy, expected_calibration_error, weighted_f1
from garments.reading import probabilities, uncalibrated
from garments.taxonomy import Attribute, Taxonomy

FEWEST = 20
"""Labels below which an attribute stays as it was trained."""

FOLDS = 5


def calibrated(
    taxonomy: Taxonomy,
    layout: Layout,
    logits: NDArray[np.float32],
    targets: Targets,
    precision: float,
) -> tuple[dict[str, Calibration], dict[str, float]]:
    """Calibrations by attribute and flat figures, from logits (M, L) on M held-out examples.

    `precision` is what answers should reach where the tagger does not abstain. Figures are of the
    top value among those that the true parent allows; the calibration error is that of calibrations
    fitted to other folds.
    """
    found: dict[str, Calibration] = {}
    figures: dict[str, float] = {}
    for number, head in enumerate(layout.heads):
        mine = layout.slices()[head.attribute]
        rows = np.flatnonzero(targets.known[:, number] & targets.values[:, mine].any(axis=1))
        if not len(rows):
            continue
        asked = _as_trained(taxonomy, head)
        scores = logits[rows, mine].astype(np.float64)
        truth, allowed = targets.values[rows, mine] > 0, targets.allowed[rows, mine]
        confidence = _cross_fitted(asked, head, scores, truth, allowed)
        tops = np.where(allowed, scores, -np.inf).argmax(axis=1)
        right = truth[np.arange(len(rows)), tops]
        figures |= _figures(head, truth, tops, right, confidence)
        if len(rows) >= FEWEST:
            start = uncalibrated(asked, head.activation)
            made = fit(asked, scores, _one_each(head, truth), allowed, start)
            threshold = threshold_for(precision, confidence, right)
            found[head.attribute] = Calibration(made.temperature, made.bias, threshold, len(rows))
    return found, figures


def content(calibrations: Mapping[str, Calibration]) -> dict[str, dict[str, float]]:
    """As `calibration.json` of a model folder keeps it."""
    return {name: asdict(one) for name, one in calibrations.items()}


def _as_trained(taxonomy: Taxonomy, head: Head) -> Attribute:
    """The attribute with its values in the head's order."""
    asked = taxonomy.attribute(head.attribute)
    values = tuple(asked.value(value) for value in head.values)
    return Attribute.model_validate({**asked.model_dump(), "values": values})


def _one_each(head: Head, truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of shared answers (one value holds, annotators disagree) the first."""
    if head.multiple:
        return truth
    return np.asarray(truth.argmax(axis=1)[:, None] == np.arange(truth.shape[1]))


def _cross_fitted(
    asked: Attribute,
    head: Head,
    scores: NDArray[np.float64],
    truth: NDArray[np.bool_],
    allowed: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(M,) confidence of each top value, calibrated on the other folds where they are enough."""
    start = uncalibrated(asked, head.activation)
    fold = np.random.default_rng(0).permutation(len(scores)) % FOLDS
    sure = np.zeros(len(scores))
    for turn in range(FOLDS):
        here, others = fold == turn, fold != turn
        if not here.any():
            continue
        enough = int(others.sum()) >= FEWEST
        fitted = (
            fit(asked, scores[others], _one_each(head, truth[others]), allowed[others], start)
            if enough
            else start
        )
        sure[here] = probabilities(asked, scores[here], fitted, allowed[here]).max(axis=1)
    return sure


def _figures(
    head: Head,
    truth: NDArray[np.bool_],
    tops: NDArray[np.integer],
    right: NDArray[np.bool_],
    confidence: NDArray[np.float64],
) -> dict[str, float]:
    labels = np.where(right, tops, truth.argmax(axis=1))
    name = head.attribute
    return {
        f"{name}_n": len(tops),
        f"{name}_accuracy": accuracy(labels, tops),
        f"{name}_weighted_f1": weighted_f1(labels, tops),
        f"{name}_ece": expected_calibration_error(confidence, right),
    }


def mean_accuracy(figures: Mapping[str, float], layout: Layout) -> float:
    """Mean over attributes, for one number to watch."""
    found: Sequence[float] = [
        figures[f"{h.attribute}_accuracy"] for h in layout.heads if f"{h.attribute}_n" in figures
    ]
    return float(np.mean(found)) if found else float("nan")
