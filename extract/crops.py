"""Garment crops from the photo itself, their masks over the whole photo, and doubts about them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.base import Pixels
from extract.regions import GarmentMask
from garments.boxes import Box
from garments.images import fit
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.records import Doubt
from garments.settings import CropSettings

TINY_SIDE = 64.0
"""A garment whose longer side has fewer pixels in the photo is tiny: little can be seen on it."""

WHOLE_SHARE = 0.75
"""A garment whose main piece (for feet: two) has a smaller share of its pixels is fragmented."""

BORDER_PX = 2.0
"""A garment that comes as close to the photo's border as this, in pixels, may go on beyond it."""

SURE = 0.60
"""A mean probability under the mask below this is low confidence."""

LOST_SHARE = 0.10
"""A garment of which other people took more than this share is occluded."""

_FEATHER = 0.006
_BLUR = 0.06


def doubts(garment: GarmentMask, box: Box, width: int, height: int) -> tuple[Doubt, ...]:
    """Why a garment may deserve a second look; `box` in pixels of the `width` x `height` photo."""
    border = min(box.x1, box.y1, width - box.x2, height - box.y2)
    reasons = {
        Doubt.TINY: max(box.width, box.height) < TINY_SIDE,
        Doubt.FRAGMENTED: garment.main_share < WHOLE_SHARE,
        Doubt.BORDER: border <= BORDER_PX,
        Doubt.LOW_CONFIDENCE: garment.confidence < SURE,
        Doubt.OCCLUDED: garment.lost_share > LOST_SHARE,
        Doubt.SECOND_GUESS: garment.second_guess,
    }
    return tuple(doubt for doubt, holds in reasons.items() if holds)


def crop_window(box: Box, margin: float, width: int, height: int) -> tuple[int, int, int, int]:
    """What is cut out for a garment's box: xyxy in whole pixels of the `width` x `height` photo.

    `margin` is a share of the box's sides.
    """
    grown = box.grown(margin).clipped(width, height)
    x1, y1 = int(grown.x1), int(grown.y1)
    return x1, y1, max(x1 + 1, int(np.ceil(grown.x2))), max(y1 + 1, int(np.ceil(grown.y2)))


def garment_crop(pixels: Pixels, garment: GarmentMask, settings: CropSettings) -> Pixels:
    """The garment cut out of the photo with margin, its background as the settings say.

    At most `settings.longest` pixels on the longer side; smaller ones are not enlarged.
    """
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = crop_window(garment.box, settings.margin, width, height)
    crop = fit(pixels[y1:y2, x1:x2], settings.longest)
    if settings.background == "keep":
        return np.ascontiguousarray(crop)
    alpha = np.zeros((y2 - y1, x2 - x1), np.float32)
    top, left = garment.top - y1, garment.left - x1
    alpha[top : top + garment.mask.shape[0], left : left + garment.mask.shape[1]] = garment.mask
    return _on_background(crop, alpha, settings.background)


def photo_mask(garment: GarmentMask, scale: float, width: int, height: int) -> RunLengthMask:
    """The mask over the whole photo of `width` x `height` pixels.

    `scale` is the size of the picture that the mask was made on, divided by the photo's.
    """
    left, top, mask = garment.left, garment.top, garment.mask
    if scale != 1:
        box = photo_box(garment, scale, width, height)
        left, top = int(box.x1), int(box.y1)
        size = (int(box.x2) - left, int(box.y2) - top)
        enlarged = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        mask = enlarged.astype(bool)
    return _placed(mask, left, top, width, height)


def photo_box(garment: GarmentMask, scale: float, width: int, height: int) -> Box:
    """The garment's box in whole pixels of the photo; `scale` as in `photo_mask`."""
    if scale == 1:
        return garment.box
    x1, y1, x2, y2 = (round(value / scale) for value in garment.box)
    x1, y1 = min(x1, width - 1), min(y1, height - 1)
    return Box(x1, y1, min(max(x2, x1 + 1), width), min(max(y2, y1 + 1), height))


def cut_regions(settings: CropSettings) -> frozenset[Region]:
    """Regions that are cut out."""
    return frozenset(Region(name) for name in settings.regions)


def _placed(mask: NDArray[np.bool_], left: int, top: int, width: int, height: int) -> RunLengthMask:
    """Run lengths of a mask that lies at (`left`, `top`) of an empty `width` x `height` one."""
    columns = np.zeros((height, mask.shape[1]), bool)
    columns[top : top + mask.shape[0]] = mask
    counts = list(RunLengthMask.encode(columns).counts)
    before, after = left * height, (width - left - mask.shape[1]) * height
    counts[0] += before
    if len(counts) % 2:  # the last run is background
        counts[-1] += after
    elif after:
        counts.append(after)
    return RunLengthMask(height, width, tuple(counts))


def _on_background(crop: Pixels, alpha: NDArray[np.float32], background: str) -> Pixels:
    """`crop` where `alpha` (any size, over the same area) is 1, else blurred or white."""
    height, width = crop.shape[:2]
    small = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    feather = max(0.5, _FEATHER * max(height, width))
    weight = cv2.GaussianBlur(small, (0, 0), feather)[:, :, None]
    if background == "white":
        behind = np.full_like(crop, 255)
    else:
        sigma = max(1.0, _BLUR * max(height, width))
        behind = np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma), np.uint8)
    mixed = crop * weight + behind * (1 - weight)
    return np.asarray(np.rint(mixed), np.uint8)
