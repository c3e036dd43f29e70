"""A photo that the starter detector learns from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extract.base import Pixels

SMALLEST_BOX = 12.0
"""Shorter than this many canvas pixels, a person is neither asked for nor punished."""


@dataclass(frozen=True)
class Scene:
    """A photo (H, W, 3) with people to find (N, 4), regions to ignore (M, 4), both xyxy pixels.

    `labels` (H, W) are part labels or None. `trust` in [0, 1] weighs what lies outside the boxes:
    low where bystanders were not labelled.
    """

    pixels: Pixels
    boxes: NDArray[np.float32]
    ignored: NDArray[np.float32]
    labels: NDArray[np.uint8] | None
    trust: float
