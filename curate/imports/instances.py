"""iMaterialist 2020: garments by instance, of one or several people whom nobody has labelled.

A region's mask is all that somebody wears there, so a shirt under a jacket and two shoes are one
piece each, named by the outermost garment. Who wears what is told by where it is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from curate.imports.entries import Entry, Look, Piece, PublicSet
from curate.imports.pixels import piece
from curate.imports.shop import edition
from curate.imports.words import Lexicon, Words
from garments.boxes import Box
from garments.errors import BadInput
from garments.mappings import mapping
from garments.masks import mask_box
from garments.parts import GARMENT_REGIONS, Region
from garments.sets.crops import MIN_PIXELS, outermost
from garments.sets.imaterialist import NAMES, TABLE, Instance, Label, read_imaterialist, read_labels

LICENCE = "annotations: see the competition; photos: their owners' own, not stated"

MAIN = frozenset((Region.UPPER, Region.LOWER, Region.WHOLE))
"""Regions that tell outfits apart."""

SAME_OUTFIT = 0.3
"""Garments above each other whose widths overlap by this share of the narrower are one outfit."""


@dataclass(frozen=True, eq=False)
class Worn:
    """An instance as a garment: `box` xyxy pixels, `values` by attribute of the taxonomy.

    `category` is what it is taken for, whether or not that becomes a label.
    """

    region: Region
    box: Box
    instance: Instance
    category: str
    values: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Speech:
    """What a photo's labels are read with: names by id, the lexicon, and the wanted regions."""

    categories: Mapping[int, Label]
    attributes: Mapping[int, Label]
    lexicon: Lexicon
    regions: frozenset[Region]


def imaterialist(root: Path, lexicon: Lexicon, regions: Collection[Region]) -> PublicSet:
    """Photos of `train.csv` (test photos have no labels); of their garments those of `regions`."""
    speech = Speech(*read_labels(root), lexicon, frozenset(regions))
    entries = [
        Entry(photo.file, photo.path, partial(_look, photo.instances, speech), "train", LICENCE)
        for photo in read_imaterialist(root)
    ]
    return PublicSet("imaterialist", entries, edition(root / TABLE, root / NAMES))


def outfits(worn: Sequence[Worn]) -> list[list[Worn]]:
    """Who wears what: garments above each other belong together, the rest to what is nearest."""
    main = sorted((one for one in worn if one.region in MAIN), key=lambda one: one.box.x1)
    found: list[list[Worn]] = []
    for one in main:
        own = [outfit for outfit in found if any(_above(one.box, other.box) for other in outfit)]
        found = [outfit for outfit in found if outfit not in own]
        found.append([*(other for outfit in own for other in outfit), one])
    if not found:
        return [list(worn)] if worn else []
    spans = [(min(w.box.x1 for w in outfit), max(w.box.x2 for w in outfit)) for outfit in found]
    for one in worn:
        if one.region not in MAIN:
            middle = (one.box.x1 + one.box.x2) / 2
            away = [max(left - middle, middle - right, 0.0) for left, right in spans]
            found[int(np.argmin(away))].append(one)
    return sorted(found, key=lambda outfit: min(w.box.x1 for w in outfit))


def _above(a: Box, b: Box) -> bool:
    shared = min(a.x2, b.x2) - max(a.x1, b.x1)
    return shared >= SAME_OUTFIT * min(a.width, b.width)


def _look(instances: Callable[[], list[Instance]], speech: Speech) -> Look:
    read, words = instances(), Words()
    sizes = sorted({(one.mask.width, one.mask.height) for one in read})
    if len(sizes) != 1:
        raise BadInput(f"expected one size in the rows of a photo, but got {sizes}")
    worn = [one for instance in read if (one := _worn(instance, speech, words))]
    pieces = [
        _piece(number, region, own)
        for number, outfit in enumerate(outfits(worn))
        for region in GARMENT_REGIONS
        if region in speech.regions and (own := [one for one in outfit if one.region == region])
    ]
    return Look(sizes[0], pieces=tuple(filter(None, pieces)), words=words)


def _worn(instance: Instance, speech: Speech, words: Words) -> Worn | None:
    """The instance as a garment; None for a part of one, and for what no mapping knows."""
    label = speech.categories.get(instance.category, Label(f"ClassId {instance.category}", ""))
    labels = mapping("imaterialist")
    values = speech.lexicon.translate(labels, label.name, words)
    entry = labels.entry(label.name)
    if entry is None or entry.part not in GARMENT_REGIONS:
        return None
    first = int(instance.mask.counts[0]) // instance.mask.height
    box = mask_box(instance.mask.columns(first, instance.mask.width))
    assert box is not None
    box = Box(box.x1 + first, box.y1, box.x2 + first, box.y2)
    region = Region(entry.part)
    details = _details(instance, region, speech, words)
    category = details.get("category", entry.values.get("category", ""))
    values = speech.lexicon.consistent(values | details)
    return Worn(region, box, instance, category, values)


def _details(instance: Instance, region: Region, speech: Speech, words: Words) -> dict[str, str]:
    """What attributes say beyond the class; of two that contradict each other neither counts."""
    labels = mapping("imaterialist.attributes")
    found: dict[str, set[str]] = {}
    for number in instance.attributes:
        label = speech.attributes.get(number, Label(f"AttributesIds {number}", ""))
        entry = labels.entry(label.name)
        if entry is None and labels.entry(label.group):
            continue  # of a group that the taxonomy does not ask about
        if entry is not None and entry.part not in (None, region):
            continue
        for attribute, value in speech.lexicon.translate(labels, label.name, words).items():
            found.setdefault(attribute, set()).add(value)
    if len(found.get("pattern", ())) > 1:
        found["pattern"].discard("solid")  # the ground of the other pattern
    return {name: values.pop() for name, values in found.items() if len(values) == 1}


def _piece(number: int, region: Region, worn: Sequence[Worn]) -> Piece | None:
    """All that one outfit has in a region as one piece; None for a few pixels."""
    height, left = worn[0].instance.mask.height, int(min(one.box.x1 for one in worn))
    strip = np.zeros((height, int(max(one.box.x2 for one in worn)) - left), bool)
    pixels: dict[str, int] = {}
    for one in worn:
        x1, x2 = int(one.box.x1), int(one.box.x2)
        strip[:, x1 - left : x2 - left] |= one.instance.mask.columns(x1, x2)
        pixels[one.category] = pixels.get(one.category, 0) + one.instance.mask.area
    if np.count_nonzero(strip) < MIN_PIXELS:
        return None
    outer = outermost(pixels)
    named = [one for one in worn if one.category == outer]
    largest = max(named, key=lambda one: one.instance.mask.area)
    key = str(region) if number == 0 else f"{region}-{number}"
    return piece(key, region, strip, largest.values, (left, 0))
