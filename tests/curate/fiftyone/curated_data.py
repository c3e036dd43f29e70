"""Small data sets to be shown in FiftyOne, and the things that happen to them."""

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np

from garments.boxes import Box
from garments.catalog.rows import garment_row, person_row, photo_row, source_row
from garments.dataset import Dataset
from garments.ids import content_id, stable_id
from garments.images import encode_jpeg, phash
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.records import Garment, Person, Photo, Source, Verdict
from garments.settings import Settings

WIDTH, HEIGHT = 120, 200
SIZE = 8
"""Numbers in an embedding."""

_serial = count()


def make(folder: Path, name: str, photos: int = 5, simulated: bool = False) -> Dataset:
    """A data set of so many photos, each with two people and two garments, all proposed."""
    settings = Settings(name=name, simulated=simulated)
    dataset = Dataset.create(folder, settings)
    add_photos(dataset, photos)
    return dataset


def add_photos(dataset: Dataset, photos: int, first: int = 0) -> list[str]:
    """More photos with all that belongs to them; the garments' ids."""
    ids = [garment for at in range(first, first + photos) for garment in _add_photo(dataset, at)]
    propose(dataset, ids, dataset.settings.models.tagger, "v1")
    propose(dataset, ids, dataset.settings.prelabel.color_by, "rule", ["color"])
    embed(dataset, ids)
    return ids


def garment_ids(dataset: Dataset) -> list[str]:
    rows = dataset.catalog.rows("garments", ["garment_id", "seq"]).sort_by("seq")
    return rows.column(0).to_pylist()


def crop_of(dataset: Dataset, garment: str) -> str:
    rows = dataset.catalog.rows("garments", ["crop_sha"], f"garment_id = '{garment}'")
    return rows.column(0).to_pylist()[0]


def propose(
    dataset: Dataset,
    ids: Sequence[str],
    model: str,
    version: str,
    attributes: Sequence[str] | None = None,
) -> None:
    """Random proposals of a model's version; the same version says the same about a garment."""
    rows = []
    for garment in ids:
        for attribute in dataset.taxonomy.attributes:
            if attributes is not None and attribute.id not in attributes:
                continue
            seed = int(stable_id(garment, attribute.id, model, version), 16)
            rows.append(
                {
                    "proposal_id": stable_id("proposal", garment, attribute.id, model, version),
                    "garment_id": garment,
                    "crop_sha": crop_of(dataset, garment),
                    "attribute": attribute.id,
                    "tagger": stable_id(model, version),
                    "model": model,
                    "weights_hash": version,
                    "vocabulary_hash": dataset.taxonomy.vocabulary_hash(attribute.id),
                    "activation": "softmax",
                    "logits": np.random.default_rng(seed).normal(0, 4, len(attribute.ids)).tolist(),
                }
            )
    dataset.catalog.add("proposals", rows)


def embed(dataset: Dataset, ids: Sequence[str], model: str = "starter@w1+keep") -> None:
    if not ids:
        return
    vectors = np.stack(
        [np.random.default_rng(int(garment, 16)).normal(size=SIZE) for garment in ids]
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shas = [crop_of(dataset, garment) for garment in ids]
    dataset.catalog.add_embeddings(model, ids, shas, vectors)


def label(
    dataset: Dataset,
    garment: str,
    attribute: str,
    *values: str,
    kind: str = "annotator",
    who: str = "ann",
    task: str | None = None,
) -> str:
    """A label that somebody gave now; its id."""
    name = stable_id("label", dataset.folder, next(_serial))
    row = {
        "label_id": name,
        "garment_id": garment,
        "crop_sha": crop_of(dataset, garment),
        "attribute": attribute,
        "value": json.dumps(sorted(values)),
        "kind": kind,
        "annotator": who,
        "task_id": task,
    }
    dataset.catalog.add("labels", [row])
    return name


def decide(dataset: Dataset, garment: str, kind: str, withdraws: str | None = None) -> str:
    """A decision that somebody took now; its id."""
    name = stable_id("decision", dataset.folder, next(_serial))
    row = {"decision_id": name, "garment_id": garment, "kind": kind, "who": "cur"}
    dataset.catalog.add("decisions", [{**row, "withdraws": withdraws}])
    return name


def task(dataset: Dataset, garment: str, round_: str = "round-1", **shown: Sequence[str]) -> str:
    """A task that showed these values; its id."""
    name = stable_id("task", dataset.folder, garment)
    said = {
        attribute: {"values": list(values), "confidence": 0.5, "proposal_id": "", "tagger": "t"}
        for attribute, values in shown.items()
    }
    row = {"task_id": name, "garment_id": garment, "crop_sha": crop_of(dataset, garment)}
    row |= {"shown": json.dumps(said), "round": round_, "audit": False, "state": "done"}
    dataset.catalog.put("tasks", [row])
    return name


def retire(dataset: Dataset, garment: str, revive: bool = False) -> None:
    kind = "revive" if revive else "retire"
    row = {"extraction_id": stable_id(kind, garment, next(_serial)), "kind": kind}
    photo = dataset.catalog.rows("garments", ["photo_id"], f"garment_id = '{garment}'")
    row |= {"garment_id": garment, "photo_id": photo.column(0).to_pylist()[0]}
    dataset.catalog.add("extractions", [row])


def split(dataset: Dataset, garment: str, part: str) -> None:
    row = {"split_id": stable_id("split", garment, next(_serial)), "garment_id": garment}
    dataset.catalog.add("splits", [{**row, "version": "v", "split": part}])


def _add_photo(dataset: Dataset, at: int) -> list[str]:
    random = np.random.default_rng(at)
    pixels = np.repeat(np.repeat(random.integers(0, 255, (20, 12, 3), np.uint8), 10, 0), 10, 1)
    photo = stable_id("photo", dataset.settings.name, at)
    _save(dataset.preview_path(photo), encode_jpeg(pixels))
    people = [
        Person(stable_id("p", photo), photo, Box(10, 10, 80, 190), 0.9, Verdict.ACCEPTED),
        Person(
            stable_id("q", photo), photo, Box(90, 90, 110, 120), 0.6, Verdict.TOO_SMALL, "small"
        ),
    ]
    source = Source(
        stable_id("s", photo), f"/photos/{at}.jpg", photo, handle=f"h{at % 3}", licence="CC0"
    )
    catalog = dataset.catalog
    catalog.put("photos", [photo_row(Photo(photo, WIDTH, HEIGHT, phash=phash(pixels)))])
    catalog.add("sources", [source_row(source)])
    catalog.put("people", [person_row(person, "c") for person in people])
    rows = [
        _garment(dataset, photo, people[0].person_id, region, top)
        for region, top in ((Region.UPPER, 30), (Region.LOWER, 100))
    ]
    catalog.put("garments", rows)
    run = {"extraction_id": stable_id("run", photo), "photo_id": photo, "kind": "run"}
    catalog.add("extractions", [{**run, "config_hash": "c"}])
    return [row["garment_id"] for row in rows]


def _garment(dataset: Dataset, photo: str, person: str, region: Region, top: int):
    box = Box(20, top, 70, top + 60)
    name = stable_id(photo, region)
    random = np.random.default_rng(int(name, 16))
    crop = encode_jpeg(
        np.kron(random.integers(0, 255, (6, 5, 3)), np.ones((10, 10, 1))).astype("u1")
    )
    _save(dataset.crop_path(content_id(crop)), crop)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top + 5 : top + 55, 25:65] = True
    run = RunLengthMask.encode(mask)
    garment = Garment(name, photo, person, region, box, run, run.area, content_id(crop))
    return garment_row(garment, "c")


def _save(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
