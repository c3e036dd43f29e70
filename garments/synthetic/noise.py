"""Banks of noise, drawn once a process from fixed seeds and then only cropped and turned."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

BANK = 512
"""Side in pixels of every bank; banks wrap around."""


def _wrapped_blur(field: Field, sx: float, sy: float) -> Field:
    pad = min(BANK, int(3 * max(sx, sy)) + 1)
    wide = np.pad(field, pad, mode="wrap")
    soft = cv2.GaussianBlur(wide, (0, 0), sigmaX=sx, sigmaY=sy)
    return np.asarray(soft[pad:-pad, pad:-pad], np.float32)


def _normalised(field: Field) -> Field:
    field = (field - field.mean()) / max(float(field.std()), 1e-9)
    return np.clip(field, -2.5, 2.5).astype(np.float32)


@cache
def grain() -> Field:
    """White noise of (512, 512), about N(0, 1)."""
    rng = np.random.default_rng(11)
    return rng.standard_normal((BANK, BANK), np.float32)


@cache
def clouds() -> Field:
    """Soft blobs in four octaves, (512, 512), zero mean, unit deviation, within +-2.5."""
    rng = np.random.default_rng(12)
    total = np.zeros((BANK, BANK), np.float32)
    for sigma in (48, 22, 10, 4):
        layer = _wrapped_blur(rng.standard_normal((BANK, BANK), np.float32), sigma, sigma)
        total += _normalised(layer) * (sigma**0.6)
    return _normalised(total)


def _lit(height: Field, dx: int, dy: int) -> Field:
    """Slope of a height field towards the light, which reads as folds."""
    return _normalised(height - np.roll(height, (dy, dx), (0, 1)))


@cache
def drape() -> Field:
    """Long folds along y, lit from the side: cloth that hangs. (512, 512), within +-2.5."""
    rng = np.random.default_rng(13)
    total = np.zeros((BANK, BANK), np.float32)
    for sx, sy, gain in ((14, 110, 1.0), (6, 70, 0.45), (3, 30, 0.12)):
        layer = _wrapped_blur(rng.standard_normal((BANK, BANK), np.float32), sx, sy)
        total += np.tanh(1.6 * _normalised(layer)) * gain
    return _lit(total, 4, 1)


@cache
def crumple() -> Field:
    """Soft slanting folds of cloth that bunches round a limb. (512, 512), within +-2.5."""
    rng = np.random.default_rng(14)
    total = np.zeros((BANK, BANK), np.float32)
    for sx, sy, gain in ((26, 40, 1.0), (12, 17, 0.4), (22, 7, 0.25)):
        layer = rng.standard_normal((BANK, BANK), np.float32)
        total += np.tanh(1.5 * _normalised(_wrapped_blur(layer, sx, sy))) * gain
    return _normalised(_wrapped_blur(_lit(total, 4, 3), 1.5, 1.5))


@cache
def weave(name: str) -> Field:
    """Luminance of a material, (512, 512), about zero mean and unit deviation.

    `name` is one of knit, rib, denim, tweed, fleece.
    """
    y, x = np.mgrid[0:BANK, 0:BANK].astype(np.float32)
    turn = 2 * np.pi / BANK
    g = grain()
    if name == "knit":
        field = np.sin(turn * 42 * x) * np.sin(turn * 42 * y + 2 * np.abs(np.sin(turn * 21 * x)))
    elif name == "rib":
        field = np.sin(turn * 36 * x) + 0.2 * g
    elif name == "denim":
        field = _wrapped_blur(g, 0.8, 5) * 4 + 0.5 * np.sin(turn * 128 * (x + y)) + 0.5 * clouds()
    elif name == "tweed":
        field = _wrapped_blur(g, 2, 2) * 4 + 0.5 * g
    else:
        field = _wrapped_blur(g, 4, 3) * 6 + clouds() * 0.4
    return _normalised(field.astype(np.float32))


FOLDS = {"drape": drape, "crumple": crumple}
"""Fold banks by name."""
