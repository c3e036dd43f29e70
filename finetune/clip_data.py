"""What the image-text model learns from: pictures of garments with whatever is known of each."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.foreground import foreground
from annotate.samples import Sample, SampleSet, Vocabulary, read_samples
from finetune.street_cache import FIRST_SEED
from garments.errors import BadInput
from garments.images import Pixels, decode, fit
from garments.masks import RunLengthMask
from garments.parts import PART_INDEX, Region
from garments.sets.crops import MARGIN, street_values
from garments.sets.persons import read_persons
from garments.sets.tables import hash_percent
from garments.synthetic import draw_street
from garments.synthetic.truth import Street, StreetGarment
from garments.tagger import Crop
from garments.whole import in_place_of

KEPT_SIDE = 160
"""Longer side at which pictures are kept in memory, a little more than the model is shown."""

HELD_BACK = 7
"""Per cent of every training split that is kept for fitting the calibration, by name."""

UNSEEN = "clothing"
"""The set that no recipe may train on: it stays the unseen domain of evaluation."""

SHARD = 100
LEAST_SIDE = 24
"""Street garments of which less can be seen, in pixels, are left out."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One picture: its pixels, a mask where one is known, and what is true of it.

    `truth` has by attribute every value that counts as right, the main one first.
    """

    pixels: Pixels
    mask: RunLengthMask | None
    truth: Mapping[str, tuple[str, ...]]
    region: Region = Region.UNKNOWN

    def crop(self) -> Crop:
        """The picture as a tagger is given it; of a product shot nobody tells the mask."""
        known = self.mask is not None and self.region is not Region.UNKNOWN
        return Crop(self.pixels, self.mask.decode() if known and self.mask else None, self.region)


@dataclass(frozen=True)
class Material:
    """Pictures to learn from, and those held back for the calibration."""

    train: Sequence[Shown]
    held_back: Sequence[Shown]


def products(root: Path, split: str = "train") -> Material:
    """Products of `split` by their own words and, mapped, by the taxonomy's."""
    native = _seen(root, "native")
    mapped = {sample.name: sample.truth for sample in read_samples(root, "mapped").samples}
    samples = [
        Sample(s.name, s.split, {**s.truth, **mapped.get(s.name, {})}, s.load)
        for s in native.of_split(split)
    ]
    return _material(samples, with_foreground=True)


def parsed(root: Path, split: str = "train") -> Material:
    """Garments cut out of photos along their true masks, by category."""
    return _material(_seen(root, "mapped").of_split(split), with_foreground=False)


def backgrounds(root: Path) -> list[Pixels]:
    """Photos of split train of a person set, at `KEPT_SIDE`: what may be behind a garment."""
    photos = read_persons(root, "train")
    return [fit(decode(photo.path.read_bytes()).pixels, KEPT_SIDE) for photo in photos]


def _seen(root: Path, vocabulary: Vocabulary) -> SampleSet:
    """The set in `root`; `BadInput` for the one that has to stay unseen."""
    found = read_samples(root, vocabulary)
    if found.kind == UNSEEN:
        raise BadInput(
            f"expected a set to learn from, but {root} is laid out like {UNSEEN}, which no recipe "
            "may train on: it is the unseen domain of evaluation; give another folder"
        )
    return found


def _material(samples: Sequence[Sample], with_foreground: bool) -> Material:
    with ThreadPoolExecutor(2) as pool:
        shown = list(pool.map(partial(_shown, with_foreground=with_foreground), samples))
    held = [hash_percent(f"clip/{s.name.partition('#')[0]}") < HELD_BACK for s in samples]
    pairs = list(zip(shown, held, strict=True))
    return Material([s for s, back in pairs if not back], [s for s, back in pairs if back])


def _shown(sample: Sample, with_foreground: bool) -> Shown:
    crop = sample.load()
    pixels = np.ascontiguousarray(fit(crop.pixels, KEPT_SIDE))
    mask = crop.mask
    if mask is not None and mask.shape != pixels.shape[:2]:
        size = (pixels.shape[1], pixels.shape[0])
        mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    if mask is None and with_foreground:
        mask = foreground(pixels)
    run_lengths = None if mask is None or not mask.any() else RunLengthMask.encode(mask)
    return Shown(pixels, run_lengths, dict(sample.truth), crop.region)


def street(
    count: int,
    folder: Path,
    workers: int = 2,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> list[Shown]:
    """Garments of `count` pictures of the look `train`, drawn once into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Shown] = []
    # spawned, not forked: libraries with threads of their own do not survive a fork
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for first in range(0, count, SHARD):
            path = folder / f"street-garments-{first:06d}.npz"
            if not path.exists():
                seeds = range(FIRST_SEED + first, FIRST_SEED + first + SHARD)
                _write(path, [s for some in pool.map(_drawn, seeds, chunksize=5) for s in some])
            found += _read(path)
            tell(min(first + SHARD, count), count)
    return found


def _drawn(seed: int) -> list[Shown]:
    """The garments of one picture that can be seen well enough."""
    drawn = draw_street(seed, "train")
    return [
        _cut(drawn, owner, garment)
        for owner, person in enumerate(drawn.people, start=1)
        for garment in person.garments
        if min(garment.box.width, garment.box.height) >= LEAST_SIDE
    ]


def _cut(drawn: Street, owner: int, garment: StreetGarment) -> Shown:
    height, width = drawn.labels.shape
    x1, y1, x2, y2 = (int(side) for side in garment.box.grown(MARGIN).clipped(width, height))
    window = (slice(y1, y2), slice(x1, x2))
    own = drawn.labels[window] == PART_INDEX[garment.region]
    own &= drawn.owner[window] == owner
    pixels = np.ascontiguousarray(fit(np.ascontiguousarray(drawn.pixels[window]), KEPT_SIDE))
    size = (pixels.shape[1], pixels.shape[0])
    mask = cv2.resize(own.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    values = street_values(garment.category, garment.color, garment.pattern)
    truth = {name: (value,) for name, value in values.items()}
    run_lengths = RunLengthMask.encode(mask) if mask.any() else None
    return Shown(pixels, run_lengths, truth, garment.region)


def _write(path: Path, shown: Iterable[Shown]) -> None:
    arrays: dict[str, NDArray[np.generic]] = {}
    for i, one in enumerate(shown):
        arrays[f"pixels{i}"] = one.pixels
        mask = one.mask.decode() if one.mask else np.zeros((0, 0), bool)
        arrays[f"mask{i}"] = mask
        facts = [f"{name}={values[0]}" for name, values in one.truth.items()]
        arrays[f"truth{i}"] = np.array([f"region={one.region}", *facts])
    with in_place_of(path) as temporary:
        np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]


def _read(path: Path) -> Iterator[Shown]:
    with np.load(path) as stored:
        for i in range(len(stored.files) // 3):
            mask = stored[f"mask{i}"]
            facts = (fact.split("=", 1) for fact in stored[f"truth{i}"].tolist())
            truth = {attribute: (value,) for attribute, value in facts}
            (region,) = truth.pop("region", (Region.UNKNOWN,))
            run_lengths = RunLengthMask.encode(mask) if mask.size else None
            yield Shown(stored[f"pixels{i}"], run_lengths, truth, Region(region))
