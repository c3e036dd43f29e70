"""People cut out of parsed photos and put into other photos, for the starter detector.

Some hundred photos have few backgrounds; a person in front of another one is a new photo ("Simple
Copy-Paste", Ghiasi et al., 2021, arXiv 2012.07177).
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.base import Pixels
from extract.starter.detector import STRIDE
from finetune.augment import Affine, jitter, warp, warp_labels
from finetune.detector_scene import SMALLEST_BOX, Scene
from garments.masks import mask_box
from garments.parts import BACKGROUND, IGNORED

HEIGHTS = (0.2, 1.15)
"""Heights of people who are put in, as shares of the canvas; larger ones are cut off by it."""

HIDDEN = 0.6
"""A person of whose box more than this share is covered is neither asked for nor punished."""


def can_give(scene: Scene) -> bool:
    """Whether a scene's one person can be cut out along its labels."""
    return scene.labels is not None and len(scene.boxes) == 1


def pasted(canvas: Scene, donor: Scene, rng: np.random.Generator) -> Scene:
    """`canvas` (its labels at stride 8) with the person of `donor` in front."""
    height, width = canvas.pixels.shape[:2]
    pixels, labels = _cut_out(donor, width, height, rng)
    mask = (labels != BACKGROUND) & (labels != IGNORED)
    box = mask_box(mask)
    if box is None or max(box.width, box.height) < SMALLEST_BOX:
        return canvas
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8)[:, :, None]
    shown = canvas.pixels * (1 - soft) + pixels * soft
    hidden = np.array([_covered(mask, one) > HIDDEN for one in canvas.boxes], bool)
    return replace(
        canvas,
        pixels=np.asarray(shown.round(), np.uint8),
        boxes=np.concatenate([canvas.boxes[~hidden], np.array([box], np.float32)]),
        ignored=np.concatenate([canvas.ignored, canvas.boxes[hidden]]),
        labels=_with_parts(canvas.labels, labels, mask),
    )


def _cut_out(
    donor: Scene, width: int, height: int, rng: np.random.Generator
) -> tuple[Pixels, NDArray[np.uint8]]:
    """The donor's photo and labels moved so that its person stands somewhere on the canvas."""
    assert donor.labels is not None
    x1, y1, x2, y2 = donor.boxes[0].tolist()
    low, high = np.log(HEIGHTS[0]), np.log(HEIGHTS[1])
    scale = float(np.exp(rng.uniform(low, high))) * height / max(1.0, y2 - y1)
    affine = Affine(
        scale=(scale * float(np.exp(rng.normal(0, 0.06))), scale),
        degrees=float(rng.normal(0, 3)),
        flip=bool(rng.random() < 0.5),
        source=((x1 + x2) / 2, y2),
        target=(float(rng.uniform(0, width)), float(rng.uniform(0.55, 1.25) * height)),
    ).matrix()
    size = (width, height)
    pixels = jitter(warp(donor.pixels, affine, size), rng, 1.2)
    return pixels, warp_labels(donor.labels, affine, size, outside=BACKGROUND)


def _covered(mask: NDArray[np.bool_], box: NDArray[np.float32]) -> float:
    """Share of a box (4,) that the mask covers."""
    x1, y1, x2, y2 = box.round().astype(int).tolist()
    part = mask[y1:y2, x1:x2]
    return float(part.mean()) if part.size else 0.0


def _with_parts(
    grid: NDArray[np.uint8] | None, labels: NDArray[np.uint8], mask: NDArray[np.bool_]
) -> NDArray[np.uint8] | None:
    """The canvas's labels at stride 8, those of the person put over them."""
    if grid is None:
        return None
    middle = STRIDE // 2
    there = mask[middle::STRIDE, middle::STRIDE]
    return np.asarray(np.where(there, labels[middle::STRIDE, middle::STRIDE], grid), np.uint8)
