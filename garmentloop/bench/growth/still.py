"""A run with models that do nothing, in a process of its own, so that its memory is its own.

`python -m garmentloop.bench.growth.still PHOTOS DATASET AT...` prints a JSON object at each of the
counts AT.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extract.base import Detections, Pixels
from garmentloop.bench.growth.photos import HEIGHT, WIDTH, WINDOW
from garmentloop.bench.process import peak_bytes
from garments.parts import PART_INDEX, PARTS

BANDS = (("hair", 0.1), ("skin", 0.2), ("upper", 0.55), ("lower", 0.9), ("feet", 1.0))
"""What the parser says, from the top to that share of the height."""


class StillDetector:
    """Finds one person in the middle, whatever it is shown."""

    reference = fingerprint = "still"

    def detect(self, images: Sequence[Pixels]) -> list[Detections]:
        """The same box in each."""
        box = np.array([[0.2 * WIDTH, 4, 0.8 * WIDTH, HEIGHT - 4]], np.float32)
        return [Detections(box, np.ones(1, np.float32)) for _ in images]


class StillParser:
    """Says that everybody wears a top, trousers and shoes."""

    reference = fingerprint = "still"
    side = 64

    def __init__(self) -> None:
        said = np.full((len(PARTS), 64, 64), 0.01, np.float32)
        first = 0
        for name, share in BANDS:
            last = round(64 * share)
            said[PART_INDEX[name], first:last, 8:56] = 0.93
            first = last
        said[PART_INDEX["background"]][said.max(axis=0) < 0.5] = 0.93
        self._said = said / said.sum(axis=0)

    def parse(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The same map for each."""
        return np.repeat(self._said[None], len(crops), axis=0)


def run(photos: Path, folder: Path, at: Sequence[int]) -> Iterator[dict[str, float]]:
    """Extract all photos; what was measured at each of the counts."""
    from extract.run import run as extract
    from garments.dataset import Dataset

    dataset = Dataset.open(folder) if folder.exists() else Dataset.create(folder)
    begins = {round(one * (1 - WINDOW)): one for one in at}
    began = {0: time.perf_counter()}
    running = extract(dataset, [str(photos)], detector=StillDetector(), parser=StillParser())
    for progress in running:
        done, now = progress.photos, time.perf_counter()
        if done in begins:
            began[begins[done]] = now
        if done in at and done in began:
            seconds = now - began.pop(done)
            yield {
                "at": done,
                "ms": seconds / (done * WINDOW) * 1000,
                "mb": peak_bytes() / 1e6,
            }


if __name__ == "__main__":
    for found in run(Path(sys.argv[1]), Path(sys.argv[2]), [int(one) for one in sys.argv[3:]]):
        print(json.dumps(found), flush=True)
