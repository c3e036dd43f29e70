"""A small data set that can be released; and a process that releases it and dies on the way.

`python released.py DATASET NAME` releases it. With DIE_AT=N it kills itself at its Nth write, with
FULL_AT=BYTES no file can grow beyond that, as if the disk were full.
"""

import itertools
import os
import resource
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from garments.answers import value_of
from garments.boxes import Box
from garments.catalog.rows import garment_row, photo_row, source_row
from garments.dataset import Dataset
from garments.errors import GarmentLoopError
from garments.ids import content_id, stable_id
from garments.images import encode_jpeg
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.records import Garment, Photo, Source

WIDTH, HEIGHT = 48, 64


def garment_name(number: int) -> str:
    return f"{number:016x}"


def photo_name(number: int) -> str:
    return f"{number // 2:015x}f"


def make(folder: Path, garments: int = 12, **settings: object) -> Dataset:
    """Two garments a photo; every fourth is a product shot without a mask."""
    dataset = Dataset.create(folder)
    if settings:
        dataset.change(settings)
    add(dataset, range(garments))
    return dataset


def add(dataset: Dataset, numbers: Iterable[int], **source: str) -> None:
    """Garments by number, with their photos and sources (licence, consent, handle ...)."""
    numbers = list(numbers)
    photos = [Photo(name, WIDTH, HEIGHT) for name in dict.fromkeys(map(photo_name, numbers))]
    dataset.catalog.put("photos", [photo_row(photo) for photo in photos])
    stated = {"licence": "CC BY 4.0", "consent": "written", **source}
    dataset.catalog.add(
        "sources",
        [
            source_row(
                Source(
                    stable_id("source", photo.photo_id),
                    f"/elsewhere/somebody/photos/{photo.photo_id}.jpg",
                    photo.photo_id,
                    **stated,
                )
            )
            for photo in photos
        ],
    )
    dataset.catalog.put("garments", [_garment(dataset, number) for number in numbers])


def _garment(dataset: Dataset, number: int) -> dict:
    random = np.random.default_rng(number)
    pixels = np.full((HEIGHT, WIDTH, 3), random.integers(0, 256, 3), np.uint8)
    pixels[random.integers(8, 56) :] = random.integers(0, 256, 3)
    data = encode_jpeg(pixels, 95)
    path = dataset.crop_path(content_id(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[4 : 20 + number % 30, 6:40] = True
    product = number % 4 == 3
    garment = Garment(
        garment_name(number),
        photo_name(number),
        None if product else photo_name(number),
        (Region.UPPER, Region.LOWER, Region.WHOLE)[number % 3],
        Box(0, 0, WIDTH, HEIGHT),
        None if product else RunLengthMask.encode(mask),
        int(mask.sum()),
        content_id(data),
    )
    return garment_row(garment)


def say(
    dataset: Dataset,
    number: int,
    attribute: str,
    *values: str,
    who: str = "anna",
    kind: str = "annotator",
) -> str:
    """Append a label; its id."""
    count = dataset.catalog.count("labels")
    row = {
        "label_id": stable_id("label", number, attribute, who, kind, count),
        "garment_id": garment_name(number),
        "attribute": attribute,
        "value": value_of(values),
        "kind": kind,
        "annotator": who,
    }
    dataset.catalog.add("labels", [row])
    return row["label_id"]


def withdraw(dataset: Dataset, label: str) -> None:
    (row,) = dataset.catalog.rows("labels", where=f"label_id = '{label}'").to_pylist()
    taken_back = {"label_id": stable_id("back", label), "withdraws": label}
    names = ("garment_id", "attribute", "value", "kind", "annotator")
    dataset.catalog.add("labels", [{**{name: row[name] for name in names}, **taken_back}])


def decide(dataset: Dataset, number: int, kind: str) -> None:
    row = {"decision_id": stable_id("decision", number, kind), "kind": kind, "who": "cora"}
    dataset.catalog.add("decisions", [{**row, "garment_id": garment_name(number)}])


def divide(dataset: Dataset, splits: Mapping[int, str], version: str = "split-1") -> None:
    """Write rows of `splits`, a photo a group."""
    dataset.catalog.add(
        "splits",
        [
            {
                "split_id": stable_id("split", version, number),
                "version": version,
                "garment_id": garment_name(number),
                "split": split,
                "group": photo_name(number),
            }
            for number, split in splits.items()
        ],
    )


def ready(folder: Path, garments: int = 12) -> Dataset:
    """All labelled with a category and a color; a third of the photos in each split."""
    dataset = make(folder, garments)
    rows = []
    for number in range(garments):
        for attribute, value in (("category", "shirt"), ("color", "red")):
            rows.append(
                {
                    "label_id": stable_id("ready", number, attribute),
                    "garment_id": garment_name(number),
                    "attribute": attribute,
                    "value": value_of([value]),
                    "kind": "annotator",
                    "annotator": "anna",
                }
            )
    dataset.catalog.add("labels", rows)
    parts = ("train", "val", "test")
    divide(dataset, {number: parts[number // 2 % 3] for number in range(garments)})
    return dataset


def visible(dataset: Dataset) -> list[str]:
    """What anybody sees in the folder of releases."""
    if not dataset.releases.exists():
        return []
    return sorted(p.name for p in dataset.releases.iterdir() if not p.name.startswith("."))


def unfinished(dataset: Dataset) -> list[str]:
    return sorted(path.name for path in dataset.releases.glob(".new-*"))


def tags(dataset: Dataset) -> set[str]:
    """Tags on any table of the catalogue."""
    import lance

    tables = dataset.catalog.folder.glob("*.lance")
    return {tag for table in tables for tag in lance.dataset(table).tags.list()}


def die_at_write(number: int) -> None:
    """Kill this process at its write `number`: even before it, odd after it."""
    import pyarrow.parquet as pq

    from curate.release import snapshot

    counter = itertools.count(0, 2)

    def deadly(write):
        def call(*args, **kwargs):
            mine = next(counter)
            if mine == number:
                os.kill(os.getpid(), signal.SIGKILL)
            result = write(*args, **kwargs)
            if mine + 1 == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    writes = [(Path, "write_text"), (Path, "rename"), (Path, "mkdir"), (os, "fsync")]
    for owner, name in [*writes, (pq.ParquetWriter, "write_table"), (snapshot, "_tagged")]:
        setattr(owner, name, deadly(getattr(owner, name)))


if __name__ == "__main__":
    from curate.release.write import ReleaseOptions, release

    if "DIE_AT" in os.environ:
        die_at_write(int(os.environ["DIE_AT"]))
    if "FULL_AT" in os.environ:
        most = int(os.environ["FULL_AT"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        for _ in release(Dataset.open(sys.argv[1]), sys.argv[2], ReleaseOptions()):
            print("step", flush=True)
    except GarmentLoopError as error:
        sys.exit(f"{type(error).__name__}: {error}")
