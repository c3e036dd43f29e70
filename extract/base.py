"""The two roles that models play in extraction: one small interface each, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from garments.errors import BadInput

Pixels = NDArray[np.uint8]
"""A picture in memory: (height, width, 3) RGB, upright, values in [0, 255]."""

CROP_SIZE = 256
"""Side of the square person crop that a parser is given unless it wants another, in pixels."""


@dataclass(frozen=True)
class Detections:
    """People in one image: `boxes` (N, 4) xyxy pixels, `scores` (N,) in [0, 1], descending."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.scores), 4):
            raise BadInput(
                f"expected boxes of shape ({len(self.scores)}, 4), but got {self.boxes.shape}"
            )


class Detector(Protocol):
    """Finds people."""

    reference: str
    fingerprint: str

    def detect(self, images: Sequence[Pixels]) -> list[Detections]:
        """People in each of `images` (HWC uint8 RGB, sizes may differ), in the images' pixels."""
        ...


class Parser(Protocol):
    """Tells which part of a dressed person each pixel of a person crop belongs to.

    `side` is that of the square crops that it is given, in pixels: those that it was trained on.
    """

    reference: str
    fingerprint: str
    side: int

    def parse(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, len(PARTS), h, w) over `garments.parts.PARTS`.

        `crops` is (N, side, side, 3) uint8 RGB; h and w are the parser's own resolution and
        cover the whole crop.
        """
        ...
