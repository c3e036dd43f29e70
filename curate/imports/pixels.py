"""Clothing Co-Parsing: one person a photo, every pixel labelled."""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curate.imports.entries import Entry, Figure, Look, Piece, PublicSet
from curate.imports.shop import edition
from curate.imports.words import Lexicon, Words
from extract.regions import SPECK_AREA, without_specks
from garments.errors import BadTable
from garments.ids import stable_id
from garments.mappings import mapping, part_index
from garments.masks import mask_box
from garments.parts import BACKGROUND, GARMENT_REGIONS, IGNORED, PART_INDEX, Region
from garments.records import Verdict
from garments.sets.ccp import ParsedPhoto, read_ccp, read_label_map, read_names
from garments.sets.crops import MIN_PIXELS, outermost


@dataclass(frozen=True, eq=False)
class Reading:
    """What label maps are read with: names by id, the lexicon, and the regions that are wanted."""

    names: Mapping[int, str]
    lexicon: Lexicon
    regions: frozenset[Region]


LICENCE = "Apache-2.0 (annotations); the photographers' terms are not stated"


def ccp(root: Path, lexicon: Lexicon, regions: Collection[Region]) -> PublicSet:
    """Photos with label maps; of their garments those of `regions`.

    A street of several people is refused: a map cannot part them.
    """
    if (root / "garments.csv").is_file():
        raise BadTable(
            f"expected photos of one person each in {root}, but its garments.csv tells of several, "
            "as a synthetic street has them; cut these with `garmentloop extract`"
        )
    photos = read_ccp(root, complete=False)
    names = read_names(root / "labels.csv")
    reading = Reading(names, lexicon, frozenset(regions))
    entries = [
        Entry(
            Path(os.path.relpath(photo.photo, root)).as_posix(),
            photo.photo,
            partial(_look, photo, reading),
            photo.split,
            LICENCE,
        )
        for photo in photos
    ]
    tables = sorted(root.glob("*.csv"))
    maps = stable_id(*(edition(photo.label) for photo in photos))
    return PublicSet("ccp", entries, f"{edition(*tables)}-{maps}")


def _look(photo: ParsedPhoto, reading: Reading) -> Look:
    raw, words = read_label_map(photo.label), Words()
    present = np.flatnonzero(np.bincount(raw.ravel(), minlength=256)).tolist()
    parts = _part_table(
        {label: reading.names.get(label, f"id {label}") for label in present}, words
    )[raw]
    size = (raw.shape[1], raw.shape[0])
    figure = (parts != BACKGROUND) & (parts != IGNORED)
    if np.count_nonzero(figure) < MIN_PIXELS:
        return Look(size, words=words)
    box = mask_box(without_specks(figure, 1)[0])
    assert box is not None
    least = max(MIN_PIXELS, SPECK_AREA * box.area)
    pieces = tuple(_pieces(raw, parts, reading, least, words))
    return Look(size, (Figure(box, Verdict.ACCEPTED),), pieces, words)


def _part_table(present: Mapping[int, str], words: Words) -> NDArray[np.uint8]:
    """Part by label id, (256,) uint8; a name that no label set knows is counted and ignored."""
    table = np.full(256, IGNORED, np.uint8)
    for label, name in present.items():
        entry = mapping("ccp").entry(name)
        index = entry.part_index if entry else part_index(name)
        if index is None:
            words.unknown[name] += 1
        else:
            table[label] = index
    return table


def _pieces(
    raw: NDArray[np.uint8],
    parts: NDArray[np.uint8],
    reading: Reading,
    least: float,
    words: Words,
) -> Iterator[Piece]:
    """The garment of each wanted region that covers at least so many pixels."""
    for region in GARMENT_REGIONS:
        if region not in reading.regions:
            continue
        everywhere = parts == PART_INDEX[region]
        box = mask_box(everywhere) if np.count_nonzero(everywhere) >= least else None
        if box is None:
            continue
        left, top, right, bottom = map(int, box)
        window = (slice(top, bottom), slice(left, right))
        own, _ = without_specks(everywhere[window], 2 if region is Region.FEET else 1)
        counts = np.bincount(raw[window][own], minlength=256)
        pixels = {reading.names.get(int(i), ""): int(counts[i]) for i in np.flatnonzero(counts)}
        values = named(pixels, reading.lexicon, words)
        yield piece(str(region), region, own, values, (left, top), figure=0)


def piece(
    key: str,
    region: Region,
    mask: NDArray[np.bool_],
    values: Mapping[str, str],
    corner: tuple[int, int],
    figure: int | None = None,
) -> Piece:
    """A piece from a mask, not empty, whose top left `corner` (x, y) is in pixels of the photo."""
    box = mask_box(mask)
    assert box is not None
    x1, y1, x2, y2 = map(int, box)
    own = np.ascontiguousarray(mask[y1:y2, x1:x2])
    return Piece(key, region, values, own, corner[0] + x1, corner[1] + y1, figure)


def named(pixels: Mapping[str, int], lexicon: Lexicon, words: Words) -> dict[str, str]:
    """Values of a region from its pixels by label: those of the outermost garment's main label."""
    labels, by_category = mapping("ccp"), dict[str, dict[str, int]]()
    for label, count in pixels.items():
        entry = labels.entry(label)
        if entry and "category" in entry.values:
            by_category.setdefault(entry.values["category"], {})[label] = count
    outer = outermost({category: sum(own.values()) for category, own in by_category.items()})
    if outer is None:
        return {}
    own = by_category[outer]
    return lexicon.translate(labels, max(own, key=lambda label: own[label]), words)
