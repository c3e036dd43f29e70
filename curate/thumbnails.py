"""Whether two picture files show the same: their small versions are laid over each other."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from garments.errors import BadInput
from garments.files import read_bytes
from garments.images import Pixels, decode

SAME = 0.985
"""Correlation of two small versions from which they are one picture."""

_SIDE = 24
_ZOOMS = (1.0, 0.97, 0.94, 0.91, 0.88)
"""Shares of the sides that are compared: a copy may have been trimmed a little all round."""

_LEAST_CONTRAST = 1.0
"""Standard deviation (of 255) below which a picture is blank, and like every other blank one."""

Thumbnail = NDArray[np.float32]


class Thumbnails:
    """Small versions of pictures that are named by ids; each file is read once."""

    def __init__(self, path_of: Callable[[str], Path]) -> None:
        self._path_of = path_of
        self._kept: dict[str, tuple[Thumbnail, ...]] = {}

    def same(self, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Those of `pairs` that show the same picture; what cannot be read is like nothing."""
        for one, other in pairs:
            if likeness(self._of(one), self._of(other)) >= SAME:
                yield one, other

    def _of(self, name: str) -> tuple[Thumbnail, ...]:
        if name not in self._kept:
            try:
                pixels = decode(read_bytes(self._path_of(name)), longest=128).pixels
            except BadInput:
                self._kept[name] = ()
            else:
                self._kept[name] = thumbnails(pixels)
        return self._kept[name]


def thumbnails(pixels: Pixels) -> tuple[Thumbnail, ...]:
    """The picture (h, w, 3) and its middle, each small, with mean 0 and length 1; () if blank."""
    if float(pixels.std()) < _LEAST_CONTRAST:
        return ()
    return tuple(_small(_middle(pixels, zoom)) for zoom in _ZOOMS)


def likeness(one: tuple[Thumbnail, ...], other: tuple[Thumbnail, ...]) -> float:
    """The highest correlation of either whole picture with the other's whole or middle, <= 1."""
    if not one or not other:
        return -1.0
    pairs = [(one[0], other[0]), *((one[0], part) for part in other[1:])]
    pairs += [(part, other[0]) for part in one[1:]]
    return max(float(a @ b) for a, b in pairs)


def _middle(pixels: Pixels, zoom: float) -> Pixels:
    height, width = pixels.shape[:2]
    top, left = round(height * (1 - zoom) / 2), round(width * (1 - zoom) / 2)
    return pixels[top : height - top, left : width - left]


def _small(pixels: Pixels) -> Thumbnail:
    import cv2

    small = cv2.resize(np.ascontiguousarray(pixels), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    flat = np.asarray(small, np.float32).ravel()
    flat -= flat.mean()
    return flat / max(float(np.linalg.norm(flat)), 1e-6)
