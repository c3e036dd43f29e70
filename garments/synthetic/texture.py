"""How cloth, skin and things look: colors, weave, folds and light on one layer."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from garments.synthetic import noise
from garments.synthetic.shapes import unit

Image = NDArray[np.float32]
Roi = tuple[int, int, int, int]


@dataclass(frozen=True)
class Surface:
    """How a layer is coloured. Colors are RGB in [0, 255]; lengths are pixels.

    `tile` (h, w, 3) repeats over the layer and replaces `color`. `folds` names a bank of
    `noise.FOLDS` whose wavelength is about `fold_size`; `relief` rounds the shape off over
    `round_px`; `cast` darkens what the same owner already has beneath, within `round_px`.
    """

    color: tuple[float, float, float]
    tile: Image | None = None
    folds: str | None = None
    fold_amp: float = 0.0
    fold_size: float = 40.0
    weave: str | None = None
    weave_amp: float = 0.0
    weave_size: float = 256.0
    relief: float = 0.35
    round_px: float = 8.0
    cast: float = 0.0
    origin: tuple[float, float] = (0.0, 0.0)
    down: tuple[float, float] = (0.0, 1.0)

    def along(self, start: ArrayLike, end: ArrayLike) -> "Surface":
        """This surface with its grain running from `start` to `end` (xy)."""
        a, b = np.asarray(start, np.float32), np.asarray(end, np.float32)
        d = unit(b - a)
        return replace(self, origin=(float(a[0]), float(a[1])), down=(float(d[0]), float(d[1])))


def coloured(roi: Roi, surface: Surface, soft: Image | None, light: tuple[float, float]) -> Image:
    """The layer's colors over `roi`, (h, w, 3) in [0, 255]: texture, folds and light."""
    height, width = roi[3] - roi[1], roi[2] - roi[0]
    shade = np.ones((height, width), np.float32)
    if soft is not None and surface.relief:
        shade += _relief(soft, light, surface)
    folds = None
    if surface.folds and surface.fold_amp:
        folds = _bank(noise.FOLDS[surface.folds](), roi, surface, surface.fold_size / 60)
        shade += folds * surface.fold_amp
    if surface.weave and surface.weave_amp:
        scale = surface.weave_size / noise.BANK
        shade += _bank(noise.weave(surface.weave), roi, surface, scale) * surface.weave_amp
    shade -= 0.4 * np.maximum(shade - 1, 0)
    rgb: Image = np.repeat(shade[..., None], 3, 2)
    if surface.tile is None:
        rgb *= np.array(surface.color, np.float32)
    else:
        rgb *= _tiled(surface.tile, roi, surface, folds)
    return np.asarray(np.clip(rgb, 0, 255), np.float32)


def softened(mask: NDArray[np.uint8], radius: float) -> Image:
    """`mask` blurred by about `radius` px, in [0, 1]; computed small, where it costs little."""
    step = 1 if radius < 3 else 2 if radius < 6 else 4
    height, width = mask.shape
    small = mask
    if step > 1 and min(height, width) > 2 * step:
        small_size = (max(1, width // step), max(1, height // step))
        small = cv2.resize(mask, small_size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    sigma = max(0.6, 0.6 * radius / step)
    border = cv2.BORDER_REPLICATE
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), sigma, borderType=border)
    soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(soft * (1 / 255), np.float32)


def _relief(soft: Image, light: tuple[float, float], surface: Surface) -> Image:
    """Light on a rounded shape: bright towards the light, dark at the far edge."""
    step = max(1, round(surface.round_px * 0.6))
    dx, dy = round(light[0] * step), round(light[1] * step)
    warp = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
    size = (soft.shape[1], soft.shape[0])
    away = cv2.warpAffine(
        soft, warp, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray((soft - away) * surface.relief + (soft - 1) * (0.45 * surface.relief))


def _frame(surface: Surface, scale: float) -> NDArray[np.float32]:
    """Affine map (2, 3) from picture pixels to texture pixels, grain along `surface.down`."""
    dx, dy = surface.down
    ox, oy = surface.origin
    rows = np.array([[dy, -dx], [dx, dy]], np.float32) / max(scale, 1e-3)
    return np.concatenate([rows, -(rows @ np.array([[ox], [oy]], np.float32))], 1)


def _shifted(matrix: NDArray[np.float32], roi: Roi) -> NDArray[np.float32]:
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ np.array([roi[0], roi[1]], np.float32)
    return moved


def _bank(bank: Image, roi: Roi, surface: Surface, scale: float) -> Image:
    matrix = _shifted(_frame(surface, scale), roi)
    matrix[:, 2] += (_phase(surface.color), 97)
    size = (roi[2] - roi[0], roi[3] - roi[1])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(bank, matrix, size, flags=flags, borderMode=cv2.BORDER_WRAP))


def _phase(color: tuple[float, float, float]) -> int:
    """A stable small number for a color, so that two cloths do not fold alike."""
    return int(color[0] * 31 + color[1] * 17 + color[2] * 7) % 509


def _tiled(tile: Image, roi: Roi, surface: Surface, folds: Image | None) -> Image:
    matrix = _shifted(_frame(surface, 1.0), roi)
    size = (roi[2] - roi[0], roi[3] - roi[1])
    wrap = cv2.BORDER_WRAP
    if folds is None:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(tile, matrix, size, flags=flags, borderMode=wrap))
    x = np.arange(size[0], dtype=np.float32)[None, :]
    y = np.arange(size[1], dtype=np.float32)[:, None]
    bend = folds * (0.03 * surface.fold_size)
    u = matrix[0, 0] * x + matrix[0, 1] * y + (matrix[0, 2] + bend)
    v = matrix[1, 0] * x + matrix[1, 1] * y + (matrix[1, 2] + 0.6 * bend)
    return np.asarray(cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=wrap))
