"""Whole photos with person boxes, and label maps where there are some, for the starter detector."""

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from extract.starter.detector import STRIDE
from finetune.augment import Affine, jitter, warp, warp_boxes, warp_labels
from finetune.detector_paste import can_give, pasted
from finetune.detector_scene import SMALLEST_BOX, Scene
from finetune.loop import Batch
from finetune.street_cache import StreetPicture
from garments.images import decode
from garments.masks import mask_box
from garments.parts import BACKGROUND, IGNORED
from garments.sets.ccp import ParsedPhoto, load_parts
from garments.sets.persons import PersonsPhoto

CANVAS = 288
"""Side of the square training images, in pixels."""

KEPT_LONGEST = 416
"""Longer side of stored photos, in pixels."""

LEAST_VISIBLE = 0.25
"""Share of a box that must lie on the canvas for the person to count."""

MOST_BOXES = 24


def person_scenes(photos: Iterable[PersonsPhoto]) -> Iterator[Scene]:
    """Everyday photos; crowds are ignored, truncated lists of boxes are trusted little."""
    for photo in photos:
        pixels = decode(photo.path.read_bytes()).pixels
        crowd = np.array([bool(flag) for flag in photo.crowd], bool)
        yield _kept(
            Scene(
                pixels,
                photo.boxes[~crowd],
                photo.boxes[crowd],
                None,
                0.1 if photo.boxes_truncated else 1.0,
            )
        )


def parsed_scenes(photos: Iterable[ParsedPhoto]) -> Iterator[Scene]:
    """Photos of a parsing set: one labelled person each, bystanders unlabelled."""
    for photo in photos:
        labels = load_parts(photo)
        box = mask_box((labels != BACKGROUND) & (labels != IGNORED))
        if box is not None:
            pixels = decode(photo.photo.read_bytes()).pixels
            boxes = np.array([box], np.float32)
            yield _kept(Scene(pixels, boxes, np.zeros((0, 4), np.float32), labels, 0.3))


def street_scenes(pictures: Iterable[StreetPicture]) -> Iterator[Scene]:
    """Pictures of the synthetic street, where everybody is labelled."""
    none = np.zeros((0, 4), np.float32)
    for picture in pictures:
        yield _kept(Scene(picture.pixels, picture.boxes, none, picture.labels, 1.0))


class DetectorBatches:
    """Random augmented batches of square canvases."""

    def __init__(
        self, sources: Sequence[tuple[float, Sequence[Scene]]], batch: int, paste: float = 0.0
    ) -> None:
        """`sources` are (share of the batch, scenes).

        `paste` is the share of canvases that get another photo's person put in.
        """
        self._batch = batch
        donors = [scene for _, scenes in sources for scene in scenes if can_give(scene)]
        self._donors, self._paste = donors, paste if donors else 0.0
        shares = np.array([share for share, _ in sources])
        self._shares = shares / shares.sum()
        self._scenes = [scenes for _, scenes in sources]

    def __call__(self, rng: np.random.Generator) -> Batch:
        """Pixels (N, 3, S, S) uint8, boxes (N, M, 4) NaN-padded, weights and parts at stride 8."""
        made = [self._canvas(rng) for _ in range(self._batch)]
        pixels = np.stack([scene.pixels for scene in made])
        boxes = np.full((self._batch, MOST_BOXES, 4), np.nan, np.float32)
        weights = np.stack([_weights(scene) for scene in made])
        parts = np.stack([scene.labels for scene in made if scene.labels is not None])
        for row, scene in zip(boxes, made, strict=True):
            row[: len(scene.boxes)] = scene.boxes[:MOST_BOXES]
        return (
            torch.from_numpy(pixels).permute(0, 3, 1, 2),
            torch.from_numpy(boxes),
            torch.from_numpy(weights),
            torch.from_numpy(parts.astype(np.int64)),
        )

    def _canvas(self, rng: np.random.Generator) -> Scene:
        if rng.random() < 0.25:
            return self._mosaic(rng)
        canvas = placed(self._draw(rng), rng, CANVAS, CANVAS, 1.0)
        if rng.random() >= self._paste:
            return canvas
        return pasted(canvas, self._donors[int(rng.integers(len(self._donors)))], rng)

    def _mosaic(self, rng: np.random.Generator) -> Scene:
        """Four photos in one (Bochkovskiy et al., 2020, arXiv 2004.10934)."""
        x, y = (int(rng.uniform(0.35, 0.65) * CANVAS) // STRIDE * STRIDE for _ in range(2))
        corners = [(0, 0, x, y), (x, 0, CANVAS, y), (0, y, x, CANVAS), (x, y, CANVAS, CANVAS)]
        pixels = np.zeros((CANVAS, CANVAS, 3), np.uint8)
        labels = np.full((CANVAS // STRIDE,) * 2, IGNORED, np.uint8)
        boxes, ignored = [], []
        for x1, y1, x2, y2 in corners:
            tile = placed(self._draw(rng), rng, x2 - x1, y2 - y1, 1.15)
            pixels[y1:y2, x1:x2] = tile.pixels
            assert tile.labels is not None
            labels[y1 // STRIDE : y2 // STRIDE, x1 // STRIDE : x2 // STRIDE] = tile.labels
            boxes.append(tile.boxes + np.array([x1, y1, x1, y1], np.float32))
            ignored.append(tile.ignored + np.array([x1, y1, x1, y1], np.float32))
            if tile.trust < 1:  # what a source does not label must not count as empty
                ignored.append(np.array([[x1, y1, x2, y2]], np.float32))
        return Scene(pixels, np.concatenate(boxes), np.concatenate(ignored), labels, 1.0)

    def _draw(self, rng: np.random.Generator) -> Scene:
        scenes = self._scenes[int(rng.choice(len(self._shares), p=self._shares))]
        return scenes[int(rng.integers(len(scenes)))]


def placed(scene: Scene, rng: np.random.Generator, width: int, height: int, zoom: float) -> Scene:
    """Put a scene on a canvas of `width` x `height` at a random scale and place.

    `zoom` multiplies the scale at which the whole photo would fit; labels come at stride 8.
    """
    tall, wide = scene.pixels.shape[:2]
    fit = min(width / wide, height / tall)
    scale = fit * zoom * float(np.exp(rng.uniform(np.log(0.7), np.log(1.8))))
    target = [
        _position(length * scale, room, rng) for length, room in ((wide, width), (tall, height))
    ]
    stretch = float(np.exp(rng.normal(0, 0.08)))
    affine = Affine(
        (scale * stretch, scale),
        float(rng.normal(0, 2)),
        bool(rng.random() < 0.5),
        (wide / 2, tall / 2),
        (target[0], target[1]),
    ).matrix()
    pixels = jitter(warp(scene.pixels, affine, (width, height)), rng, 1.2)
    boxes, ignored = _visible(warp_boxes(scene.boxes, affine), width, height)
    regions = np.concatenate([ignored, warp_boxes(scene.ignored, affine)])
    small = affine / STRIDE
    small[:, 2] += 0.5 / STRIDE - 0.5
    grid = (width // STRIDE, height // STRIDE)
    labels = np.full(grid[::-1], IGNORED, np.uint8)
    if scene.labels is not None:
        labels = warp_labels(scene.labels, small, grid)
    return Scene(pixels, boxes, regions, labels, scene.trust)


def _position(length: float, room: int, rng: np.random.Generator) -> float:
    """Where the middle of a side of `length` goes: inside if it fits, else covering the canvas."""
    low, high = sorted((length / 2, room - length / 2))
    return float(rng.uniform(low, high))


def _visible(
    boxes: NDArray[np.float32], width: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes cut to the canvas: those to find, and those to ignore as too small or cut away."""
    limits = np.array([width, height, width, height], np.float32)
    cut = np.clip(boxes, 0, limits)
    sides, whole = cut[:, 2:] - cut[:, :2], boxes[:, 2:] - boxes[:, :2]
    share = sides.prod(axis=1) / np.maximum(whole.prod(axis=1), 1e-6)
    there = sides.min(axis=1, initial=np.inf) > 1
    good = there & (sides.max(axis=1, initial=0) >= SMALLEST_BOX) & (share >= LEAST_VISIBLE)
    return cut[good], cut[there & ~good]


def _weights(scene: Scene) -> NDArray[np.float32]:
    """Weight (S / 8, S / 8) of each cell's score as a negative example."""
    cells = CANVAS // STRIDE
    weights = np.full((cells, cells), scene.trust, np.float32)
    for x1, y1, x2, y2 in np.clip(scene.ignored, 0, CANVAS) / STRIDE:
        weights[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))] = 0.0
    return weights


def _kept(scene: Scene) -> Scene:
    """Scale a scene so that its longer side is at most `KEPT_LONGEST`."""
    tall, wide = scene.pixels.shape[:2]
    scale = min(1.0, KEPT_LONGEST / max(tall, wide))
    size = (max(1, round(wide * scale)), max(1, round(tall * scale)))
    pixels = np.asarray(cv2.resize(scene.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    labels = scene.labels
    if labels is not None:
        labels = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return Scene(pixels, scene.boxes * scale, scene.ignored * scale, labels, scene.trust)
