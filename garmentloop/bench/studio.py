"""Pushing to a Label Studio of our own: pictures drawn, tasks made, recorded and imported."""

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from garmentloop.bench import Figure, Size
from garments.boxes import Box
from garments.catalog.rows import garment_row, person_row, photo_row
from garments.dataset import Dataset
from garments.ids import content_id, stable_id
from garments.images import encode_jpeg
from garments.parts import Region
from garments.records import Garment, Person, Photo, Verdict

GARMENTS_A_PHOTO = 2
PHOTO = (683, 1024)
"""Width and height of a preview."""

STALE = 50
"""Tasks shown another model's proposals: Label Studio takes their data one by one."""


def measure(scratch: Path, size: Size) -> Iterator[Figure]:
    """Figures `studio_...`; nothing where Label Studio is not installed."""
    if importlib.util.find_spec("label_studio") is None:
        return
    from annotate.guidelines import write_guidelines
    from annotate.studio import server

    dataset = Dataset.create(scratch / "pushed")
    count = add_garments(dataset, size.tasks)
    propose(dataset, "first")
    write_guidelines(dataset)  # once for a taxonomy, so it is no part of the rate
    began = time.perf_counter()
    server.start(dataset, 0)
    yield Figure("studio_start", time.perf_counter() - began, "s", "its database is made")
    try:
        half = count // 2
        draw(dataset, half)
        drawn, note = half / sending(dataset, half), f"{half} tasks, photos drawn before"
        yield Figure("studio_push_drawn", drawn, "tasks/s", note)
        rest = count - half
        note = f"{rest} tasks, their {rest // GARMENTS_A_PHOTO} photos drawn on the way"
        yield Figure("studio_push", rest / sending(dataset), "tasks/s", note)
        again = push(dataset)
        yield Figure("studio_push_again", again, "s", "nothing to do")
        propose(dataset, "second", STALE)
        seconds = max(0.1, push(dataset) - again)
        stale = min(STALE, count)
        yield Figure("studio_update", stale / seconds, "tasks/s", f"{stale} by a new tagger")
    finally:
        server.stop(dataset)


def push(dataset: Dataset, limit: int | None = None) -> float:
    """Push so many new garments, or all; seconds."""
    began = time.perf_counter()
    sending(dataset, limit)
    return time.perf_counter() - began


def sending(dataset: Dataset, limit: int | None = None) -> float:
    """Push, and tell the seconds after the look at what is on the server already."""
    from annotate.studio.client import connect
    from annotate.studio.push import PushOptions
    from annotate.studio.push import push as run

    progress = run(dataset, connect(dataset), PushOptions(limit=limit))
    next(progress)
    began = time.perf_counter()
    for _ in progress:
        pass
    return time.perf_counter() - began


def draw(dataset: Dataset, count: int) -> None:
    """Draw the photos of the first garments as annotators see them."""
    from annotate.studio.context import ContextPictures

    rows = dataset.catalog.active_garments().sort_by("seq").to_pylist()[:count]
    contexts = ContextPictures(dataset, rows)
    for row in rows:
        contexts.draw([row])


def add_garments(dataset: Dataset, count: int) -> int:
    """Garments of people in photos with previews and crops full of noise; how many."""
    random = np.random.default_rng(0)
    photos, people, garments = [], [], []
    for number in range(-(-count // GARMENTS_A_PHOTO)):
        photo, box = stable_id("bench", number), Box(200, 100, 480, 1000)
        preview = dataset.preview_path(photo)
        preview.parent.mkdir(parents=True, exist_ok=True)
        preview.write_bytes(_noise(random, *PHOTO))
        photos.append(photo_row(Photo(photo, *PHOTO)))
        people.append(person_row(Person(photo, photo, box, 0.9, Verdict.ACCEPTED)))
        for part, region in enumerate((Region.UPPER, Region.LOWER)):
            crop = _noise(random, 171, 256)
            sha, mine = content_id(crop), Box(220, 200 + 300 * part, 460, 480 + 300 * part)
            path = dataset.crop_path(sha)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(crop)
            name = stable_id(photo, part)
            garments.append(garment_row(Garment(name, photo, photo, region, mine, None, 9, sha)))
    for table, rows in (("photos", photos), ("people", people), ("garments", garments)):
        dataset.catalog.put(table, rows)
    return len(garments)


def propose(dataset: Dataset, tagger: str, limit: int | None = None) -> None:
    """Random proposals for every attribute of so many garments, under the settings' tagger."""
    random = np.random.default_rng(len(tagger))
    garments = dataset.catalog.rows("garments", ["garment_id", "crop_sha"]).to_pylist()[:limit]
    for attribute in dataset.taxonomy.attributes:
        logits = random.normal(0, 3, (len(garments), len(attribute.values)))
        common = {
            "attribute": attribute.id,
            "tagger": stable_id(tagger, attribute.id),
            "model": dataset.settings.models.tagger,
            "vocabulary_hash": dataset.taxonomy.vocabulary_hash(attribute.id),
            "activation": "softmax",
        }
        dataset.catalog.add(
            "proposals",
            [
                {
                    **garment,
                    **common,
                    "proposal_id": stable_id(tagger, attribute.id, garment["garment_id"]),
                    "logits": row.tolist(),
                }
                for garment, row in zip(garments, logits, strict=True)
            ],
        )


def _noise(random: np.random.Generator, width: int, height: int) -> bytes:
    """A JPEG of blobs, about as hard to code as a photo."""
    import cv2

    small = random.integers(0, 255, (max(2, height // 16), max(2, width // 16), 3), dtype=np.uint8)
    pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return encode_jpeg(np.asarray(pixels, np.uint8))
