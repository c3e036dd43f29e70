"""Benchmarks: speed and memory, measured on this machine by `make bench`.

Each benchmark is a module here with one function that yields a `Figure` for each thing it
measured; `benches` names them in the order in which they run. Those of `apart` run only when they
are asked for by name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured number. `key` is its name in JSON, `note` says under which circumstances."""

    key: str
    value: float | int
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Size:
    """How much work a benchmark does: `full` as printed in the README, `small` to try it out."""

    photos: int
    many_photos: int
    garments: int
    reference_photos: int
    small_photos: int


FULL = Size(
    photos=1000, many_photos=5000, garments=1_000_000, reference_photos=24, small_photos=2000
)
SMALL = Size(photos=20, many_photos=40, garments=10_000, reference_photos=2, small_photos=40)

Bench = Callable[[Path, Size], Iterator[Figure]]
"""Given a scratch folder and a size, measures and yields figures."""


def benches() -> dict[str, Bench]:
    """Every benchmark by name, in the order in which they run."""
    from garmentloop.bench import (
        catalogue,
        curation,
        extraction,
        models,
        ray,
        selection,
        stages,
        studio,
        suspects,
        tagging,
        training,
    )

    return {
        "catalogue": catalogue.measure,
        "models": models.measure,
        "tagging": tagging.measure,
        "training": training.measure,
        "stages": stages.measure,
        "extraction": extraction.measure,
        "ray": ray.measure,
        "studio": studio.measure,
        "curation": curation.measure,
        "suspects": suspects.measure,
        "selection": selection.measure,
    }


def apart() -> dict[str, Bench]:
    """Benchmarks that take too long to be among all."""
    from garmentloop.bench import growth

    return {"growth": growth.measure}
