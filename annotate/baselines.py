"""What a tagger must beat: the commonest value, and the nearest neighbours by plain pixels."""

from collections import Counter
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from garments.images import Pixels

SIDE = 32
"""Side of the thumbnails that neighbours are told by, in pixels."""

NEIGHBOURS = 5

_CHUNK = 512


def majority(known: Iterable[str]) -> str:
    """The commonest value, of equally common ones the first in the alphabet; "" for none."""
    counts = Counter(known)
    return min(counts, key=lambda value: (-counts[value], value), default="")


def thumbnail(pixels: Pixels) -> NDArray[np.float32]:
    """The picture made square with white and reduced: (32 * 32 * 3,) of unit length."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    small = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    vector = small.astype(np.float32).ravel()
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


def neighbours_say(
    asked: NDArray[np.float32],
    known: NDArray[np.float32],
    own: Sequence[int | None],
    values: Sequence[str],
) -> list[str]:
    """For each of `asked` (N, D) the commonest value of the nearest `known` (M, D) by cosine.

    `values` are those of the known. `own` has for each of `asked` its own row in `known`, which is
    left out, None for none. Five vote; of equally common values that of the nearer neighbour wins;
    "" without any neighbour.
    """
    said = []
    for start in range(0, len(asked), _CHUNK):
        nearness = asked[start : start + _CHUNK] @ known.T
        for near, itself in zip(nearness, own[start : start + _CHUNK], strict=True):
            if itself is not None:
                near[itself] = -np.inf
            order = np.argsort(-near, kind="stable")[:NEIGHBOURS]
            said.append(_vote([values[k] for k in order if np.isfinite(near[k])]))
    return said


def _vote(near: Sequence[str]) -> str:
    counts = Counter(near)
    return max(near, key=lambda value: counts[value], default="")
