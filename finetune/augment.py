"""Augmentation of photos with boxes and label maps, without torch."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.base import Pixels
from extract.letterbox import PADDING
from garments.parts import IGNORED

Matrix = NDArray[np.float64]
"""A 2x3 affine map from source pixels to target pixels."""


@dataclass(frozen=True)
class Affine:
    """Scale, rotation and flip around a source point that lands on a target point."""

    scale: tuple[float, float]
    degrees: float
    flip: bool
    source: tuple[float, float]
    target: tuple[float, float]

    def matrix(self) -> Matrix:
        """The 2x3 matrix, source pixels -> target pixels."""
        angle = np.deg2rad(self.degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        stretch = np.diag([self.scale[0] * (-1 if self.flip else 1), self.scale[1]])
        linear = turn @ stretch
        shift = np.asarray(self.target) - linear @ np.asarray(self.source)
        return np.column_stack([linear, shift])


def warp(pixels: Pixels, matrix: Matrix, size: tuple[int, int]) -> Pixels:
    """Warp a photo to `size` (width, height); what lies outside is the padding grey."""
    return np.asarray(
        cv2.warpAffine(
            pixels,
            matrix,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(PADDING,) * 3,
        ),
        np.uint8,
    )


def warp_labels(
    labels: NDArray[np.uint8], matrix: Matrix, size: tuple[int, int], outside: int = IGNORED
) -> NDArray[np.uint8]:
    """Warp a label map to `size` (width, height) by nearest neighbour."""
    return np.asarray(
        cv2.warpAffine(
            labels,
            matrix,
            size,
            flags=cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=outside,
        ),
        np.uint8,
    )


def warp_boxes(boxes: NDArray[np.float32], matrix: Matrix) -> NDArray[np.float32]:
    """Smallest boxes (N, 4) around the warped corners of `boxes` (N, 4), not clipped."""
    if not len(boxes):
        return np.zeros((0, 4), np.float32)
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1), np.float32)


def jitter(pixels: Pixels, rng: np.random.Generator, strength: float = 1.0) -> Pixels:
    """Change exposure, contrast, white balance, saturation; sometimes blur, noise or greyness."""
    image = pixels.astype(np.float32)
    gain = np.exp(rng.normal(0, 0.18 * strength)) * np.exp(rng.normal(0, 0.05 * strength, 3))
    mean = image.mean()
    contrast = np.exp(rng.normal(0, 0.15 * strength))
    image = (image - mean) * contrast * gain + mean * gain + rng.normal(0, 8 * strength)
    saturation = 0.0 if rng.random() < 0.05 * strength else np.exp(rng.normal(0, 0.25 * strength))
    grey = image @ np.array([0.299, 0.587, 0.114], np.float32)
    image = grey[..., None] + (image - grey[..., None]) * np.float32(saturation)
    if rng.random() < 0.15 * strength:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.4))
    if rng.random() < 0.15 * strength:
        image += rng.normal(0, rng.uniform(2, 12), image.shape).astype(np.float32)
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def erase(pixels: Pixels, rng: np.random.Generator) -> None:
    """Cover a rectangle of up to a tenth of the image in place (random erasing, 1708.04896)."""
    height, width = pixels.shape[:2]
    h, w = int(rng.uniform(0.05, 0.35) * height), int(rng.uniform(0.05, 0.35) * width)
    y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    pixels[y : y + h, x : x + w] = rng.integers(0, 256, 3)
