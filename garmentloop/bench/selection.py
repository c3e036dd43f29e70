"""A batch chosen from a large pool, with doubts of every attribute and all embeddings kept."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from curate.select.keep import newest_selected
from garmentloop.bench import Figure, Size
from garmentloop.bench.catalogue import fill
from garmentloop.bench.process import garmentloop
from garments.dataset import Dataset
from garments.ids import stable_id

BUDGET = 300
VECTOR = 128
CHUNK = 100_000
CLUSTERS = 1000
LABELLED = 5000
STRATEGIES = ("uncertain-diverse", "diverse")


def measure(folder: Path, size: Size) -> Iterator[Figure]:
    """Figures `selection_...`: the command, as a user runs it."""
    dataset = Dataset.create(folder / "pool")
    start = time.perf_counter()
    fill(dataset, size.pool)
    for first in range(0, size.pool, CHUNK):
        _describe(dataset, range(first, min(first + CHUNK, size.pool)))
    _label(dataset, size.pool)
    dataset.catalog.optimize()
    note = f"{len(dataset.taxonomy.attributes)} attributes, vectors of {VECTOR}"
    yield Figure("selection_fill_seconds", time.perf_counter() - start, "s", note)
    for name in STRATEGIES:
        ran = garmentloop(
            "curate", "select", "--dataset", dataset.folder, "--strategy", name, "--budget", BUDGET
        )
        chosen = newest_selected(dataset)
        key = f"selection_{name.replace('-', '_')}"
        note = f"{len(chosen.garments) if chosen else 0} of {size.pool:,}, start of Python too"
        yield Figure(f"{key}_seconds", ran.seconds, "s", note)
        yield Figure(f"{key}_peak_mb", ran.peak_mb, "MB")


def _describe(dataset: Dataset, index: range) -> None:
    """A proposal for every attribute, and a vector near one of many middles."""
    import pyarrow as pa

    random = np.random.default_rng(index.start)
    ids, shas = [f"{at:016x}" for at in index], [f"{at:064x}" for at in index]
    for attribute in dataset.taxonomy.attributes:
        logits = random.normal(0, 3, (len(index), len(attribute.values))).astype(np.float32)
        ends = np.arange(len(index) + 1, dtype=np.int32) * logits.shape[1]
        same = {
            "attribute": attribute.id,
            "tagger": stable_id("made-up", attribute.id),
            "model": dataset.settings.models.tagger,
            "vocabulary_hash": dataset.taxonomy.vocabulary_hash(attribute.id),
            "activation": "softmax",
        }
        rows = {
            "proposal_id": [f"{attribute.id}-{at:x}" for at in index],
            "garment_id": ids,
            "crop_sha": shas,
            **{name: pa.repeat(value, len(index)) for name, value in same.items()},
            "logits": pa.ListArray.from_arrays(ends, logits.ravel()),
        }
        dataset.catalog.add("proposals", pa.table(rows))
    middles = np.random.default_rng(0).normal(size=(CLUSTERS, VECTOR))
    vectors = middles[random.integers(0, CLUSTERS, len(index))]
    vectors = vectors + random.normal(size=vectors.shape) * 0.7
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    dataset.catalog.add_embeddings("starter@made-up", ids, shas, vectors)


def _label(dataset: Dataset, count: int) -> None:
    """Some garments were sent, and answered about their category."""
    step = max(1, count // LABELLED)
    ids = [f"{at:016x}" for at in range(0, count, step)]
    values = dataset.taxonomy.values("category")
    sent = [{"task_id": f"task-{name}", "garment_id": name, "audit": False} for name in ids]
    dataset.catalog.put("tasks", sent)
    labels = [
        {
            "label_id": f"label-{name}",
            "garment_id": name,
            "attribute": "category",
            "value": json.dumps([values[at % len(values)]]),
            "kind": "annotator",
            "annotator": "made-up",
        }
        for at, name in enumerate(ids)
    ]
    dataset.catalog.add("labels", labels)
