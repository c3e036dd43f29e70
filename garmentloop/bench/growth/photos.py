"""The cost of a photo as a run goes on, with models that do nothing: `still.py` is the run."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from garmentloop.bench import Figure

WIDTH, HEIGHT = 72, 128
WINDOW = 0.5
"""Of the photos before a count, those whose cost is told there."""


def measure(folder: Path, steps: Sequence[int]) -> Iterator[Figure]:
    """Milliseconds and megabytes at each size, and what a second run over all of it takes."""
    count = steps[-1]
    photos = draw(folder / "photos", count)
    for said in _run(photos, folder / "grown", steps):
        at = said["at"]
        note = f"the last {WINDOW:.0%} before {at:,} photos, no-op models"
        yield Figure(f"growth_photo_ms_{at}", said["ms"], "ms", note)
        yield Figure(f"growth_photo_mb_{at}", said["mb"], "MB", "peak of the process until then")
    began = time.perf_counter()
    _run(photos, folder / "grown", ())
    seconds = time.perf_counter() - began
    yield Figure(
        f"growth_resume_ms_{count}", seconds / count * 1000, "ms", "a photo; nothing to do"
    )


def draw(folder: Path, count: int) -> Path:
    """`count` small pictures that all differ, as JPEG."""
    from garments.images import encode_jpeg

    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number // 1000:04d}" / f"{number:07d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 255, (HEIGHT // 16, WIDTH // 8, 3), dtype=np.uint8)
        path.write_bytes(encode_jpeg(coarse.repeat(16, axis=0).repeat(8, axis=1), 80))
    return folder


def _run(photos: Path, dataset: Path, at: Sequence[int]) -> list[dict[str, float]]:
    command = [
        sys.executable,
        "-m",
        f"{__package__}.still",
        str(photos),
        str(dataset),
        *map(str, at),
    ]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]
