"""A detector and a parser that know the truth of painted pictures, and those pictures.

Every part of a painted person has a colour of its own. So finding people and parsing them needs
no weights, and a subprocess can do it too.
"""

import itertools
import os
import resource
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from extract.base import Detections
from garments.errors import GarmentLoopError
from garments.parts import PARTS

PAINT = np.array(
    [
        (128, 128, 128),  # background
        (110, 60, 0),  # hair
        (240, 190, 160),  # skin
        (210, 30, 30),  # upper
        (30, 40, 210),  # lower
        (30, 170, 60),  # whole
        (0, 0, 0),  # feet
        (240, 230, 20),  # accessories
    ],
    np.uint8,
)
INDEX = {name: index for index, name in enumerate(PARTS)}


class PaintDetector:
    """Finds everything that is not background; scores fall with the place from left to right."""

    reference = "paint"

    def __init__(self, shift: float = 0.0, fingerprint: str = "paint-1") -> None:
        """Boxes are moved right by `shift` pixels, as another model's would be."""
        self.shift, self.fingerprint = shift, fingerprint

    def detect(self, images):
        return [self._detect(image) for image in images]

    def _detect(self, image):
        figure = (np.abs(image.astype(int) - PAINT[0]).max(axis=2) > 40).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(figure)
        boxes = [
            (x + self.shift, y, x + w + self.shift, y + h)
            for x, y, w, h, area in stats[1:].tolist()
            if area > 100
        ]
        boxes.sort()
        scores = np.linspace(0.95, 0.9, max(1, len(boxes)))[: len(boxes)]
        return Detections(np.array(boxes, np.float32).reshape(-1, 4), scores.astype(np.float32))


class PaintParser:
    """Gives each pixel the part whose paint is nearest."""

    reference = "paint"
    side = 256

    def __init__(self, sure: float = 0.93, fingerprint: str = "paint-1") -> None:
        self.sure, self.fingerprint = sure, fingerprint
        self.calls = 0

    def parse(self, crops):
        self.calls += 1
        small = np.stack([cv2.resize(c, (128, 128), interpolation=cv2.INTER_AREA) for c in crops])
        distance = ((small[:, :, :, None].astype(int) - PAINT.astype(int)) ** 2).sum(axis=-1)
        nearest = distance.argmin(axis=-1)
        rest = (1 - self.sure) / (len(PARTS) - 1)
        hot = np.eye(len(PARTS), dtype=np.float32)[nearest]
        return np.ascontiguousarray((hot * (self.sure - rest) + rest).transpose(0, 3, 1, 2))


def canvas(width: int = 240, height: int = 320) -> np.ndarray:
    return np.tile(PAINT[0], (height, width, 1))


def paint(pixels, part: str, x1, y1, x2, y2) -> None:
    pixels[round(y1) : round(y2), round(x1) : round(x2)] = PAINT[INDEX[part]]


def paint_person(pixels, x: float, y: float, height: float, dress: bool = False) -> None:
    """A person `height` pixels high and a third as wide, top left corner at (x, y)."""
    w = height / 3
    paint(pixels, "hair", x + 0.3 * w, y, x + 0.7 * w, y + 0.05 * height)
    paint(pixels, "skin", x + 0.3 * w, y + 0.05 * height, x + 0.7 * w, y + 0.2 * height)
    if dress:
        paint(pixels, "whole", x, y + 0.2 * height, x + w, y + 0.75 * height)
        paint(pixels, "skin", x + 0.2 * w, y + 0.75 * height, x + 0.8 * w, y + 0.9 * height)
    else:
        paint(pixels, "upper", x, y + 0.2 * height, x + w, y + 0.5 * height)
        paint(pixels, "lower", x + 0.1 * w, y + 0.5 * height, x + 0.9 * w, y + 0.9 * height)
    paint(pixels, "feet", x + 0.1 * w, y + 0.9 * height, x + 0.45 * w, y + height)
    paint(pixels, "feet", x + 0.55 * w, y + 0.9 * height, x + 0.9 * w, y + height)


def street(seed: int) -> np.ndarray:
    """A picture of one to three people side by side, some of them too small."""
    random = np.random.default_rng(seed)
    pixels = canvas(320, 240)
    pixels[0, :10, 0] += np.array([seed >> bit & 1 for bit in range(10)], np.uint8)  # all differ
    for place in range(int(random.integers(1, 4))):
        height = float(random.choice([20, 120, 160, 200]))
        top = float(random.integers(5, max(6, 235 - round(height))))
        paint_person(pixels, 10 + 100 * place, top, height, bool(random.integers(2)))
    return pixels


def write_streets(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        Image.fromarray(street(seed)).save(folder / f"{seed:04d}.png")
    return folder


def extract_all(folder: str, dataset: str) -> None:
    """Extract with many small commits, telling how far it has come."""
    from extract.run import RunOptions, run
    from garments.dataset import Dataset

    options = RunOptions(workers=2, batch=2, commit_photos=2, commit_seconds=0.2)
    data = Dataset.open_or_create(dataset)
    for progress in run(data, [folder], options, detector=PaintDetector(), parser=PaintParser()):
        print(progress.done, flush=True)
        if progress.done == int(os.environ.get("FULL_AFTER", "-1")):
            # From now on no file can be longer than this, as if the disk were full.
            resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))


def die_at_write(number: int) -> None:
    """Make this process kill itself at its write `number`: of a table or of a picture.

    Even numbers die before the write, odd ones between writing and what comes next; a picture's
    bytes are in its scratch file by then.
    """
    from garments.catalog import Catalog

    counter = itertools.count(0, 2)  # of all threads: next() is atomic

    def deadly(write):
        def call(*args, **kwargs):
            mine = next(counter)
            if mine == number:
                os.kill(os.getpid(), signal.SIGKILL)
            result = write(*args, **kwargs)
            if mine + 1 == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for owner, name in ((Catalog, "add"), (Catalog, "put"), (Path, "replace")):
        setattr(owner, name, deadly(getattr(owner, name)))


if __name__ == "__main__":
    if "DIE_AT" in os.environ:
        die_at_write(int(os.environ["DIE_AT"]))
    try:
        extract_all(sys.argv[1], sys.argv[2])
    except GarmentLoopError as error:
        sys.exit(f"{type(error).__name__}: {error}")
