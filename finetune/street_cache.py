"""Pictures of the synthetic street, drawn once and kept, for trainings to draw from."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extract.base import Pixels
from garments.synthetic import draw_street
from garments.whole import in_place_of

FIRST_SEED = 1_000_000
"""Seeds from here on are for training; demonstrations and tests use small ones."""

SHARD = 100
"""Pictures a file: a drawing that is killed keeps the files it had finished."""


@dataclass(frozen=True)
class StreetPicture:
    """Pixels (H, W, 3), parts (H, W), owner (H, W: 0 nobody, 1.. people), boxes (N, 4) xyxy px."""

    pixels: Pixels
    labels: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    boxes: NDArray[np.float32]


def draw_picture(seed: int) -> StreetPicture:
    """One picture of the `train` look."""
    street = draw_street(seed, "train")
    boxes = np.array([person.box for person in street.people], np.float32).reshape(-1, 4)
    return StreetPicture(street.pixels, street.labels, street.owner, boxes)


def street_pictures(
    count: int,
    folder: Path,
    workers: int = 2,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[StreetPicture]:
    """`count` pictures, from `folder` where they were drawn before; `tell(done, total)` reports.

    One file of them is in memory at a time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # spawned, not forked: libraries with threads of their own do not survive a fork
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for first in range(0, count, SHARD):
            path = folder / f"street-{first:06d}.npz"
            if not path.exists():
                seeds = range(FIRST_SEED + first, FIRST_SEED + first + SHARD)
                _write(path, list(pool.map(draw_picture, seeds, chunksize=5)))
            pictures = _read(path)[: count - first]
            tell(first + len(pictures), count)
            yield from pictures


def _write(path: Path, pictures: list[StreetPicture]) -> None:
    arrays = {
        f"{name}{i}": getattr(picture, name)
        for i, picture in enumerate(pictures)
        for name in ("pixels", "labels", "owner", "boxes")
    }
    with in_place_of(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def _read(path: Path) -> list[StreetPicture]:
    with np.load(path) as stored:
        return [
            StreetPicture(
                *(stored[f"{name}{i}"] for name in ("pixels", "labels", "owner", "boxes"))
            )
            for i in range(SHARD)
        ]
