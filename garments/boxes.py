"""Boxes: xyxy in pixels, x to the right, y down, x2 and y2 exclusive."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from garments.errors import BadInput


class Box(NamedTuple):
    """One box, xyxy in pixels of the upright photo."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """Area in square pixels, 0 for an empty box."""
        return max(0.0, self.width) * max(0.0, self.height)

    def clipped(self, width: float, height: float) -> "Box":
        """This box cut to a photo of `width` x `height` pixels."""
        return Box(
            min(max(self.x1, 0.0), width),
            min(max(self.y1, 0.0), height),
            min(max(self.x2, 0.0), width),
            min(max(self.y2, 0.0), height),
        )

    def grown(self, share: float) -> "Box":
        """This box with a margin of `share` of its own width and height on each side."""
        dx, dy = self.width * share, self.height * share
        return Box(self.x1 - dx, self.y1 - dy, self.x2 + dx, self.y2 + dy)

    def checked(self) -> "Box":
        """This box, or `BadInput` when it is empty or not finite."""
        if not all(np.isfinite(self)) or self.width <= 0 or self.height <= 0:
            raise BadInput(f"expected a box x1 < x2, y1 < y2 in pixels, but got {tuple(self)}")
        return self


def iou_matrix(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float32]:
    """Intersection over union of boxes `a` (N, 4) and `b` (M, 4), xyxy: (N, M) in [0, 1]."""
    a, b = np.asarray(a, np.float32).reshape(-1, 4), np.asarray(b, np.float32).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(axis=2)
    areas_a = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(axis=1)
    areas_b = np.clip(b[:, 2:] - b[:, :2], 0, None).prod(axis=1)
    union = areas_a[:, None] + areas_b[None, :] - overlap
    return np.asarray(overlap / np.maximum(union, 1e-9), np.float32)


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    return float(iou_matrix(np.array([a]), np.array([b]))[0, 0])
