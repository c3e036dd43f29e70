"""Taggers whose word follows from a crop's pixels alone, without weights; and a small data set.

A subprocess can use them too: `python standin_taggers.py DATASET` proposes labels there.
"""

import itertools
import os
import signal
import sys
from pathlib import Path

import cv2
import numpy as np

from garments.calibration import Calibration
from garments.catalog import Catalog
from garments.catalog.rows import garment_row
from garments.dataset import Dataset
from garments.errors import GarmentLoopError
from garments.ids import content_id
from garments.images import encode_jpeg
from garments.masks import RunLengthMask, mask_box
from garments.parts import Region
from garments.records import Garment
from garments.tagger import Activation, TaggerVersion, Tags
from garments.taxonomy import Taxonomy

SIZE = 12
"""Numbers in an embedding of `PixelTagger`."""


class PixelTagger:
    """Logits and embeddings are projections of the crop's mean colors, on a 2 x 2 grid."""

    activation = Activation.SOFTMAX

    def __init__(
        self,
        taxonomy: Taxonomy,
        attributes: tuple[str, ...] | None = None,
        reference: str = "pixels",
        weights: str = "w1",
        size: int = SIZE,
    ) -> None:
        """`weights` stand for the model's weights; `size` is that of embeddings, 0 for none."""
        self.taxonomy, self.reference, self.weights_hash = taxonomy, reference, weights
        self.attributes = attributes or tuple(a.id for a in taxonomy.attributes)
        self.calibrations = {name: Calibration(threshold=0.1) for name in self.attributes}
        self.size = size
        self.seen = 0
        self.asked: list[int] = []

    def version(self, attribute):
        return TaggerVersion(
            self.reference,
            self.weights_hash,
            self.taxonomy.vocabulary_hash(attribute),
            self.taxonomy.prompt_hash(attribute),
            "keep",
        )

    def tag(self, crops):
        self.seen += len(crops)
        self.asked.append(len(crops))
        cells = np.array([_cells(crop.pixels) for crop in crops], np.float32).reshape(-1, 12)
        logits = {
            name: np.stack([_projected(c, name, len(self.taxonomy.values(name))) for c in cells])
            for name in self.attributes
        }
        return Tags(logits, self.activation, self._embeddings(cells))

    def _embeddings(self, cells):
        if not self.size:
            return None
        vectors = np.stack([_projected(c, "embedding", self.size) for c in cells])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class SecondOpinion(PixelTagger):
    """Answers color only, each value by itself, and has no embeddings."""

    activation = Activation.SIGMOID

    def __init__(self, taxonomy: Taxonomy) -> None:
        super().__init__(taxonomy, ("color",), "rule:color", size=0)


def _cells(pixels):
    return cv2.resize(pixels, (2, 2), interpolation=cv2.INTER_AREA).astype(np.float32) / 255 - 0.5


def _projected(cells, name: str, count: int):
    """Each crop by itself, so that its numbers do not depend on the others of its batch."""
    seed = sum(name.encode())
    matrix = np.random.default_rng(seed).normal(size=(12, count)).astype(np.float32)
    return cells.ravel() @ matrix


def add_garments(dataset: Dataset, count: int, first: int = 0) -> list[str]:
    """Garments with crops of random colors and elliptic masks, in turn of every region; ids."""
    rows = [_garment(dataset, number) for number in range(first, first + count)]
    dataset.catalog.put("garments", rows)
    return [row["garment_id"] for row in rows]


def _garment(dataset: Dataset, number: int):
    random = np.random.default_rng(number)
    pixels = np.full((64, 48, 3), random.integers(0, 256, 3), np.uint8)
    pixels[random.integers(8, 56) :] = random.integers(0, 256, 3)
    mask = np.zeros((64, 48), np.uint8)
    cv2.ellipse(mask, (24, 32), (18, 26), 0, 0, 360, 1, -1)
    data = encode_jpeg(pixels, 95)
    sha = content_id(data)
    path = dataset.crop_path(sha)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    region = (Region.UPPER, Region.LOWER, Region.WHOLE)[number % 3]
    box = mask_box(mask.astype(bool))
    name = f"{number:016x}"
    garment = Garment(
        name, name, name, region, box, RunLengthMask.encode(mask > 0), int(mask.sum()), sha
    )
    return garment_row(garment)


def prelabel_all(folder: str) -> None:
    """Propose with many small commits, telling how far it has come."""
    from annotate.prelabel import PrelabelOptions, prelabel

    dataset = Dataset.open(folder)
    taggers = [PixelTagger(dataset.taxonomy), SecondOpinion(dataset.taxonomy)]
    for progress in prelabel(dataset, PrelabelOptions(batch=3, commit_seconds=0), taggers):
        print(progress.done, flush=True)


def die_at_write(number: int) -> None:
    """Kill this process at its write `number` of a table: even before it, odd after it."""
    counter = itertools.count(0, 2)
    write = Catalog.add

    def deadly(*args, **kwargs):
        mine = next(counter)
        if mine == number:
            os.kill(os.getpid(), signal.SIGKILL)
        result = write(*args, **kwargs)
        if mine + 1 == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    Catalog.add = deadly


if __name__ == "__main__":
    if "DIE_AT" in os.environ:
        die_at_write(int(os.environ["DIE_AT"]))
    try:
        prelabel_all(str(Path(sys.argv[1])))
    except GarmentLoopError as error:
        sys.exit(f"{type(error).__name__}: {error}")
