"""From a parser's probabilities to clean garment masks at the photo's resolution.

`person_map` enlarges one person's probabilities and takes the likeliest part of each pixel,
`share_pixels` settles who owns the pixels that two people's maps both claim, and
`garment_masks` resolves contradictions and drops specks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.letterbox import Transform
from garments.boxes import Box
from garments.parts import BACKGROUND, GARMENT_REGIONS, PART_INDEX, PARTS, Region

UPPER, LOWER, WHOLE = (PART_INDEX[name] for name in ("upper", "lower", "whole"))

SPECK_SHARE = 0.05
"""A component below this share of its region's largest one is a speck and is dropped."""

SPECK_AREA = 0.0015
"""A region whose pixels are below this share of the person's box is a mistake and is dropped."""

ABSORBED = {UPPER: 0.10, LOWER: 0.20}
"""Upper (lower) pixels below this share of the whole-body garment's are taken for part of it.

Of the 348 outfits with a whole-body garment in Clothing Co-Parsing, 8 % have an upper and 1 % a
lower garment below these shares; a coat over a dress is several times larger and stays.
"""

STRAY_WHOLE = 0.15
"""Whole-body pixels below this share of upper and lower together go to those two."""

PATCHES = 12
"""Who owns contested pixels is decided in patches: so many across the contested window."""


@dataclass(frozen=True)
class PersonMap:
    """The likeliest part of each pixel of a person's window.

    `window` is xyxy in whole pixels of the photo; `parts` (h, w) uint8 and `confidence` (h, w)
    float32, the probability of that part in [0, 1], cover it. `lost` (h, w) uint8 is the part of
    pixels that were given to somebody else, 0 elsewhere. `probabilities` and `transform` are
    what it was made of.
    """

    box: Box
    window: tuple[int, int, int, int]
    parts: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    lost: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    transform: Transform


@dataclass(frozen=True)
class GarmentMask:
    """One region of one person: `mask` (h, w) bool lies at (`left`, `top`) of the photo.

    `confidence` is the mean probability under the mask; `main_share` the share of its pixels in
    the largest component (for feet: the two largest); `lost_share` how much of the garment
    other people in front of it took. `second_guess`: another region won these pixels.
    """

    region: Region
    left: int
    top: int
    mask: NDArray[np.bool_]
    confidence: float
    main_share: float
    lost_share: float
    second_guess: bool = False

    @property
    def box(self) -> Box:
        """Box of the mask, xyxy pixels of the photo; the mask has no empty margins."""
        height, width = self.mask.shape
        return Box(self.left, self.top, self.left + width, self.top + height)


def person_map(
    probabilities: NDArray[np.float32], transform: Transform, box: Box, width: int, height: int
) -> PersonMap:
    """Likeliest parts of a person at the resolution of a photo of `width` x `height` pixels.

    `probabilities` is (8, h, w) over the whole crop. Each part is enlarged linearly over the
    crop's window only, one after the other, so that large photos need little memory.
    """
    window = _window(transform, width, height)
    shape = (window[3] - window[1], window[2] - window[0])
    best = np.full(shape, -1.0, np.float32)
    parts = np.zeros(shape, np.uint8)
    for index, plane in enumerate(probabilities):
        if plane.max() < 1 / len(PARTS):  # interpolation cannot lift it to the first place
            continue
        likely = enlarged(plane, transform, window)
        higher = likely > best
        parts[higher] = index
        np.maximum(best, likely, out=best)
    lost = np.zeros_like(parts)
    return PersonMap(box, window, parts, best, lost, probabilities, transform)


def share_pixels(people: Sequence[PersonMap]) -> list[PersonMap]:
    """Give every pixel that several people claim to one of them.

    A pixel inside only one of the two boxes is that person's. Otherwise the map that is surer
    of its part there (hair and skin count too: an arm in front of a coat) keeps it.
    """
    maps = [replace(p, parts=p.parts.copy(), lost=p.lost.copy()) for p in people]
    for i, a in enumerate(maps):
        for b in maps[i + 1 :]:
            _settle(a, b)
    return maps


def garment_masks(person: PersonMap) -> list[GarmentMask]:
    """Garments of a person, one per region at most, in the order of the parts."""
    parts = _without_contradictions(person)
    found = []
    for region in GARMENT_REGIONS:
        index = PART_INDEX[region]
        pixels = parts == index
        if pixels.sum() < max(1.0, SPECK_AREA * person.box.area):
            continue
        kept, main_share = without_specks(pixels, 2 if region is Region.FEET else 1)
        found.append(garment_mask(region, index, person, kept, main_share))
    return found


def _window(transform: Transform, width: int, height: int) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = transform.window
    corners = transform.to_photo(np.array([[x1, y1], [x2, y2]], float))
    (left, top), (right, bottom) = np.rint(corners).astype(int).tolist()
    left, top = min(max(0, left), width - 1), min(max(0, top), height - 1)
    return left, top, min(max(left + 1, right), width), min(max(top + 1, bottom), height)


def enlarged(
    plane: NDArray[np.float32], transform: Transform, window: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """One part's probabilities (h, w) over the crop as (window height, window width)."""
    x1, y1, x2, y2 = window
    steps = np.array([plane.shape[1], plane.shape[0]]) / transform.size * transform.scale
    # Pixel centres: a photo's pixel x lies at x + 0.5, a plane's cell i at i + 0.5.
    offset = (np.array([x1 - transform.left, y1 - transform.top]) + 0.5) * steps - 0.5
    matrix = np.array([[steps[0], 0, offset[0]], [0, steps[1], offset[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (x2 - x1, y2 - y1)
    warped = cv2.warpAffine(plane, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.float32)


def _settle(a: PersonMap, b: PersonMap) -> None:
    """Clear, in the maps of two people, the pixels that the other one keeps."""
    x1, y1 = max(a.window[0], b.window[0]), max(a.window[1], b.window[1])
    x2, y2 = min(a.window[2], b.window[2]), min(a.window[3], b.window[3])
    if x1 >= x2 or y1 >= y2:
        return
    in_a, in_b = (
        (slice(y1 - p.window[1], y2 - p.window[1]), slice(x1 - p.window[0], x2 - p.window[0]))
        for p in (a, b)
    )
    contested = (a.parts[in_a] != BACKGROUND) & (b.parts[in_b] != BACKGROUND)
    own_a, own_b = (_inside(p.box, x1, y1, x2, y2) for p in (a, b))
    to_a = np.where(own_a == own_b, _surer(a.confidence[in_a], b.confidence[in_b]), own_a)
    for person, place, loses in ((a, in_a, contested & ~to_a), (b, in_b, contested & to_a)):
        person.lost[place][loses] = person.parts[place][loses]
        person.parts[place][loses] = BACKGROUND


def _surer(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where `a` is at least as high as `b`, decided in patches: single pixels would be noise."""
    side = max(3, min(a.shape) // PATCHES) | 1
    return np.asarray(cv2.blur(a - b, (side, side)) >= 0)


def _inside(box: Box, x1: int, y1: int, x2: int, y2: int) -> NDArray[np.bool_]:
    """Which pixels of the window (y2 - y1, x2 - x1) have their centre inside the box."""
    columns, rows = np.arange(x1, x2) + 0.5, np.arange(y1, y2) + 0.5
    across = (columns >= box.x1) & (columns < box.x2)
    down = (rows >= box.y1) & (rows < box.y2)
    return np.asarray(down[:, None] & across[None, :])


def _without_contradictions(person: PersonMap) -> NDArray[np.uint8]:
    """Parts with stray pixels of upper and lower in a dress, or of a dress in them, resolved."""
    parts = person.parts.copy()
    upper, lower, whole = ((parts == index).sum() for index in (UPPER, LOWER, WHOLE))
    if not whole or not upper + lower:
        return parts
    if whole < STRAY_WHOLE * (upper + lower):
        stray = parts == WHOLE
        up, low = (
            enlarged(person.probabilities[index], person.transform, person.window)
            if count
            else np.zeros(parts.shape, np.float32)
            for index, count in ((UPPER, upper), (LOWER, lower))
        )
        parts[stray] = np.where(up >= low, UPPER, LOWER)[stray]
        return parts
    for index, share in ABSORBED.items():
        pixels = parts == index
        if pixels.sum() < share * whole:
            parts[pixels] = WHOLE
    return parts


def without_specks(pixels: NDArray[np.bool_], main: int) -> tuple[NDArray[np.bool_], float]:
    """Mask without specks, and the share of its pixels in its `main` largest components."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(pixels.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    areas[0] = 0
    kept = areas >= SPECK_SHARE * areas.max()
    kept[0] = False
    main_share = np.sort(areas[kept])[-main:].sum() / areas[kept].sum()
    return kept[labels], float(main_share)


def garment_mask(
    region: Region,
    index: int,
    person: PersonMap,
    pixels: NDArray[np.bool_],
    main_share: float,
    second_guess: float | None = None,
) -> GarmentMask:
    """A garment of a person from its pixels (h, w) of the person's window, not empty.

    `second_guess` is the confidence of a garment whose region lost there, see `GarmentMask`.
    """
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    place = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    mask = pixels[place]
    # What other people took inside the garment's box may be the garment itself, hidden by them.
    lost = int((person.lost[place] == index).sum())
    return GarmentMask(
        region,
        person.window[0] + int(columns[0]),
        person.window[1] + int(rows[0]),
        np.ascontiguousarray(mask),
        float(person.confidence[place][mask].mean()) if second_guess is None else second_guess,
        main_share,
        lost / (lost + int(mask.sum())),
        second_guess is not None,
    )
