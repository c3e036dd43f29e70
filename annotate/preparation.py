"""Crop preparation: what a model is shown of the surroundings of a garment."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from garments.images import Pixels
from garments.tagger import Crop

Background = Literal["keep", "grey", "blur", "white"]
BACKGROUNDS: tuple[Background, ...] = ("keep", "grey", "blur", "white")

GREY = 128
"""What greyed surroundings are filled with."""

_FEATHER = 0.006
_BLUR = 0.06


def prepared(crop: Crop, background: Background) -> Pixels:
    """The crop's pixels with what is not the garment kept, greyed, blurred or made white.

    The mask's edge is feathered. Without a mask the pixels are returned as they are.
    """
    if background == "keep" or crop.mask is None or crop.mask.all():
        return crop.pixels
    weight = _alpha(crop.mask)
    mixed = crop.pixels * weight + _behind(crop.pixels, background) * (1 - weight)
    return np.asarray(np.rint(mixed), np.uint8)


def _alpha(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The mask as a weight (h, w, 1) in [0, 1] with a soft edge."""
    feather = max(0.5, _FEATHER * max(mask.shape))
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), feather)
    return np.asarray(weight[:, :, None], np.float32)


def _behind(pixels: Pixels, background: Background) -> Pixels:
    if background == "blur":
        sigma = max(1.0, _BLUR * max(pixels.shape[:2]))
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)
    return np.full_like(pixels, GREY if background == "grey" else 255)
