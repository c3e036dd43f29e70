"""A catalogue full of made-up rows whose ids are as scattered as real ones."""

import json
from typing import TYPE_CHECKING

import numpy as np

from annotate.studio.project import Kind, change_record
from annotate.studio.tasks import task_id
from garments.dataset import Dataset
from garments.ids import stable_id

if TYPE_CHECKING:
    import pyarrow as pa

GARMENTS_PER_PHOTO = 2
ANSWERED = 10
"""Every so many garments one was sent to people, who answered about its category."""

VECTOR, MIDDLES = 128, 1000
CHUNK = 100_000
MODEL = "starter@made-up"
REGIONS = ("upper", "lower")

_SCATTER = 0x9E3779B97F4A7C15
"""Odd, so that multiplying by it gives each number another one of 64 bits."""

_KINDS = ("garment", "photo", "person", "crop")


def name_of(kind: str, number: int) -> str:
    """The id of the thing of that kind and number, as scattered as a hash."""
    return f"{(number * _SCATTER + _KINDS.index(kind)) % 2**64:016x}"


def fill(dataset: Dataset, count: int) -> None:
    """Photos, people, garments, vectors and proposals, and a tenth answered; made compact."""
    for first in range(0, count, CHUNK):
        _photos(dataset, first // GARMENTS_PER_PHOTO, min(CHUNK, count - first) // 2)
        _garments(dataset, first, min(CHUNK, count - first))
    _answers(dataset, count)
    dataset.catalog.optimize()


def garments(first: int, count: int) -> "pa.Table":
    """Rows of `garments`."""
    import pyarrow as pa

    numbers = range(first, first + count)
    photos = [number // GARMENTS_PER_PHOTO for number in numbers]
    index = np.arange(first, first + count)
    return pa.table(
        {
            "garment_id": [name_of("garment", number) for number in numbers],
            "photo_id": [name_of("photo", number) for number in photos],
            "person_id": [name_of("person", number) for number in photos],
            "region": [REGIONS[number % len(REGIONS)] for number in numbers],
            **{name: index % 500 + shift for shift, name in enumerate(("x1", "y1", "x2", "y2"), 1)},
            "area": index % 90_000,
            "crop_sha": [name_of("crop", number) for number in numbers],
        }
    )


def _photos(dataset: Dataset, first: int, count: int) -> None:
    """Each with a source, a person and a finished extraction."""
    import pyarrow as pa

    numbers = range(first, first + count)
    photos = [name_of("photo", number) for number in numbers]
    people = [name_of("person", number) for number in numbers]

    def add(table: str, **columns: object) -> None:
        same = {k: pa.repeat(v, count) for k, v in columns.items() if not isinstance(v, list)}
        dataset.catalog.add(table, pa.table({**columns, "photo_id": photos, **same}))

    origins = [f"/photos/{number // 1000:04d}/{number:07d}.jpg" for number in numbers]
    add("photos", width=600, height=800, state="ok", phash=photos)
    add("sources", source_id=photos, origin=origins, state="ok")
    add("people", person_id=people, verdict="accepted", config_hash="made-up")
    add("extractions", extraction_id=people, kind="run", config_hash="made-up")


def _garments(dataset: Dataset, first: int, count: int) -> None:
    """With a vector near one of many middles, and what a tagger says of the category."""
    import pyarrow as pa

    rows = garments(first, count)
    ids, shas = (rows.column(name).to_pylist() for name in ("garment_id", "crop_sha"))
    dataset.catalog.add("garments", rows)
    random = np.random.default_rng(first)
    middles = np.random.default_rng(0).normal(size=(MIDDLES, VECTOR)).astype(np.float32)
    vectors = middles[random.integers(0, MIDDLES, count)]
    vectors = vectors + 0.7 * random.standard_normal(vectors.shape, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    dataset.catalog.add_embeddings(MODEL, ids, shas, vectors)
    logits = 3 * random.standard_normal((count, len(dataset.taxonomy.values("category"))), "f4")
    same = {
        "attribute": "category",
        "tagger": stable_id("made-up"),
        "model": dataset.settings.models.tagger,
        "vocabulary_hash": dataset.taxonomy.vocabulary_hash("category"),
        "activation": "softmax",
    }
    said = {
        "proposal_id": ids,
        "garment_id": ids,
        "crop_sha": shas,
        **{name: pa.repeat(value, count) for name, value in same.items()},
        "logits": pa.FixedSizeListArray.from_arrays(logits.ravel(), logits.shape[1]),
    }
    dataset.catalog.add("proposals", pa.table(said))


def _answers(dataset: Dataset, count: int) -> None:
    uuid = change_record(dataset, Kind.MAIN, project_id=1).uuid
    values = dataset.taxonomy.values("category")
    tasks, labels = [], []
    for number in range(0, count, ANSWERED):
        garment, crop = name_of("garment", number), name_of("crop", number)
        task = task_id(uuid, garment, crop)
        shown = {"task_id": task, "garment_id": garment, "crop_sha": crop}
        tasks.append({**shown, "state": "done", "audit": False})
        labels.append(
            {
                **shown,
                "label_id": stable_id("label", task),
                "attribute": "category",
                "value": json.dumps([values[number % len(values)]]),
                "kind": "annotator",
                "annotator": "made-up",
                "annotation_id": f"{number}/{number}",
            }
        )
    dataset.catalog.put("tasks", tasks)
    dataset.catalog.add("labels", labels)
