"""The end of the demonstration: what was drawn becomes labels, a split and a release."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garments.dataset import Dataset

RELEASE = "v1"
ANNOTATOR = "street"
"""Whose word the labels are: they are an import, as those of any labelled set."""

HELD_OUT = 5
"""One picture in so many is held out for the test."""


def write_manifest(street: Path) -> Path:
    """The pictures of a street as a table for `extract`, with licence and what is held out."""
    table = street / "photos.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "licence", "consent", "split"))
        for number, photo in enumerate(sorted((street / "photos").glob("*.jpg"))):
            part = "train" if number % HELD_OUT else "test"
            writer.writerow((f"photos/{photo.name}", "Apache-2.0", "nobody: it is drawn", part))
    return table


def label_as_drawn(dataset: "Dataset", street: Path) -> int:
    """Write the truth of the garments that were found as labels; how many rows were new."""
    from curate.imports.labels import Said, write_labels
    from garmentloop.demo_labels import matched
    from garments.sets.crops import street_crops

    columns = ["garment_id", "crop_sha"]
    found = dataset.catalog.active_garments(columns=columns).to_pylist()
    crops = {row["garment_id"]: row["crop_sha"] for row in found}
    said = [
        Said(name, crops[name], drawn.name, drawn.values)
        for name, drawn in matched(dataset, street_crops(street))
    ]
    return write_labels(dataset, ANNOTATOR, said)


def freeze(dataset: "Dataset") -> dict[str, int]:
    """Split and release the labels, unless that was done before; rows by split, as read back.

    Raises `BadInput` or `DatasetError` where there are too few garments for it.
    """
    from curate.release.names import release_names
    from curate.release.write import release
    from curate.split.make import split

    if RELEASE not in release_names(dataset):
        split(dataset)
        for _ in release(dataset, RELEASE):
            pass
    return _read_back(dataset.releases / RELEASE, dataset.run)


def _read_back(folder: Path, scratch: Path) -> dict[str, int]:
    """As anybody reads it, without a line of ours."""
    import importlib

    hugging_face = importlib.import_module("datasets")  # which mypy takes for our own folder
    hugging_face.disable_progress_bars()
    loaded = hugging_face.load_dataset(str(folder), cache_dir=str(scratch / "huggingface"))
    return {name: len(part) for name, part in loaded.items()}
