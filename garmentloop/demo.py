"""What `make demo` shows: a street is drawn, its garments are cut out, and both are compared."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extract.run import Progress

STREET_SEED = 20
LOOK = "unseen"
"""Fabrics, cuts and places that no training was given, so that the figures mean something."""


@dataclass(frozen=True)
class Demo:
    """What the demonstration made, and its figures against the street's own truth."""

    end: "Progress | None"
    page: Path
    figures: dict[str, float | int]


def draw(folder: Path, count: int) -> Iterator[int]:
    """Draw `count` pictures and their truth into `folder`; yields how many are done."""
    from garments.synthetic import write_street

    yield from write_street(folder, count, STREET_SEED, LOOK)


def demonstrate(
    street: Path, folder: Path, show: Callable[[Iterator["Progress"]], "Progress | None"]
) -> Demo:
    """Extract the pictures in `street` into the data set `folder`, and measure against their truth.

    `show` follows the extraction. Run again, it extracts only what is not there yet.
    """
    from extract.evaluate import evaluate_extract
    from extract.evaluate_people import evaluate_people
    from extract.report import write_report
    from extract.run import RunOptions, run
    from garments.dataset import Dataset

    dataset = Dataset.open_or_create(folder)
    end = show(run(dataset, [str(street / "photos")], RunOptions()))
    page = write_report(dataset)
    figures = {**evaluate_people(street), **evaluate_extract(street)}
    return Demo(end, page, figures)
