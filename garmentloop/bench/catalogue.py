"""How quickly the catalogue answers when it is full."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from garmentloop.bench import Figure, Size
from garmentloop.bench.process import garmentloop
from garments.dataset import Dataset
from garments.status import status

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 100_000
GARMENTS_PER_PHOTO = 4
REGIONS = ("upper", "lower", "whole", "feet")


def measure(folder: Path, size: Size) -> Iterator[Figure]:
    """Fill a catalogue with made-up rows and time `status` on it, from a fresh handle."""
    dataset = Dataset.create(folder / "full")
    start = time.perf_counter()
    fill(dataset, size.garments)
    dataset.catalog.optimize()
    yield Figure("catalogue_fill_seconds", time.perf_counter() - start, "s", "made-up rows")
    start = time.perf_counter()
    counted = status(Dataset.open(folder / "full"))
    seconds = time.perf_counter() - start
    yield Figure("catalogue_garments", sum(counted.garments.values()), "rows")
    yield Figure("status_seconds", seconds, "s", "from a fresh handle; must be under 1")
    ran = garmentloop("status", "--dataset", folder / "full")
    yield Figure("status_command_seconds", ran.seconds, "s", "with the start of Python")
    yield Figure("status_peak_mb", ran.peak_mb, "MB")


def fill(dataset: Dataset, count: int) -> None:
    """Add made-up photos, people and garments, four to a photo, without pictures."""
    for first in range(0, count, CHUNK):
        _add(dataset, first, min(CHUNK, count - first))


def _add(dataset: Dataset, first: int, count: int) -> None:
    photos = range(first // GARMENTS_PER_PHOTO, (first + count) // GARMENTS_PER_PHOTO)
    photo_ids = [f"{index:016x}" for index in photos]
    add = dataset.catalog.add
    add("photos", [{"photo_id": i, "width": 600, "height": 800, "state": "ok"} for i in photo_ids])
    add("people", [{"person_id": i, "photo_id": i, "verdict": "accepted"} for i in photo_ids])
    add("garments", _garments(first, count))
    runs = [
        {"extraction_id": i, "photo_id": i, "config_hash": "made-up", "kind": "run"}
        for i in photo_ids
    ]
    add("extractions", runs)


def _garments(first: int, count: int) -> "pa.Table":
    import pyarrow as pa

    index = np.arange(first, first + count)
    photo = [f"{i // GARMENTS_PER_PHOTO:016x}" for i in index]
    return pa.table(
        {
            "garment_id": [f"{i:016x}" for i in index],
            "photo_id": photo,
            "person_id": photo,
            "region": [REGIONS[i % GARMENTS_PER_PHOTO] for i in index],
            **{name: index % 500 + shift for shift, name in enumerate(("x1", "y1", "x2", "y2"), 1)},
            "area": index % 90_000,
            "crop_sha": [f"{i:064x}" for i in index],
        }
    )
