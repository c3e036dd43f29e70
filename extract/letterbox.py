"""Person crops: a person's box scaled without squashing into a padded square."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.base import CROP_SIZE, Pixels
from garments.boxes import Box

PADDING = 114
"""Grey of the pixels that lie outside the box; the value that most detectors were trained with."""


@dataclass(frozen=True)
class Transform:
    """From crop pixels to photo pixels: photo = crop / scale + (left, top).

    `window` is the crop's area that holds photo, xyxy in whole crop pixels; the rest is padding.
    `size` is the crop's side in pixels.
    """

    scale: float
    left: float
    top: float
    window: tuple[int, int, int, int]
    size: int = CROP_SIZE

    def to_photo(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (N, 2) of the crop, xy pixels, as points of the photo."""
        return np.asarray(points / self.scale + (self.left, self.top), np.float32)

    def to_crop(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points (N, 2) of the photo, xy pixels, as points of the crop."""
        return np.asarray((points - (self.left, self.top)) * self.scale, np.float32)


def person_crop(
    pixels: Pixels, box: Box, size: int = CROP_SIZE, margin: float = 0.08
) -> tuple[Pixels, Transform]:
    """Cut `box` (xyxy pixels) with `margin` out of a photo into a (size, size, 3) letterbox.

    The box keeps its proportions and is centred; what is outside the photo or the grown box is
    grey. Returns the crop and the way back to photo pixels.
    """
    height, width = pixels.shape[:2]
    grown = box.grown(margin).clipped(width, height)
    x1, y1 = int(np.floor(grown.x1)), int(np.floor(grown.y1))
    x2, y2 = max(x1 + 1, int(np.ceil(grown.x2))), max(y1 + 1, int(np.ceil(grown.y2)))
    scale = size / max(x2 - x1, y2 - y1)
    inner_w = max(1, round((x2 - x1) * scale))
    inner_h = max(1, round((y2 - y1) * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    inner = cv2.resize(pixels[y1:y2, x1:x2], (inner_w, inner_h), interpolation=method)
    left, top = (size - inner_w) // 2, (size - inner_h) // 2
    crop = np.full((size, size, 3), PADDING, np.uint8)
    crop[top : top + inner_h, left : left + inner_w] = inner
    window = (left, top, left + inner_w, top + inner_h)
    return crop, Transform(scale, x1 - left / scale, y1 - top / scale, window, size)
