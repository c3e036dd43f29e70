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
    """How much work each benchmark does."""

    photos: int
    """Of `extract`, for the memory that few of them take."""
    many_photos: int
    """Of `extract`, for its pace and the memory that many take."""
    garments: int
    """Rows of the catalogue."""
    pool: int
    """Garments that `curate select` chooses from."""
    grid: int
    """Garments in FiftyOne."""
    tasks: int
    """Garments for Label Studio."""
    reference_photos: int
    """Of the models at their real size."""
    stage_photos: int
    small_photos: int
    """Of Ray beside threads."""
    probed: int
    """Crops that a probe is fitted to."""
    imported: int | None
    """Photos of each public set that suspects are looked for in; None for all."""


FULL = Size(125, 500, 1_000_000, 100_000, 5000, 2000, 20, 120, 2000, 4000, None)
LARGE = Size(1000, 5000, 1_000_000, 1_000_000, 100_000, 5000, 20, 160, 2000, 10_000, None)
SMALL = Size(20, 40, 10_000, 10_000, 1000, 100, 2, 20, 40, 300, 400)

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
        "selection": selection.measure,
    }


def apart() -> dict[str, Bench]:
    """Benchmarks that take too long to be among all, or that measure something else than speed."""
    from garmentloop.bench import growth, suspects

    return {"growth": growth.measure, "suspects": suspects.measure}
