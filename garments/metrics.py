"""Figures of merit, each as its field defines it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from garments.boxes import iou_matrix


def confusion_matrix(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int
) -> NDArray[np.int64]:
    """Counts (classes, classes), rows truth, columns predicted; larger values are left out."""
    truth, predicted = truth.ravel().astype(np.int64), predicted.ravel().astype(np.int64)
    known = (truth < classes) & (predicted < classes)
    pairs = truth[known] * classes + predicted[known]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def iou_per_class(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union per class of pooled pixels, NaN for a class nobody has."""
    hit = np.diag(confusion).astype(float)
    union = confusion.sum(0) + confusion.sum(1) - hit
    return _ratio(hit, union)


def f1_per_class(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 (Dice) per class of pooled pixels, NaN for a class nobody has."""
    hit = np.diag(confusion).astype(float)
    both = (confusion.sum(0) + confusion.sum(1)).astype(float)
    return _ratio(2 * hit, both)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0))


@dataclass(frozen=True)
class ImageBoxes:
    """One image's boxes for `average_precision`, all xyxy pixels.

    `ignored` (M, 4) are truths that are neither wanted nor wrong to find.
    """

    predicted: NDArray[np.float32]
    scores: NDArray[np.float32]
    truth: NDArray[np.float32]
    ignored: NDArray[np.float32]


def average_precision(images: Sequence[ImageBoxes], threshold: float = 0.5) -> float:
    """Area under the precision-recall curve at one IoU threshold, in [0, 1].

    Greedy matching by descending score within an image; precision made monotone and summed over
    every recall step (the "all points" rule of PASCAL VOC 2010). A detection that matches an
    ignored truth (IoU, or half of the detection inside it) counts neither way.
    """
    scores: list[float] = []
    hits: list[bool] = []
    for image in images:
        for score, hit in _matched(image, threshold):
            scores.append(score)
            hits.append(hit)
    wanted = sum(len(image.truth) for image in images)
    if not wanted or not scores:
        return 0.0
    order = np.argsort(-np.asarray(scores), kind="stable")
    true = np.cumsum(np.asarray(hits)[order])
    precision = true / np.arange(1, len(true) + 1)
    recall = true / wanted
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def _matched(image: ImageBoxes, threshold: float) -> list[tuple[float, bool]]:
    overlaps = iou_matrix(image.predicted, image.truth)
    beside = _share_inside(image.predicted, image.ignored)
    free = np.ones(len(image.truth), bool)
    kept = []
    for row in np.argsort(-image.scores, kind="stable"):
        candidates = np.where(free, overlaps[row], 0.0)
        if candidates.size and candidates.max() >= threshold:
            free[int(candidates.argmax())] = False
            kept.append((float(image.scores[row]), True))
        elif not (beside[row].size and beside[row].max() >= threshold):
            kept.append((float(image.scores[row]), False))
    return kept


def _share_inside(boxes: NDArray[np.float32], regions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of each box (N) that lies in each region (M): (N, M) in [0, 1]."""
    boxes, regions = boxes.reshape(-1, 4), regions.reshape(-1, 4)
    low = np.maximum(boxes[:, None, :2], regions[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(axis=2)
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 1e-6, None).prod(axis=1)
    return np.asarray(overlap / areas[:, None], np.float32)


def wilson_interval(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson, 1927), (0, 1) when nothing was counted."""
    if not total:
        return 0.0, 1.0
    share = hits / total
    centre = share + z * z / (2 * total)
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Share of N items whose predicted label is the true one; NaN without items."""
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    return float(np.mean(truth == predicted)) if len(truth) else float("nan")


def macro_f1(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Mean F1 of all labels that occur among N true or predicted ones, each counting the same."""
    scores, _ = _f1_by_label(truth, predicted)
    return float(scores.mean()) if len(scores) else float("nan")


def weighted_f1(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Mean F1 of the labels of N items, each label counting as often as it is true."""
    scores, support = _f1_by_label(truth, predicted)
    return float(np.average(scores, weights=support)) if len(scores) else float("nan")


def _f1_by_label(
    truth: ArrayLike, predicted: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """F1 and number of true items of each label that occurs, in alphabetical order."""
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    labels, codes = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    codes = codes.ravel()
    confusion = confusion_matrix(codes[: len(truth)], codes[len(truth) :], len(labels))
    return f1_per_class(confusion), confusion.sum(1)


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions of similar confidence: how many, their mean confidence and share of hits.

    `low` and `high` bound the bin: (low, high], the first one with its lower end. Means are NaN
    in an empty bin.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> list[ReliabilityBin]:
    """Bins of equal width over [0, 1] of N confidences and whether each prediction was right."""
    confidence, correct = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    edges = np.linspace(0, 1, bins + 1)
    member = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(member, minlength=bins)
    sure, right = (
        _ratio(np.bincount(member, values, bins).astype(float), counts.astype(float)).tolist()
        for values in (confidence, correct)
    )
    bounds = edges.tolist()
    return [
        ReliabilityBin(bounds[i], bounds[i + 1], int(counts[i]), sure[i], right[i])
        for i in range(bins)
    ]


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, in [0, 1] (Guo, 2017).

    `confidence` (N,) in [0, 1] is that of the top label, `correct` (N,) whether it was right. NaN
    without items.
    """
    found = [each for each in reliability(confidence, correct, bins) if each.count]
    if not found:
        return float("nan")
    gaps = [abs(each.confidence - each.accuracy) for each in found]
    return float(np.average(gaps, weights=[each.count for each in found]))


def bootstrap_interval(
    figure: Callable[..., float], *columns: ArrayLike, rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of `figure(*columns)` over N items drawn again with replacement (Efron).

    Every column has N rows, which are drawn together: columns of two taggers are compared in
    pairs. The same `seed` gives the same interval; NaN without items.
    """
    arrays = [np.asarray(column) for column in columns]
    count = len(arrays[0])
    if not count:
        return float("nan"), float("nan")
    source = np.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        drawn = source.integers(0, count, count)
        found.append(figure(*(array[drawn] for array in arrays)))
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)
