"""How a crop becomes a network's input, at inference and in training alike."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.preparation import GREY, Background, prepared
from garments.images import Pixels
from garments.tagger import Crop


def fitted(pixels: Pixels, side: int) -> NDArray[np.uint8]:
    """The whole picture within (side, side, 3), its proportions kept, grey around it.

    A garment's length tells a shirt from a dress, so nothing is cut off or squeezed.
    """
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    board = np.full((side, side, 3), GREY, np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    board[top : top + size[1], left : left + size[0]] = cv2.resize(pixels, size, interpolation=kind)
    return board


def inputs(crops: Sequence[Crop], background: Background, side: int) -> NDArray[np.uint8]:
    """(N, 3, side, side) of N crops, what is not the garment prepared as asked."""
    made = [fitted(prepared(crop, background), side) for crop in crops]
    board = np.stack(made) if made else np.zeros((0, side, side, 3), np.uint8)
    return np.ascontiguousarray(board.transpose(0, 3, 1, 2))
