"""What `make demo` shows: a street is drawn, and a whole round of the loop goes over it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garments.dataset import Dataset

STREET_SEED = 20
LOOK = "unseen"
"""Fabrics, cuts and places that no training was given, so that the figures mean something."""

MEASURED = 40
"""Pictures on which extraction is measured."""

ASKED = 2.6
"""Crops a picture that the annotator is asked about. About 2.7 are there beside those that are held
out (some show no garment)."""

LEFT = 4
"""Crops that wait for whoever opens Label Studio, however few there are."""


def draw(folder: Path, count: int) -> Iterator[int]:
    """Draw `count` pictures and their truth into `folder`; yields how many are done."""
    from garments.synthetic import write_street

    yield from write_street(folder, count, STREET_SEED, LOOK)


def budget(count: int) -> int:
    """How many garments the annotator of `count` pictures is asked about."""
    return max(4, round(ASKED * count))


def extraction_figures(street: Path) -> dict[str, float | int]:
    """How well people and garments are found, against what was drawn."""
    from extract.evaluate import evaluate_extract
    from extract.evaluate_people import evaluate_people

    people = evaluate_people(street, limit=MEASURED)
    return {**people, **evaluate_extract(street, limit=MEASURED)}


def read_back(dataset: "Dataset", release: str) -> dict[str, int]:
    """Rows of a release by split, read as anybody does, without a line of ours."""
    import importlib

    hugging_face = importlib.import_module("datasets")  # which mypy takes for our own folder
    hugging_face.disable_progress_bars()
    folder, scratch = dataset.releases / release, dataset.run / "huggingface"
    loaded = hugging_face.load_dataset(str(folder), cache_dir=str(scratch))
    return {name: len(part) for name, part in loaded.items()}
