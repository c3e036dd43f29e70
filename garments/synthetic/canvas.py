"""The picture being painted and, pixel by pixel, the truth about it.

Everything is painted back to front as layers. A layer is a union of outlines, filled with
anti-aliasing, coloured by a `Surface`, and marked with what it is (`Ids`): the front-most layer
that covers at least half of a pixel owns that pixel in all truth maps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from garments.synthetic.shapes import Points, extent, fill
from garments.synthetic.texture import Image, Roi, Surface, coloured, softened


@dataclass(frozen=True)
class Ids:
    """What a layer is: part (index in PARTS), owner (1..n, 0 nobody), garment (1.., 0 none)."""

    part: int = 0
    owner: int = 0
    garment: int = 0


@dataclass
class Canvas:
    """A picture of (H, W, 3) float32 RGB and its truth maps of (H, W) uint8."""

    pixels: Image
    light: tuple[float, float] = (-0.6, -0.8)
    labels: NDArray[np.uint8] = field(init=False)
    owner: NDArray[np.uint8] = field(init=False)
    garment: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        shape = self.pixels.shape[:2]
        self.labels = np.zeros(shape, np.uint8)
        self.owner = np.zeros(shape, np.uint8)
        self.garment = np.zeros(shape, np.uint8)
        self._extent: list[tuple[float, float, float, float]] = []

    def track(self) -> tuple[float, float, float, float]:
        """Extent x1, y1, x2, y2 of all layers since the last call, inside the picture or not."""
        marks, self._extent = self._extent, []
        if not marks:
            return 0.0, 0.0, 0.0, 0.0
        low, high = np.min(marks, 0), np.max(marks, 0)
        return float(low[0]), float(low[1]), float(high[2]), float(high[3])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def roi(self, outlines: Sequence[Points], pad: int = 2) -> Roi | None:
        """Pixel box of the outlines inside the picture, or None where nothing shows."""
        x1, y1, x2, y2 = extent(outlines)
        width, height = self.size
        left, top = max(0, int(x1) - pad), max(0, int(y1) - pad)
        right, bottom = min(width, int(x2) + pad + 1), min(height, int(y2) + pad + 1)
        return (left, top, right, bottom) if right > left and bottom > top else None

    def paint(self, outlines: Sequence[Points], surface: Surface, ids: Ids) -> None:
        """Paint the union of `outlines` over everything before it and mark it as `ids`."""
        pad = 2 + int(surface.round_px * 1.5) if surface.cast else 2
        roi = self.roi(outlines, pad)
        self._extent.append(extent(outlines))
        if roi is None:
            return
        x1, y1, x2, y2 = roi
        mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
        fill(mask, outlines, (x1, y1))
        soft = softened(mask, surface.round_px) if surface.relief or surface.cast else None
        part = np.s_[y1:y2, x1:x2]
        target = self.pixels[part]
        if surface.cast and soft is not None:
            self._cast(target, self.owner[part], soft, surface, ids.owner)
        source = coloured(roi, surface, soft, self.light)
        alpha = mask.astype(np.float32) * (1 / 255)
        cv2.blendLinear(source, target, alpha, 1 - alpha, target)
        self.pixels[part] = target
        solid = mask > 127
        self.labels[part][solid] = ids.part
        self.owner[part][solid] = ids.owner
        self.garment[part][solid] = ids.garment

    def _cast(
        self, target: Image, owner: NDArray[np.uint8], soft: Image, surface: Surface, me: int
    ) -> None:
        mine = (owner == me).astype(np.float32) if me else np.zeros(owner.shape, np.float32)
        dark = 1 - surface.cast * soft * mine
        target *= dark[..., None]

    def stroke(
        self,
        line: Points,
        color: Sequence[float],
        width: float,
        alpha: float = 1.0,
        garment: int | None = None,
        owner: int | None = None,
    ) -> None:
        """Draw an open line on top without changing the truth.

        With `garment` or `owner` only where that is visible, so a seam stays on its cloth.
        """
        roi = self.roi([line], int(width) + 2)
        if roi is None:
            return
        x1, y1, x2, y2 = roi
        mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
        fixed = np.round((line - np.array([x1, y1]) - 0.5) * 16).astype(np.int32)
        weight = min(1.0, max(width, 0.3))
        cv2.polylines(mask, [fixed], False, (255,), max(1, round(width)), cv2.LINE_AA, 4)
        self._tint(roi, mask, color, alpha * weight, garment, owner)

    def dab(
        self,
        outlines: Sequence[Points],
        color: Sequence[float],
        alpha: float = 1.0,
        garment: int | None = None,
        owner: int | None = None,
        blur: float = 0.0,
    ) -> None:
        """Fill outlines on top without changing the truth, optionally softened by `blur` px."""
        roi = self.roi(outlines, 2 + int(blur * 2))
        if roi is None:
            return
        x1, y1, x2, y2 = roi
        mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
        fill(mask, outlines, (x1, y1))
        if blur > 0.4:
            mask = cv2.GaussianBlur(mask, (0, 0), blur).astype(np.uint8)
        self._tint(roi, mask, color, alpha, garment, owner)

    def _tint(
        self,
        roi: Roi,
        mask: NDArray[np.uint8],
        color: Sequence[float],
        alpha: float,
        garment: int | None,
        owner: int | None,
    ) -> None:
        x1, y1, x2, y2 = roi
        part = np.s_[y1:y2, x1:x2]
        a = mask.astype(np.float32) * (alpha / 255)
        if garment is not None:
            a *= self.garment[part] == garment
        if owner is not None:
            a *= self.owner[part] == owner
        target = self.pixels[part]
        target += (np.array(color, np.float32) - target) * a[..., None]
