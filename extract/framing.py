"""Does a detected person show enough of an outfit, and if not, why?"""

import numpy as np
from numpy.typing import NDArray

from garments.boxes import Box
from garments.parts import BACKGROUND, HAIR, IGNORED, PART_INDEX, SKIN
from garments.records import Verdict
from garments.settings import FramingLimits

HEAD_ROWS, LEG_ROWS = 0.3, 0.35
"""Skin in the first share of a figure's rows counts as face, in the last share as legs."""

Judgement = tuple[Verdict, str]
"""A verdict and its reason in words; the reason is empty for an accepted person."""

ACCEPTED: Judgement = (Verdict.ACCEPTED, "")


def judge(box: Box, photo_size: tuple[int, int], limits: FramingLimits) -> Judgement:
    """Judge a person by the box (xyxy pixels) in a photo of (width, height) pixels.

    Boxes tell much: feet are out of view where a squat box touches the bottom, the head where it
    touches the top. `garmentloop framing fit` finds the limits from labelled boxes.
    """
    width, height = photo_size
    share, aspect = box.height / height, box.height / box.width
    if share < limits.min_height_share or box.height < limits.min_height_px:
        return Verdict.TOO_SMALL, f"only {box.height:.0f} px high, {share:.0%} of the photo"
    left, top, right, bottom = _contacts(box, photo_size, limits.border_share)
    area = box.area / (width * height)
    if area >= limits.close_area_share and left + top + right + bottom >= 3:
        return Verdict.TOO_CLOSE, f"fills {area:.0%} of the photo and leaves it on several sides"
    shape = f"and is only {aspect:.1f} times as high as wide"
    if top and aspect < limits.top_aspect:
        return Verdict.CUT_OFF, f"touches the top {shape}"
    if bottom and aspect < limits.head_aspect:
        return Verdict.HEAD_ONLY, f"touches the bottom {shape}"
    if bottom and aspect < limits.feet_aspect:
        return Verdict.HALF_BODY, f"touches the bottom {shape}"
    if (left or right) and aspect < limits.side_aspect:
        return Verdict.CUT_OFF, f"touches the side {shape}"
    if aspect < limits.free_aspect:
        return Verdict.HALF_BODY, f"is {1 / aspect:.1f} times as wide as high"
    return ACCEPTED


def judge_parts(labels: NDArray[np.uint8], limits: FramingLimits) -> Judgement:
    """Judge a person who was accepted by the box by the parts that were found in the crop.

    `labels` is an (H, W) map of part indices (`garments.parts`), of any resolution.
    """
    figure = (labels != BACKGROUND) & (labels != IGNORED)
    rows = np.flatnonzero(figure.any(axis=1))
    if not rows.size:
        return Verdict.NO_HEAD, "no part of a person was found in the box"
    first, last = int(rows[0]), int(rows[-1]) + 1
    area = int(figure.sum())
    head = _count(labels, (HAIR,)) + _count(
        labels[first : first + round(HEAD_ROWS * (last - first))], (SKIN,)
    )
    if head < limits.min_head_share * area:
        return Verdict.NO_HEAD, f"hair and face are {head / area:.1%} of the figure"
    legs = _count(labels, (PART_INDEX["lower"], PART_INDEX["feet"])) + _count(
        labels[last - round(LEG_ROWS * (last - first)) : last], (SKIN,)
    )
    if legs < limits.min_leg_share * area:
        return Verdict.NO_LEGS, f"legs and feet are {legs / area:.1%} of the figure"
    return ACCEPTED


def _contacts(
    box: Box, photo_size: tuple[int, int], border_share: float
) -> tuple[bool, bool, bool, bool]:
    """Which borders a box touches: left, top, right, bottom."""
    width, height = photo_size
    near_x, near_y = border_share * width, border_share * height
    return (
        box.x1 <= near_x,
        box.y1 <= near_y,
        box.x2 >= width - near_x,
        box.y2 >= height - near_y,
    )


def _count(labels: NDArray[np.uint8], parts: tuple[int, ...]) -> int:
    return int(np.isin(labels, parts).sum())
