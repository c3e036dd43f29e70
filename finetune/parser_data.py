"""Person crops with label maps for training the starter parser."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from extract.base import CROP_SIZE, Pixels
from extract.letterbox import PADDING
from finetune.augment import Affine, Matrix, erase, jitter, warp, warp_labels
from finetune.loop import Batch
from finetune.street_cache import StreetPicture
from garments.boxes import Box
from garments.images import decode
from garments.masks import mask_box
from garments.parts import BACKGROUND, IGNORED, PARTS
from garments.sets.ccp import ParsedPhoto, load_parts, read_label_map, read_names

KEPT_LONGEST = 1.65
"""Longer side of the stored surroundings of a person, as a share of the crop's side."""

SURROUNDINGS = 0.25
"""Share of the box kept around it, so that box jitter shows real background."""

SMALLEST_PERSON = 120
"""Pixels of height below which a synthetic person teaches nothing about seams."""

Labels = NDArray[np.uint8]

Shown = tuple[Pixels, Labels, Labels]
"""A crop (S, W, 3), its part labels and its finer labels (S / 2, W / 2), 255 where unknown."""


@dataclass(frozen=True)
class Example:
    """One person: pixels (H, W, 3), part labels (H, W) and the person's box in them.

    `fine` (H, W) are the set's own, finer labels, None where there are none.
    """

    pixels: Pixels
    labels: NDArray[np.uint8]
    box: Box
    fine: NDArray[np.uint8] | None = None

    def canvas_width(self, side: int) -> int:
        """Columns that this person needs of a crop of `side` rows, a multiple of 32 up to it."""
        shape = self.box.grown(0.1)
        wanted = side * min(1.0, shape.width / shape.height)
        return int(min(side, max(96, np.ceil(wanted / 32) * 32)))


def cut_example(
    pixels: Pixels,
    labels: Labels,
    box: Box,
    fine: Labels | None = None,
    side: int = CROP_SIZE,
) -> Example:
    """Keep a person with surroundings, as large as crops of `side` pixels can show."""
    height, width = labels.shape
    kept = box.grown(SURROUNDINGS).clipped(width, height)
    x1, y1, x2, y2 = (int(value) for value in kept)
    scale = min(1.0, KEPT_LONGEST * side / max(x2 - x1, y2 - y1))
    size = (max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale)))
    moved = Box(*((value - off) * scale for value, off in zip(box, (x1, y1, x1, y1), strict=True)))
    small = cv2.resize(pixels[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA)
    window = (slice(y1, y2), slice(x1, x2))
    return Example(
        np.asarray(small, np.uint8),
        _nearest(labels[window], size),
        moved,
        None if fine is None else _nearest(fine[window], size),
    )


def _nearest(labels: Labels, size: tuple[int, int]) -> Labels:
    return np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def parsed_examples(photos: Iterable[ParsedPhoto], side: int = CROP_SIZE) -> Iterator[Example]:
    """One example a photo of a parsing set; the person is all that is labelled."""
    for photo in photos:
        labels = load_parts(photo)
        box = mask_box((labels != BACKGROUND) & (labels != IGNORED))
        if box is not None:
            fine = read_label_map(photo.label) if fine_count([photo]) else None
            yield cut_example(decode(photo.photo.read_bytes()).pixels, labels, box, fine, side)


def fine_count(photos: Sequence[ParsedPhoto]) -> int:
    """How many labels of its own a parsing set has, if those are finer than the parts; else 0."""
    names = read_names(photos[0].names) if photos else {}
    return max(names) + 1 if len(names) > len(PARTS) else 0


def street_examples(pictures: Iterable[StreetPicture], side: int = CROP_SIZE) -> Iterator[Example]:
    """People of the synthetic street who are large enough; their neighbours are background."""
    for picture in pictures:
        for index, row in enumerate(picture.boxes, start=1):
            box = Box(*row.tolist())
            if box.height >= SMALLEST_PERSON:
                labels = np.where(picture.owner == index, picture.labels, BACKGROUND)
                yield cut_example(picture.pixels, labels.astype(np.uint8), box, side=side)


class ParserBatches:
    """Random augmented batches; every batch has people of one canvas width."""

    def __init__(
        self,
        sources: Sequence[tuple[float, Sequence[Example]]],
        batch: int,
        side: int = CROP_SIZE,
    ) -> None:
        """`sources` are (share of the batches, examples); `side` is the crops' height."""
        self._batch, self._side = batch, side
        self._shares = np.array([share for share, _ in sources])
        self._by_width = [_by_width(examples, side) for _, examples in sources]
        every = [one.canvas_width(side) for _, examples in sources for one in examples]
        self._widths, counts = np.unique(every, return_counts=True)
        self._odds = counts / counts.sum()

    def __call__(self, rng: np.random.Generator) -> Batch:
        """Pixels (N, 3, S, W) uint8, part labels and finer labels (N, S / 2, W / 2) int64."""
        width = int(rng.choice(self._widths, p=self._odds))
        chosen = [self._draw(rng, width) for _ in range(self._batch)]
        made = [augment(example, width, rng, self._side) for example in chosen]
        pixels, labels, fine = (np.stack(some) for some in zip(*made, strict=True))
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        return images, *(torch.from_numpy(some.astype(np.int64)) for some in (labels, fine))

    def _draw(self, rng: np.random.Generator, width: int) -> Example:
        shares = np.array(
            [s if width in g else 0.0 for s, g in zip(self._shares, self._by_width, strict=True)]
        )
        group = self._by_width[int(rng.choice(len(shares), p=shares / shares.sum()))][width]
        return group[int(rng.integers(len(group)))]


def augment(example: Example, width: int, rng: np.random.Generator, side: int = CROP_SIZE) -> Shown:
    """A letterboxed crop as extraction makes it, varied, and its labels at stride 2."""
    window = _cut(_shaken(example.box, rng), rng).clipped(
        example.pixels.shape[1], example.pixels.shape[0]
    )
    scale = min(side / window.height, width / window.width)
    middle = ((window.x1 + window.x2) / 2, (window.y1 + window.y2) / 2)
    stretch = float(np.exp(rng.normal(0, 0.05)))
    affine = Affine(
        scale=(scale * stretch, scale),
        degrees=float(rng.normal(0, 4)),
        flip=bool(rng.random() < 0.5),
        source=middle,
        target=(width / 2, side / 2),
    ).matrix()
    pixels = jitter(warp(example.pixels, affine, (width, side)), rng)
    if rng.random() < 0.2:
        erase(pixels, rng)
    return _with_labels(example, pixels, affine, (window.width * scale, window.height * scale))


def fixed(example: Example, width: int, side: int = CROP_SIZE) -> Shown:
    """The crop that extraction would make, without variation, for evaluation."""
    window = example.box.grown(0.08).clipped(example.pixels.shape[1], example.pixels.shape[0])
    scale = min(side / window.height, width / window.width)
    middle = ((window.x1 + window.x2) / 2, (window.y1 + window.y2) / 2)
    affine = Affine((scale, scale), 0.0, False, middle, (width / 2, side / 2)).matrix()
    pixels = warp(example.pixels, affine, (width, side))
    return _with_labels(example, pixels, affine, (window.width * scale, window.height * scale))


def _with_labels(
    example: Example, pixels: Pixels, affine: Matrix, inner: tuple[float, float]
) -> Shown:
    """The crop with its labels moved by the same map; beside the window of `inner` size is grey."""
    height, width = pixels.shape[:2]
    size = (width // 2, height // 2)
    labels = warp_labels(example.labels, _halved(affine), size)
    fine = np.full_like(labels, IGNORED)
    if example.fine is not None:
        fine = warp_labels(example.fine, _halved(affine), size)
    _grey_outside(pixels, (labels, fine), *inner)
    return pixels, labels, fine


def _by_width(examples: Sequence[Example], side: int) -> dict[int, list[Example]]:
    groups: dict[int, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.canvas_width(side), []).append(example)
    return groups


def _shaken(box: Box, rng: np.random.Generator) -> Box:
    """The box as a detector might give it, with extraction's margin."""
    dx, dy = rng.normal(0, 0.04, 2) * box.width, rng.normal(0, 0.025, 2) * box.height
    moved = Box(box.x1 + dx[0], box.y1 + dy[0], box.x2 + dx[1], box.y2 + dy[1])
    return moved.grown(float(rng.uniform(0.02, 0.14)))


def _cut(box: Box, rng: np.random.Generator) -> Box:
    """Now and then only a part of the person, as at a photo's border."""
    if rng.random() > 0.15:
        return box
    share = float(rng.uniform(0.35, 0.9))
    if rng.random() < 0.7:
        return box._replace(y2=box.y1 + share * box.height)
    return box._replace(y1=box.y2 - share * box.height)


def _halved(matrix: Matrix) -> Matrix:
    """The same map onto a grid of half the size whose pixel centres lie between the others."""
    half = matrix * 0.5
    half[:, 2] -= 0.25
    return half


def _grey_outside(
    pixels: Pixels, labels: Sequence[Labels], inner_width: float, inner_height: float
) -> None:
    """Paint the letterbox's padding around the window in the middle, in place."""
    height, width = pixels.shape[:2]
    left, top = max(0, round((width - inner_width) / 2)), max(0, round((height - inner_height) / 2))
    for array, step, value in ((pixels, 1, PADDING), *((one, 2, IGNORED) for one in labels)):
        a, b = left // step, top // step
        array[:, :a] = value
        array[:, array.shape[1] - a :] = value
        array[:b] = value
        array[array.shape[0] - b :] = value
