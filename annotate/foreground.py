"""The product in a product shot: what differs from a near-uniform background."""

import cv2
import numpy as np
from numpy.typing import NDArray

from garments.images import Pixels

_RING = 0.03
"""Width of the border that is looked at, as a share of the longer side."""

_UNIFORM = 0.6
"""Share of the border that must have the background's color."""

_STRICT, _LOOSE = 3.5, 9.0
"""Distance in CIELAB within which a pixel has the background's color: strict where the border is
even, because a white shirt on white differs by little, looser the more the border varies."""

_SPREAD = 4.0
"""That distance in medians of the border's own distances."""

_CLOSE = 0.015
"""Gaps in an outline up to twice this share of the longer side are closed."""

_LEAST, _MOST = 0.01, 0.97
"""Share of the picture that a product covers; anything else is no product shot."""


def foreground(pixels: Pixels) -> NDArray[np.bool_] | None:
    """The product in `pixels` (h, w, 3) uint8 as a mask (h, w); None where the border is uneven.

    Background is what has the border's color and hangs together with the border, so that a white
    shirt on white keeps its inside. A person who wears the product is foreground too.
    """
    scaled = pixels.astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32)
    ring = _ring(*pixels.shape[:2])
    away = lab - np.median(lab[ring], axis=0)
    distance = np.sqrt(np.einsum("hwc,hwc->hw", away, away))
    if (distance[ring] <= _LOOSE).mean() < _UNIFORM:
        return None
    limit = np.clip(_SPREAD * np.median(distance[ring]), _STRICT, _LOOSE)
    mask = ~_joined_to_border(~_closed(distance > limit))
    return mask if _LEAST <= mask.mean() <= _MOST else None


def _ring(height: int, width: int) -> NDArray[np.bool_]:
    wide = max(1, round(_RING * max(height, width)))
    ring = np.ones((height, width), bool)
    ring[wide : height - wide, wide : width - wide] = False
    return ring


def _closed(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`mask` without gaps that are narrow."""
    side = 2 * round(_CLOSE * max(mask.shape)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0)


def _joined_to_border(near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of `near` that are connected with the picture's border."""
    count, pieces = cv2.connectedComponents(near.astype(np.uint8), connectivity=4)
    outside = np.zeros(count, bool)
    for edge in (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]):
        outside[edge] = True
    outside[0] = False
    return np.asarray(outside[pieces])
