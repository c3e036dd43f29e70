"""Garments with true labels, cut out of public sets whose pixels or boxes are labelled.

They are cut as `extract` cuts them, but along the true masks, so that what is measured on them is
the tagger alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from garments.boxes import Box
from garments.images import Pixels, decode, fit
from garments.mappings import LabelMapping, mapping
from garments.masks import mask_box
from garments.parts import GARMENT_REGIONS, PART_INDEX, Region
from garments.sets.ccp import ParsedPhoto, load_parts, read_ccp, read_label_map, read_names
from garments.sets.tables import number, of_split, read_table
from garments.tagger import Crop
from garments.taxonomy import Taxonomy

MARGIN = 0.05
"""Around the garment's box, as a share of its sides: what `crops.margin` is by default."""

LONGEST = 256
"""Longer side of a crop in pixels, as `crops.longest` is by default."""

OUTER = ("coat", "cape", "jacket", "blazer", "cardigan", "vest")
"""Categories that are worn over others, outermost first."""

OUTER_SHARE = 0.25
"""Share of a region's pixels from which an outer layer names the region."""

MIN_PIXELS = 64
"""Regions with fewer pixels are no garment that could be told."""


@dataclass(frozen=True)
class LabelledCrop:
    """One garment: `values` by attribute of the default taxonomy, `box` xyxy in photo pixels."""

    name: str
    split: str
    values: Mapping[str, str]
    photo: ParsedPhoto
    region: Region
    box: Box

    def load(self) -> Crop:
        """The crop with its true mask; reads the photo and its label map."""
        pixels, parts = _read(self.photo)
        height, width = parts.shape
        grown = self.box.grown(MARGIN).clipped(width, height)
        rows = slice(int(grown.y1), max(int(grown.y1) + 1, int(np.ceil(grown.y2))))
        columns = slice(int(grown.x1), max(int(grown.x1) + 1, int(np.ceil(grown.x2))))
        own = np.zeros(parts.shape, bool)
        inside = slice(int(self.box.y1), int(np.ceil(self.box.y2)))
        across = slice(int(self.box.x1), int(np.ceil(self.box.x2)))
        own[inside, across] = parts[inside, across] == PART_INDEX[self.region]
        return _reduced(pixels[rows, columns], own[rows, columns], self.region)


def ccp_crops(root: Path | str, split: str | None = None) -> list[LabelledCrop]:
    """A crop for every region of every photo whose labels name a category. Raises `BadTable`.

    Its gender is a weak word, told by what else is worn.
    """
    found: list[LabelledCrop] = []
    labels = mapping("ccp")
    for photo in read_ccp(root, split):
        found += _of_photo(photo, labels)
    return found


def street_crops(root: Path | str, split: str | None = None) -> list[LabelledCrop]:
    """A crop for every garment of a synthetic street with its category, color and pattern."""
    root = Path(root)
    photos = {photo.photo: photo for photo in read_ccp(root)}
    table = root / "garments.csv"
    columns = ("x1", "y1", "x2", "y2")
    attributes = ("category", "color", "pattern")
    rows = read_table(table, ("file", "region", *attributes, *columns))
    found = []
    for index, row in enumerate(rows):
        photo = photos.get(root / row["file"])
        box = Box(*(number(row, column, table) for column in columns))
        if photo is None or min(box.width, box.height) < 2:
            continue
        values = street_values(row["category"], row["color"], row["pattern"])
        name = f"{row['file']}#{index}"
        found.append(LabelledCrop(name, photo.split, values, photo, Region(row["region"]), box))
    return of_split(found, split, table)


def street_values(category: str, color: str, pattern: str) -> dict[str, str]:
    """Values of the default taxonomy for the street's words; a particular kind names its parent."""
    taxonomy = Taxonomy.default()
    values: dict[str, str] = {}
    particular = taxonomy.resolve("sub_category", category)
    if taxonomy.resolve("category", category):
        values["category"] = category
    elif particular:
        parent = taxonomy.attribute("sub_category").value(particular).parent
        values |= {"category": parent or "", "sub_category": particular}
    values |= {"color": color, "pattern": pattern}
    return {name: value for name, value in values.items() if value}


def _of_photo(photo: ParsedPhoto, labels: LabelMapping) -> Iterator[LabelledCrop]:
    """The photo's garments by region, each named by the outermost garment that its labels tell.

    What the whole outfit tells of each, such as whom it is cut for, is a weak word.
    """
    names = read_names(photo.names)
    raw, parts = read_label_map(photo.label), load_parts(photo)
    outfit = labels.outfit(names.get(label, "") for label in np.unique(raw).tolist())
    for region in GARMENT_REGIONS:
        own = parts == PART_INDEX[region]
        box = mask_box(own) if np.count_nonzero(own) >= MIN_PIXELS else None
        if box is None:
            continue
        counts = np.bincount(raw[own], minlength=256)
        category = _category(counts, names, labels)
        if category:
            name = f"{photo.photo.name}#{region}"
            values = {"category": category, **outfit}
            yield LabelledCrop(name, photo.split, values, photo, region, box)


def _category(
    counts: NDArray[np.int64], names: Mapping[int, str], labels: LabelMapping
) -> str | None:
    """The category that pixels of one region tell."""
    pixels: dict[str, int] = {}
    for label in np.flatnonzero(counts).tolist():
        entry = labels.entry(names.get(label, ""))
        category = entry.values.get("category") if entry else None
        if category:
            pixels[category] = pixels.get(category, 0) + int(counts[label])
    return outermost(pixels)


def outermost(pixels: Mapping[str, int]) -> str | None:
    """The category that names a region, from its pixels by category; None where there are none.

    An outer layer that covers enough of it, else what covers most.
    """
    if not pixels:
        return None
    whole = sum(pixels.values())
    for category in OUTER:
        if pixels.get(category, 0) >= OUTER_SHARE * whole:
            return category
    return max(pixels, key=lambda category: pixels[category])


@lru_cache(maxsize=4)
def _read(photo: ParsedPhoto) -> tuple[Pixels, NDArray[np.uint8]]:
    """A photo and its parts; kept for a moment, since its garments are asked for one by one."""
    return decode(photo.photo.read_bytes()).pixels, load_parts(photo)


def _reduced(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], region: Region) -> Crop:
    """A crop of at most `LONGEST` pixels, its mask reduced with it."""
    small = np.ascontiguousarray(fit(np.ascontiguousarray(pixels), LONGEST))
    if small.shape[:2] != mask.shape:
        size = (small.shape[1], small.shape[0])
        shares = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        mask = shares >= min(0.5, float(shares.max()))
    return Crop(small, mask if mask.any() else None, region)
