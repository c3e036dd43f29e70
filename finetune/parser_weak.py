"""Photos of which only the garments are known, not where they are, for the starter parser.

The starter models say where; the tags say what cannot be there. Self-training with constraints, as
in Papandreou et al., 2015, arXiv 1502.02734: what a tag rules out gets no pixels, and pixels that
stay in doubt teach nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extract.base import CROP_SIZE, Detector, Parser, Pixels
from extract.letterbox import person_crop
from extract.models import load_detector, load_parser
from extract.regions import person_map
from finetune.parser_data import Example, cut_example
from garments.boxes import Box
from garments.images import decode
from garments.mappings import mapping
from garments.parts import BACKGROUND, HAIR, IGNORED, PARTS, SKIN
from garments.sets.ccp import read_ccp_tags

SURE = 0.6
"""Likeliest part's probability from which a pixel is learnt, once the tags were heard."""

LEAST_HEIGHT = 0.4
"""Share of the photo's height below which the largest person is not the one that is tagged."""


def weak_examples(root: Path, side: int = CROP_SIZE) -> Iterator[Example]:
    """Tagged photos in `root` (laid out as CCP) with labels by the starter models; none is fine.

    They are kept for crops of `side` pixels.
    """
    if not (root / "image_tags.csv").is_file():
        return
    detector, parser = load_detector("starter", "cpu"), load_parser("starter", "cpu")
    for photo in read_ccp_tags(root):
        if photo.path.is_file():
            pixels = decode(photo.path.read_bytes()).pixels
            found = _largest(pixels, detector)
            if found is not None:
                labels = labelled(pixels, found, photo.tags, parser)
                yield cut_example(pixels, labels, found, side=side)


def labelled(pixels: Pixels, box: Box, tags: Sequence[str], parser: Parser) -> NDArray[np.uint8]:
    """Part labels (H, W) of a photo's person: only parts that a tag names, 255 where in doubt."""
    height, width = pixels.shape[:2]
    crop, transform = person_crop(pixels, box, parser.side)
    likely = parser.parse(crop[None])[0] * _possible(tags)[:, None, None]
    likely /= likely.sum(axis=0, keepdims=True).clip(1e-6)
    person = person_map(likely, transform, box, width, height)
    labels = np.full((height, width), BACKGROUND, np.uint8)
    x1, y1, x2, y2 = person.window
    labels[y1:y2, x1:x2] = np.where(person.confidence >= SURE, person.parts, IGNORED)
    return labels


def _possible(tags: Sequence[str]) -> NDArray[np.float32]:
    """1 for parts that tags name, and for background, hair and skin; 0 for others."""
    known = mapping("ccp")
    named = {entry.part_index for tag in tags if (entry := known.entry(tag)) is not None}
    there = {BACKGROUND, HAIR, SKIN} | named
    return np.array([index in there for index in range(len(PARTS))], np.float32)


def _largest(pixels: Pixels, detector: Detector) -> Box | None:
    """The largest person who is large enough, by the detector."""
    height, width = pixels.shape[:2]
    found = detector.detect([pixels])[0]
    boxes = [Box(*row).clipped(width, height) for row in found.boxes[found.scores > 0.3].tolist()]
    tall = [box for box in boxes if box.height >= LEAST_HEIGHT * height]
    return max(tall, key=lambda box: box.area, default=None)
