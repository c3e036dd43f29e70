"""What is true of a synthetic picture, read off its truth maps.

Framing of a person, decided in this order from what can be seen:

- `too_close`: the visible box touches at least three borders and covers at least
  `CLOSE_SHARE` of the picture.
- `too_small`: the visible box is lower than `SMALL_SHARE` of the picture.
- `cut_off`: the head is not in view (less than half of a disc round its centre is both inside the
  picture and not hidden by something else).
- `accepted`: head in view, both ankles inside the picture and at least one of them not hidden.
- `half_body`: head in view and at least one hip inside the picture and not hidden.
- `head_only`: head in view, hips not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from garments.boxes import Box
from garments.masks import mask_box
from garments.parts import PARTS, Region
from garments.records import Verdict
from garments.synthetic.body import SIDES
from garments.synthetic.outfit import Item
from garments.synthetic.person import Figure

SMALL_SHARE = 0.25
"""People lower than this share of the picture's height are too small."""
CLOSE_SHARE = 0.85
"""A box that covers this share of the picture and three borders is too close."""
MIN_PERSON = 40
"""Visible pixels below which a person is left out of the truth."""
MIN_GARMENT = 16
"""Visible pixels below which a garment does not count."""


@dataclass(frozen=True)
class StreetGarment:
    """One region of one person: box and area of all its pixels, values of the outermost garment."""

    region: Region
    category: str
    color: str
    pattern: str
    box: Box
    area: int


@dataclass(frozen=True)
class StreetPerson:
    """One person. `box` is the visible extent, `full_box` also what is hidden or cut off.

    Both are xyxy in pixels; `full_box` may leave the picture. `framing` is a `Verdict` value.
    """

    box: Box
    full_box: Box
    framing: str
    garments: tuple[StreetGarment, ...]


@dataclass(frozen=True)
class Street:
    """A picture (H, W, 3) uint8 RGB with its truth.

    `labels` (H, W) uint8 holds PARTS indices of all people, front-most first; `owner` (H, W)
    uint8 is 0 for nobody, else the 1-based place in `people`.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    people: tuple[StreetPerson, ...]


def _seen(
    point: NDArray[np.float32], radius: float, owner: NDArray[np.uint8], me: int, need: float
) -> bool:
    """Whether `need` of a disc's area is inside the picture and owned by `me`."""
    height, width = owner.shape
    x, y = float(point[0]), float(point[1])
    x1, y1 = int(max(0, x - radius)), int(max(0, y - radius))
    x2, y2 = int(min(width, x + radius + 1)), int(min(height, y + radius + 1))
    if x2 <= x1 or y2 <= y1:
        return False
    yy, xx = np.mgrid[y1:y2, x1:x2]
    disc = (xx + 0.5 - x) ** 2 + (yy + 0.5 - y) ** 2 <= radius**2
    mine = int((disc & (owner[y1:y2, x1:x2] == me)).sum())
    return mine >= need * max(1.0, np.pi * radius**2)


def _inside(point: NDArray[np.float32], width: int, height: int) -> bool:
    return bool(0 <= point[0] < width and 0 <= point[1] < height)


def framing_of(figure: Figure, box: Box, owner: NDArray[np.uint8], me: int) -> str:
    """Framing of one person by the rule at the head of this module."""
    height, width = owner.shape
    borders = sum((box.x1 <= 1, box.y1 <= 1, box.x2 >= width - 1, box.y2 >= height - 1))
    if borders >= 3 and box.area >= CLOSE_SHARE * width * height:
        return Verdict.TOO_CLOSE.value
    if box.height < SMALL_SHARE * height:
        return Verdict.TOO_SMALL.value
    rig = figure.rig
    if not _seen(rig.xy("head"), rig.px(0.045), owner, me, 0.5):
        return Verdict.CUT_OFF.value
    ankles = [rig.xy(f"ankle{s}") for s in SIDES]
    r = max(1.5, rig.px(0.02))
    if all(_inside(a, width, height) for a in ankles) and any(
        _seen(a, r, owner, me, 0.35) for a in ankles
    ):
        return Verdict.ACCEPTED.value
    if any(_seen(rig.xy(f"hip{s}"), rig.px(0.03), owner, me, 0.35) for s in SIDES):
        return Verdict.HALF_BODY.value
    return Verdict.HEAD_ONLY.value


def _garments(
    items: list[Item], garment: NDArray[np.uint8], offset: tuple[int, int]
) -> tuple[StreetGarment, ...]:
    """One entry a region, named after its outermost visible garment."""
    counts = np.bincount(garment.ravel(), minlength=256)
    found = []
    for region in dict.fromkeys(i.region for i in items):
        worn = [i for i in items if i.region == region]
        seen = [i for i in worn if counts[i.gid] >= MIN_GARMENT]
        if not seen:
            continue
        key = (lambda i: counts[i.gid]) if region is Region.ACCESSORIES else (lambda i: i.rank)
        name = max(seen, key=key)
        mask = np.isin(garment, [i.gid for i in worn])
        box = mask_box(mask)
        if box is None:
            continue
        x, y = offset
        moved = Box(box.x1 + x, box.y1 + y, box.x2 + x, box.y2 + y)
        found.append(
            StreetGarment(
                region, name.category, name.cloth.color, name.cloth.pattern, moved, int(mask.sum())
            )
        )
    return tuple(found)


def read_person(
    figure: Figure, full_box: Box, owner: NDArray[np.uint8], garment: NDArray[np.uint8], me: int
) -> StreetPerson | None:
    """The truth of person `me`, or None when almost nothing of them can be seen."""
    mask = owner == me
    box = mask_box(mask)
    if box is None or int(mask.sum()) < MIN_PERSON:
        return None
    x1, y1, x2, y2 = (int(v) for v in box)
    own = np.where(mask[y1:y2, x1:x2], garment[y1:y2, x1:x2], 0).astype(np.uint8)
    worn = _garments(figure.outfit.items(), own, (x1, y1))
    return StreetPerson(box, full_box, framing_of(figure, box, owner, me), worn)


def clean(labels: NDArray[np.uint8], owner: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels with everything that belongs to nobody set to background."""
    out = np.where(owner > 0, labels, 0).astype(np.uint8)
    if int(out.max(initial=0)) >= len(PARTS):
        raise AssertionError(f"expected labels below {len(PARTS)}, but got {int(out.max())}")
    return out
