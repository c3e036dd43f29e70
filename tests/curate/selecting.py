"""A data set of made-up garments whose doubts and embeddings a test chooses; no pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from garments.answers import value_of
from garments.boxes import Box
from garments.catalog.rows import garment_row
from garments.dataset import Dataset
from garments.ids import stable_id
from garments.parts import Region
from garments.records import Garment
from garments.settings import Settings
from tests.curate.wardrobe import embed

PEOPLE = ("ann", "bea")


def names(count: int) -> list[str]:
    return [stable_id("garment", number) for number in range(count)]


def world(folder: Path, count: int = 60, photos: int | None = None) -> Dataset:
    """`count` upper garments, each on a photo of its own unless there are fewer."""
    dataset = Dataset.create(folder, Settings(name="made up", simulated=True))
    found = [
        Garment(
            name,
            f"photo-{number % (photos or count):04d}",
            None,
            Region.UPPER,
            Box(0, number, 9, number + 9),
            None,
            81,
            f"{number:064x}",
        )
        for number, name in enumerate(names(count))
    ]
    dataset.catalog.add("garments", [garment_row(one) for one in found])
    return dataset


def propose(
    dataset: Dataset, sure: Mapping[str, float], attribute: str = "category", places: int = 0
) -> None:
    """A proposal for each garment: its first allowed value (or the one at `places`) is ahead of the
    second by that logit.
    """
    taxonomy = dataset.taxonomy
    allowed = taxonomy.allowed(attribute, "upper")
    ids = taxonomy.values(attribute)
    shas = {
        row["garment_id"]: row["crop_sha"] for row in dataset.catalog.rows("garments").to_pylist()
    }
    rows = []
    for name, ahead in sure.items():
        logits = np.full(len(ids), -30.0, np.float32)
        logits[ids.index(allowed[places])] = ahead
        logits[ids.index(allowed[places - 1])] = 0.0
        row = {
            "proposal_id": stable_id(name, attribute),
            "garment_id": name,
            "crop_sha": shas[name],
            "attribute": attribute,
            "tagger": f"v-{attribute}",
            "model": "starter",
            "vocabulary_hash": taxonomy.vocabulary_hash(attribute),
            "activation": "softmax",
            "logits": logits.tolist(),
        }
        rows.append(row)
    dataset.catalog.add("proposals", rows)


def place(dataset: Dataset, vectors: np.ndarray, some: Sequence[str]) -> None:
    """Embeddings of these garments."""
    embed(dataset, dict(zip(some, vectors, strict=True)))


def ask(dataset: Dataset, some: Sequence[str], audit: bool = False) -> None:
    """Send garments to annotators."""
    rows = [
        {"task_id": stable_id("task", name), "garment_id": name, "audit": audit} for name in some
    ]
    dataset.catalog.put("tasks", rows)


def label(
    dataset: Dataset, answers: Mapping[str, str], attribute: str = "category", who: str = "ann"
) -> None:
    rows = [
        {
            "label_id": stable_id("label", name, attribute, who),
            "garment_id": name,
            "attribute": attribute,
            "value": value_of(frozenset([value])),
            "kind": "annotator",
            "annotator": who,
        }
        for name, value in answers.items()
    ]
    dataset.catalog.add("labels", rows)
