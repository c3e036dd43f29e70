"""What a Ray cluster on this machine costs beside threads, with models that take no time."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extract.base import Detections, Pixels
from extract.pipeline import Workers
from garmentloop.bench import Figure, Size
from garments.images import encode_jpeg
from garments.parts import PARTS

SIDE = 320
"""Sides of the photos, in pixels."""


def measure(folder: Path, size: Size) -> Iterator[Figure]:
    """Extract the same photos by threads and by Ray; nothing where Ray is not installed.

    In a process of its own: a Ray that others start there listens elsewhere.
    """
    if importlib.util.find_spec("ray") is None:
        return
    ran = subprocess.run(
        [sys.executable, "-m", "garmentloop.bench.ray", str(folder), str(size.small_photos)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    local, ray, start = map(float, ran.stdout.split()[-3:])
    note = f"{size.small_photos:,} photos of {SIDE} x {SIDE}, models that take no time"
    yield Figure("ray_local_ms", local, "ms/photo", note)
    yield Figure("ray_ms", ray, "ms/photo", "--workers ray, the same")
    yield Figure("ray_overhead_ms", ray - local, "ms/photo")
    yield Figure("ray_start_seconds", start, "s", "from nothing to the first photo, without models")


class FixedDetector:
    """Finds one person in the middle of every photo."""

    reference = fingerprint = "fixed"

    def detect(self, images: Sequence[Pixels]) -> list[Detections]:
        """One box for each."""
        return [_middle(image.shape[1], image.shape[0]) for image in images]


class FixedParser:
    """Sees everybody in the same clothes."""

    reference = fingerprint = "fixed"
    side = 256

    def parse(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Hair, skin, upper, lower and feet from top to bottom."""
        bands = np.repeat([0, 1, 2, 3, 3, 3, 4, 4, 4, 4, 4, 2, 2, 6, 6, 0], 4)
        found = np.full((len(PARTS), 64, 64), 0.01, np.float32)
        found[bands, np.arange(64)] = 0.93
        return np.stack([found] * len(crops))


def _middle(width: int, height: int) -> Detections:
    box = [[0.35 * width, 0.05 * height, 0.65 * width, 0.95 * height]]
    return Detections(np.array(box, np.float32), np.ones(1, np.float32))


def draw(folder: Path, count: int) -> None:
    """Photos of blurred noise, all different."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 256, (SIDE // 16, SIDE // 16, 3), dtype=np.uint8)
        pixels = np.repeat(np.repeat(coarse, 16, axis=0), 16, axis=1)
        (folder / f"{number:05d}.jpg").write_bytes(encode_jpeg(pixels, 90))


def extract(photos: Path, dataset: Path, workers: Workers | None) -> float:
    """Milliseconds a photo."""
    from extract.run import run
    from garments.dataset import Dataset

    data = Dataset.create(dataset)
    models = {"detector": FixedDetector(), "parser": FixedParser()}
    began = time.perf_counter()
    *_, end = run(data, [str(photos)], **models, workers=workers)  # type: ignore[arg-type]
    return 1000 * (time.perf_counter() - began) / end.photos


def compare(folder: Path, count: int) -> tuple[float, float, float]:
    """Milliseconds a photo by threads and by Ray, and seconds until Ray has its first photo."""
    from garmentloop.options import RAY, WorkersChoice
    from garmentloop.workers.cluster import open_workers

    draw(folder / "few", 4)
    draw(folder / "photos", count)
    local = extract(folder / "photos", folder / "local", None)
    began = time.perf_counter()
    with open_workers(WorkersChoice(cluster=RAY)) as workers:
        extract(folder / "few", folder / "warm", workers)
        start = time.perf_counter() - began
        return local, extract(folder / "photos", folder / "ray", workers), start


if __name__ == "__main__":
    # By its own name, under which workers know these classes.
    from garmentloop.bench.ray import compare as measured

    print(*measured(Path(sys.argv[1]), int(sys.argv[2])))
