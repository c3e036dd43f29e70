"""What grows with the data: the cost of a photo, memory, and what the catalogue is asked.

`make bench-growth` runs it, apart from the other benchmarks: it takes some twenty minutes.
"""

from collections.abc import Iterator
from pathlib import Path

from garmentloop.bench import Figure, Size
from garmentloop.bench.growth.plot import drawn
from garmentloop.bench.growth.tabled import print_tables

__all__ = ["drawn", "measure", "print_tables"]


def measure(folder: Path, size: Size) -> Iterator[Figure]:
    """Figures `growth_<what>_<rows>`, at a hundredth, a tenth and all of what is measured."""
    from garmentloop.bench.growth import photos, tables

    yield from photos.measure(folder, _steps(size.garments // 10))
    yield from tables.measure(folder, _steps(size.garments))


def _steps(most: int) -> tuple[int, ...]:
    return most // 100, most // 10, most
