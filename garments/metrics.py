"""Figures of merit, each as its field defines it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

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
