"""COCO's people: boxes and how they are framed, but no garments."""

from functools import partial
from pathlib import Path

import numpy as np

from curate.imports.entries import Entry, Figure, Look, PublicSet
from curate.imports.shop import edition
from extract.framing import judge
from garments.boxes import Box
from garments.errors import BadInput
from garments.records import Verdict
from garments.sets.coco import annotation_files, read_coco
from garments.sets.persons import PersonsPhoto, read_persons
from garments.settings import FramingLimits

LICENCE = "the photo's own on Flickr, not stated here; boxes CC BY 4.0 (COCO)"

FRAMED = {
    "full_body": (Verdict.ACCEPTED, ""),
    "no_feet": (Verdict.HALF_BODY, "labelled: head and hip or knee, no ankle"),
    "head_shoulders": (Verdict.HEAD_ONLY, "labelled: head and shoulders"),
    "head_only": (Verdict.HEAD_ONLY, "labelled: head only"),
    "no_head": (Verdict.CUT_OFF, "labelled: no head"),
}
"""What the words of the column `framing` mean; else the box is judged by the data set's limits."""


def persons(root: Path, limits: FramingLimits) -> PublicSet:
    """COCO as it is published (`annotations/*.json`), or a folder with images.csv and boxes.csv."""
    if (root / "images.csv").is_file():
        photos = read_persons(root, complete=False)
        tables = [root / f"{name}.csv" for name in ("images", "boxes")]
    else:
        photos, tables = read_coco(root), annotation_files(root)
    entries = [
        Entry(
            photo.file,
            photo.path,
            partial(_look, photo, limits),
            photo.split,
            photo.licence or LICENCE,
        )
        for photo in photos
    ]
    return PublicSet("persons", entries, edition(*tables), cuts=False)


def _look(photo: PersonsPhoto, limits: FramingLimits) -> Look:
    """The photo's people; a region that is a crowd is nobody."""
    size = (photo.width, photo.height)
    if not np.isfinite(photo.boxes).all():
        raise BadInput(
            f"expected boxes of x, y, width and height, but one of {photo.file} is not; correct it"
        )
    boxes = [
        Box(*map(float, box)).clipped(*size)
        for box, crowd in zip(photo.boxes, photo.crowd, strict=True)
        if not crowd
    ]
    seen = [box for box in boxes if min(box.width, box.height) >= 1]
    framed = FRAMED.get(photo.framing or "") if len(seen) == 1 else None
    figures = tuple(Figure(box, *(framed or judge(box, size, limits))) for box in seen)
    return Look(size, figures)
