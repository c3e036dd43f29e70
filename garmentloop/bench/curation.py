"""FiftyOne brought in step with a full catalogue, and then with what changes in it."""

import importlib.util
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from garmentloop.bench import Figure, Size
from garments.boxes import Box
from garments.catalog.rows import garment_row
from garments.dataset import Dataset
from garments.ids import stable_id
from garments.images import encode_jpeg
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.records import Garment

GARMENTS_A_PHOTO = 2
PHOTO = (683, 1024)
"""Width and height of a photo."""

LABELLED = 10
"""One garment in so many has people's labels."""

CHANGED = 100
"""Garments that are labelled between two syncs."""

SELECTED = 500
"""Crops that a curator acts on at once."""

VECTOR = 128
CHUNK = 20_000


def measure(scratch: Path, size: Size) -> Iterator[Figure]:
    """Figures `curation_...`; nothing where FiftyOne is not installed."""
    if importlib.util.find_spec("fiftyone") is None:
        return
    from curate.fiftyone.opening import close
    from curate.fiftyone.window import open_window

    dataset = Dataset.create(scratch / "curated")
    count = fill(dataset, size.grid)
    note = f"{count:,} garments of {count // GARMENTS_A_PHOTO:,} photos"
    try:
        with open_window(dataset):
            pass  # FiftyOne is imported, mongod's files are made
        yield Figure("curation_first_sync", sync(dataset), "s", note)
        yield Figure("curation_sync_again", sync(dataset), "s", "nothing to do")
        label(dataset, range(0, CHANGED * 7, 7), "again")
        yield Figure("curation_sync_changes", sync(dataset), "s", f"{CHANGED} garments labelled")
        yield Figure("curation_bulk", bulk(dataset), "s", f"{SELECTED} crops at once, in the App")
        yield Figure("curation_mongod", _megabytes(dataset.run / "fiftyone"), "MB", "its files")
    finally:
        close(dataset)


def bulk(dataset: Dataset) -> float:
    """Set a value for as many crops as a curator selects, as the App's operator does; seconds."""
    from curate.fiftyone.bulk import set_answer
    from curate.fiftyone.window import connected

    with connected(dataset) as window:
        picked = window.garments.limit(SELECTED).values("id")
        asked = dataset.taxonomy.attributes[0]
        began = time.perf_counter()
        set_answer(window, picked, asked.id, frozenset(asked.ids[:1]), "mara")
        return time.perf_counter() - began


def sync(dataset: Dataset) -> float:
    """Sync; seconds."""
    from curate.fiftyone.sync import sync as run

    began = time.perf_counter()
    for _ in run(dataset):
        pass
    return time.perf_counter() - began


def fill(dataset: Dataset, count: int) -> int:
    """Made-up garments with crops, masks, vectors, proposals and some labels; how many."""
    count -= count % GARMENTS_A_PHOTO
    pictures = _pictures(dataset.folder)
    for first in range(0, count, CHUNK):
        index = range(first, min(first + CHUNK, count))
        _add_photos(dataset, index, pictures)
        dataset.catalog.put("garments", _garments(index))
        _link([dataset.crop_path(_sha(at)) for at in index], pictures)
        propose(dataset, index)
        vectors = np.random.default_rng(first).normal(size=(len(index), VECTOR))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        ids, shas = [_id(at) for at in index], [_sha(at) for at in index]
        dataset.catalog.add_embeddings("starter@made-up", ids, shas, vectors)
        label(dataset, index[::LABELLED], "first")
    dataset.catalog.optimize()
    return count


def propose(dataset: Dataset, index: range) -> None:
    """Random proposals of the settings' tagger for every attribute."""
    import pyarrow as pa

    random = np.random.default_rng(index.start)
    for attribute in dataset.taxonomy.attributes:
        logits = random.normal(0, 3, (len(index), len(attribute.values))).astype(np.float32)
        ends = np.arange(len(index) + 1, dtype=np.int32) * logits.shape[1]
        common = {
            "attribute": attribute.id,
            "tagger": stable_id("made-up", attribute.id),
            "model": dataset.settings.models.tagger,
            "vocabulary_hash": dataset.taxonomy.vocabulary_hash(attribute.id),
            "activation": "softmax",
        }
        rows = pa.table(
            {
                "proposal_id": [stable_id("proposal", attribute.id, at) for at in index],
                "garment_id": [_id(at) for at in index],
                "crop_sha": [_sha(at) for at in index],
                **{name: pa.repeat(value, len(index)) for name, value in common.items()},
                "logits": pa.ListArray.from_arrays(ends, logits.ravel()),
            }
        )
        dataset.catalog.add("proposals", rows)


def label(dataset: Dataset, index: range, who: str) -> None:
    """One person's labels for every attribute of these garments."""
    rows = [
        {
            "label_id": stable_id("label", who, at, attribute.id),
            "garment_id": _id(at),
            "crop_sha": _sha(at),
            "attribute": attribute.id,
            "value": f'["{attribute.ids[at % len(attribute.ids)]}"]',
            "kind": "annotator",
            "annotator": who,
        }
        for at in index
        for attribute in dataset.taxonomy.attributes
    ]
    dataset.catalog.add("labels", rows)


def _add_photos(dataset: Dataset, index: range, pictures: list[Path]) -> None:
    photos = [_photo(at) for at in index[::GARMENTS_A_PHOTO]]
    width, height = PHOTO
    common = {"width": width, "height": height, "state": "ok"}
    box = {"x1": 200.0, "y1": 100.0, "x2": 480.0, "y2": 1000.0, "score": 0.9}
    add = dataset.catalog.add
    add("photos", [{"photo_id": photo, **common} for photo in photos])
    add("people", [{"person_id": p, "photo_id": p, "verdict": "accepted", **box} for p in photos])
    runs = [{"extraction_id": p, "photo_id": p, "kind": "run"} for p in photos]
    add("extractions", runs)
    _link([dataset.preview_path(photo) for photo in photos], pictures)


def _garments(index: range) -> list[dict[str, object]]:
    found = []
    for at in index:
        part = at % GARMENTS_A_PHOTO
        box = Box(220, 200 + 300 * part, 460, 480 + 300 * part)
        region = (Region.UPPER, Region.LOWER)[part]
        garment = Garment(_id(at), _photo(at), _photo(at), region, box, _MASKS[part], 9, _sha(at))
        found.append(garment_row(garment))
    return found


def _mask(top: int) -> RunLengthMask:
    """A garment-sized ellipse."""
    y, x = np.mgrid[: PHOTO[1], : PHOTO[0]]
    return RunLengthMask.encode(((x - 340) / 120) ** 2 + ((y - top - 140) / 140) ** 2 < 1)


_MASKS = [_mask(200), _mask(500)]


def _pictures(folder: Path) -> list[Path]:
    """A few JPEGs that stand in for all crops and previews."""
    random = np.random.default_rng(0)
    found = []
    for number in range(16):
        path = folder / f"picture-{number}.jpg"
        path.write_bytes(encode_jpeg(random.integers(0, 255, (256, 171, 3), dtype=np.uint8)))
        found.append(path)
    return found


def _link(names: list[Path], pictures: list[Path]) -> None:
    for folder in {name.parent for name in names}:
        folder.mkdir(parents=True, exist_ok=True)
    for at, name in enumerate(names):
        os.link(pictures[at % len(pictures)], name)


def _id(at: int) -> str:
    return stable_id("bench", at)


def _sha(at: int) -> str:
    return stable_id("crop", at)


def _photo(at: int) -> str:
    return stable_id("photo", at // GARMENTS_A_PHOTO)


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20
