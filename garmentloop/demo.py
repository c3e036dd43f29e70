"""What `make demo` shows: a street is drawn, cut into garments, labelled, compared, released."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from garments.errors import BadInput, DatasetError

if TYPE_CHECKING:
    from annotate.options import PrelabelProgress
    from extract.run import Progress
    from garmentloop.demo_labels import Score

STREET_SEED = 20
LOOK = "unseen"
"""Fabrics, cuts and places that no training was given, so that the figures mean something."""


@dataclass(frozen=True)
class Demo:
    """What the demonstration made, and its figures against the street's own truth.

    `released` counts the garments of the release by split; where there is none, `unreleased` says
    why.
    """

    end: "Progress | None"
    labelled: "PrelabelProgress | None"
    page: Path
    figures: dict[str, float | int]
    labels: "list[Score]" = field(default_factory=list)
    released: dict[str, int] = field(default_factory=dict)
    unreleased: str = ""


@dataclass(frozen=True)
class Show:
    """Who follows the two long steps: each shows its events and returns the last one."""

    extracting: "Callable[[Iterator[Progress]], Progress | None]"
    labelling: "Callable[[Iterator[PrelabelProgress]], PrelabelProgress | None]"


def draw(folder: Path, count: int) -> Iterator[int]:
    """Draw `count` pictures and their truth into `folder`; yields how many are done."""
    from garments.synthetic import write_street

    yield from write_street(folder, count, STREET_SEED, LOOK)


def demonstrate(street: Path, folder: Path, show: Show) -> Demo:
    """Extract the pictures in `street` into the data set `folder`, label, measure and release.

    Run again, it does only what is not there yet.
    """
    from annotate.prelabel import prelabel
    from extract.evaluate import evaluate_extract
    from extract.evaluate_people import evaluate_people
    from extract.report import write_report
    from extract.run import RunOptions, run
    from garmentloop.demo_labels import scores
    from garmentloop.demo_release import freeze, label_as_drawn, write_manifest
    from garments.dataset import Dataset

    dataset = Dataset.open_or_create(folder)
    end = show.extracting(run(dataset, [str(write_manifest(street))], RunOptions()))
    labelled = show.labelling(prelabel(dataset))
    page = write_report(dataset)
    figures = {**evaluate_people(street), **evaluate_extract(street)}
    proposed = scores(dataset, street)
    label_as_drawn(dataset, street)
    try:
        released, unreleased = freeze(dataset), ""
    except (BadInput, DatasetError) as error:  # of a picture or two there is no release
        released, unreleased = {}, str(error)
    return Demo(end, labelled, page, figures, proposed, released, unreleased)
