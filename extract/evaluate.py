"""How well garments are found, on photos with label maps: from the photo to the garment's box."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extract.base import Detector, Parser, Pixels
from extract.look import FoundPerson, Looked, dress, look
from extract.pipeline import Step, Threads, Workers
from extract.roles import Roles
from garments.boxes import Box, iou
from garments.errors import BadTable
from garments.images import decode
from garments.masks import mask_box
from garments.metrics import confusion_matrix, f1_per_class, iou_per_class
from garments.parts import (
    BACKGROUND,
    GARMENT_REGIONS,
    HAIR,
    IGNORED,
    PART_INDEX,
    PARTS,
    SKIN,
    Region,
)
from garments.sets.ccp import ParsedPhoto, default_split, load_parts, read_ccp, read_garment_boxes
from garments.settings import CropSettings, FramingLimits, SpeedSettings

BOXED = (Region.UPPER, Region.LOWER, Region.WHOLE)
"""Regions whose boxes are scored: those that are cut out by default."""

SEVEN = np.arange(len(PARTS), dtype=np.uint8)
"""Parts as the seven classes that are scored: hair and skin are one."""
SEVEN[SKIN] = HAIR

FOUND_AT = 0.5
"""IoU from which a garment counts as found."""

READERS, BATCH = 2, 8
"""Threads that read ahead, and photos that go to a worker together."""

Figures = dict[str, float | int]
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Scored:
    """One photo's outcome.

    `confusion` counts pixels (parts x parts). `ious` has for each true garment its region, the
    best IoU of what was cut, and that of the typical box. `right` and `cut` count garments that
    were cut: those that lie on a true one (IoU >= 0.5), and all.
    """

    confusion: NDArray[np.int64]
    ious: list[tuple[Region, float, float]]
    right: int
    cut: int


@dataclass(frozen=True, eq=False)
class Labelled:
    """A photo in memory and its true parts (H, W)."""

    photo: ParsedPhoto
    pixels: Pixels
    parts: NDArray[np.uint8]


def evaluate_extract(
    data: Path,
    split: str | None = None,
    detector: str | Detector = "starter",
    parser: str | Parser = "starter",
    limits: FramingLimits | None = None,
    device: str = "auto",
    limit: int | None = None,
    tell: Tell = lambda done, total: None,
    workers: Workers | None = None,
    speed: SpeedSettings | None = None,
) -> Figures:
    """Score extraction end to end on a folder laid out as CCP; one flat object of figures.

    Pixels are those of the whole photo, pooled over the set, and a photo whose people were all
    turned down is all background. IoU and F1 are macro over the five regions, accuracy is over
    seven classes (background, hair and skin, five regions). A garment of the truth counts 0 when
    nothing of its region was found or its person was rejected. Second guesses count as cut, so
    `garment_precision` (garments cut that lie on a true one of their region) pays for them.
    `split` None is val where there is one, else all. `workers` do the work, threads of this process
    unless given. Raises `BadTable` for another layout.
    """
    everything = read_ccp(data)
    photos = default_split(everything) if split is None else read_ccp(data, split)
    photos = photos[:limit]
    train = [item for item in everything if item.split != "val"] or everything
    truth = _Truth(read_garment_boxes(data))
    roles, limits = Roles.of(detector, parser, device, speed), limits or FramingLimits()
    scoring = partial(_score_all, limits=limits, truth=truth, typical=truth.typical(train))
    steps = [
        Step(read_labelled),
        Step(partial(_look_all, roles=roles, limits=limits), models=True),
        Step(scoring),
    ]
    scored = list[Scored]()
    with closing((workers or Threads(READERS)).run(photos, steps, BATCH)) as done:
        for one in done:
            scored.append(one)
            tell(len(scored), len(photos))
    if not scored:
        raise BadTable(f"expected photos with label maps in {data}, but there are none to score")
    return _figures(scored)


class _Truth:
    """The true garments of photos: from a table where there is one, else from the label maps."""

    def __init__(self, listed: dict[Path, list[tuple[Region, Box]]]) -> None:
        """`listed` are garments by photo, empty for a set of one person a photo."""
        self._listed = listed

    def garments(self, photo: ParsedPhoto, parts: NDArray[np.uint8]) -> list[tuple[Region, Box]]:
        """Garments of regions upper, lower, whole with their boxes (xyxy pixels)."""
        if self._listed:
            listed = self._listed.get(photo.photo, [])
            return [(region, box) for region, box in listed if region in BOXED]
        return true_boxes(parts)

    def typical(self, photos: Iterable[ParsedPhoto]) -> dict[Region, Box]:
        """Median box per region, as shares of the photo's sides: what a blind guess would say."""
        boxes: dict[Region, list[Box]] = {region: [] for region in BOXED}
        for photo in photos:
            parts = load_parts(photo)
            height, width = parts.shape
            for region, (x1, y1, x2, y2) in self.garments(photo, parts):
                boxes[region].append(Box(x1 / width, y1 / height, x2 / width, y2 / height))
        medians = {r: np.median(np.array(found), axis=0) for r, found in boxes.items() if found}
        return {region: Box(*median.tolist()) for region, median in medians.items()}


def true_boxes(parts: NDArray[np.uint8]) -> list[tuple[Region, Box]]:
    """Garments of one person's true map (H, W): regions that it has, with their boxes."""
    boxes = ((region, mask_box(parts == PART_INDEX[region])) for region in BOXED)
    return [(region, box) for region, box in boxes if box is not None]


def read_labelled(batch: Sequence[ParsedPhoto]) -> list[Labelled]:
    """Photos with their true label maps."""
    return [
        Labelled(photo, decode(photo.photo.read_bytes()).pixels, load_parts(photo))
        for photo in batch
    ]


def _look_all(
    batch: Sequence[Labelled], roles: Roles, limits: FramingLimits
) -> list[tuple[Labelled, Looked]]:
    """One by one, so that the figures do not depend on what else is in a batch."""
    models = roles.detector, roles.parser
    return [(one, look([one.pixels], *models, limits)[0]) for one in batch]


def _score_all(
    batch: Sequence[tuple[Labelled, Looked]],
    limits: FramingLimits,
    truth: _Truth,
    typical: dict[Region, Box],
) -> list[Scored]:
    second_guess = CropSettings().second_guess
    return [
        _score(
            one.parts,
            truth.garments(one.photo, one.parts),
            dress(looked, limits, second_guess),
            typical,
        )
        for one, looked in batch
    ]


def _score(
    truth: NDArray[np.uint8],
    garments: Sequence[tuple[Region, Box]],
    people: Sequence[FoundPerson],
    typical: dict[Region, Box],
) -> Scored:
    height, width = truth.shape
    predicted = np.full(truth.shape, BACKGROUND, np.uint8)
    found: list[tuple[Region, Box]] = []
    for person in people:
        if person.map is None:
            continue
        x1, y1, x2, y2 = person.map.window
        area = predicted[y1:y2, x1:x2]
        np.copyto(area, person.map.parts, where=person.map.parts != BACKGROUND)
        found += [(garment.region, garment.box) for garment in person.garments]
    ious = []
    for region, box in garments:
        best = max((iou(box, b) for r, b in found if r == region), default=0.0)
        guess = typical.get(region, Box(0, 0, 1, 1))
        blind = Box(guess.x1 * width, guess.y1 * height, guess.x2 * width, guess.y2 * height)
        ious.append((region, best, iou(box, blind)))
    known = truth != IGNORED
    counts = confusion_matrix(truth[known], predicted[known], len(PARTS))
    boxed = [(region, box) for region, box in found if region in BOXED]
    right = sum(
        any(r == region and iou(b, box) >= FOUND_AT for r, b in garments) for region, box in boxed
    )
    return Scored(counts, ious, right, len(boxed))


def _figures(scored: Sequence[Scored]) -> Figures:
    total = sum((one.confusion for one in scored), np.zeros((len(PARTS),) * 2, np.int64))
    seven = np.zeros_like(total)
    np.add.at(seven, (SEVEN[:, None], SEVEN[None, :]), total)
    ious, f1 = iou_per_class(total), f1_per_class(total)
    rows = [PART_INDEX[region] for region in GARMENT_REGIONS]
    garments = [found for one in scored for found in one.ious]
    own = np.array([value for _, value, _ in garments])
    figures: Figures = {
        "photos": len(scored),
        "garments": len(garments),
        "parser_pixel_accuracy": float(np.trace(seven) / seven.sum()),
        "parser_miou5": float(np.nan_to_num(ious[rows]).mean()),
        "parser_f1_5": float(np.nan_to_num(f1[rows]).mean()),
    }
    for region, row in zip(GARMENT_REGIONS, rows, strict=True):
        figures[f"parser_iou_{region}"] = float(np.nan_to_num(ious[row]))
    figures["garment_box_iou"] = float(own.mean()) if len(own) else 0.0
    figures["garment_found"] = float((own >= FOUND_AT).mean()) if len(own) else 0.0
    cut = sum(one.cut for one in scored)
    figures["garments_cut"] = cut
    figures["garment_precision"] = sum(one.right for one in scored) / cut if cut else 0.0
    blind = np.array([value for _, _, value in garments])
    figures["garment_box_iou_constant"] = float(blind.mean()) if len(blind) else 0.0
    for region in BOXED:
        mine = [value for r, value, _ in garments if r == region]
        if mine:
            figures[f"garment_box_iou_{region}"] = float(np.mean(mine))
    return figures
