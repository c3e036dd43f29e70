"""The FiftyOne dataset of photos: a sample a preview, with its people and its garments.

photo_id, handle, licence, width and height of the original, origins; `people`: a Detection each
person that the newest extraction saw (label is the verdict; person_id, reason); `garments`: a
Detection each garment that is not retired (label is the category that holds, else the region;
garment_id, region, state, mask).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.fiftyone.documents import Document, array, detection, detections, metadata
from curate.fiftyone.facts import Facts, Origin
from curate.fiftyone.fields import holds, label_of
from curate.state import GarmentRow, GarmentState
from garments.catalog import one_of
from garments.catalog.rows import garment_from_row
from garments.dataset import Dataset

MASK_SIDE = 128
"""Longer side of a mask at most, in pixels: it is drawn over a small picture."""

CATEGORY = "category"

Row = Mapping[str, Any]


def photo_documents(dataset: Dataset, known: Facts, photo_ids: Sequence[str]) -> Iterator[Document]:
    """The samples of these photos; `known` has all of their garments."""
    where = one_of("photo_id", photo_ids)
    photos = dataset.catalog.rows("photos", where=where).to_pylist()
    people = _by_photo(dataset.catalog.active_people(where).sort_by("seq").to_pylist())
    garments = _by_photo(dataset.catalog.active_garments(where).sort_by("seq").to_pylist())
    rows = {row.garment_id: row for row in known.rows}
    root = dataset.folder.resolve()
    for photo in photos:
        name = photo["photo_id"]
        size, origin = (photo["width"], photo["height"]), known.origins.get(name, Origin())
        path = root / dataset.preview_path(name).relative_to(dataset.folder)
        cut = [_garment(known, row, rows, size) for row in garments.get(name, ())]
        yield {
            "filepath": str(path),
            "metadata": metadata(path),
            "tags": [],
            "photo_id": name,
            "handle": origin.handle,
            "licence": origin.licence,
            "width": photo["width"],
            "height": photo["height"],
            "state": str(photo["state"]),
            "people": detections([_person(row, size) for row in people.get(name, ())]),
            "garments": detections([found for found in cut if found]),
        }


def prototype(fo: Any, dataset: Dataset) -> Any:
    """A sample with every field filled, from which FiftyOne learns their types."""
    box = [0.0, 0.0, 1.0, 1.0]
    person = fo.Detection(label="x", bounding_box=box, confidence=0.5, person_id="x", reason="x")
    garment = fo.Detection(
        label="x", bounding_box=box, mask=np.ones((1, 1), bool), garment_id="x", region="x",
        state="x", source="x",
    )  # fmt: skip
    return fo.Sample(
        filepath=str(dataset.folder / "prototype.jpg"),
        metadata=fo.ImageMetadata(),
        synced_tags=["x"],
        width=1,
        height=1,
        people=fo.Detections(detections=[person]),
        garments=fo.Detections(detections=[garment]),
        **dict.fromkeys(("photo_id", "handle", "licence", "state"), "x"),
    )


def _person(row: Row, size: tuple[int, int]) -> Document:
    return detection(
        row["verdict"],
        _relative((row["x1"], row["y1"], row["x2"], row["y2"]), size),
        confidence=row["score"],
        person_id=row["person_id"],
        reason=row["reason"] or None,
    )


def _garment(
    known: Facts, row: Row, rows: Mapping[str, GarmentRow], size: tuple[int, int]
) -> Document | None:
    """A garment with its mask; None for one that came while this was read."""
    name = row["garment_id"]
    if name not in rows or rows[name].state is GarmentState.RETIRED:
        return None
    box = _whole(row, size)
    values, source = holds(known, name, CATEGORY) or (None, None)
    return detection(
        row["region"] if values is None else label_of(values),
        _relative(box, size),
        garment_id=name,
        region=row["region"],
        state=str(rows[name].state),
        source=source,
        mask=_mask(row, box),
    )


def _mask(row: Row, box: tuple[int, int, int, int]) -> bytes | None:
    """The mask within the box, made smaller, as FiftyOne stores it."""
    mask = garment_from_row(row).mask
    if mask is None:
        return None
    x1, y1, x2, y2 = box
    inside: NDArray[np.bool_] = mask.columns(min(x1, mask.width), min(x2, mask.width))[y1:y2]
    step = -(-max(inside.shape, default=1) // MASK_SIDE) or 1
    smaller = inside[step // 2 :: step, step // 2 :: step]
    return array(smaller) if smaller.size else None


def _whole(row: Row, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box in whole pixels, within the photo."""
    width, height = size
    x1, y1 = max(0, int(row["x1"])), max(0, int(row["y1"]))
    x2, y2 = int(np.ceil(row["x2"])), int(np.ceil(row["y2"]))
    return x1, y1, max(x1 + 1, min(x2, width or x2)), max(y1 + 1, min(y2, height or y2))


def _relative(box: Sequence[float], size: tuple[int, int]) -> tuple[float, ...]:
    """x, y, width and height as shares of the photo, within it."""
    width, height = max(1, size[0]), max(1, size[1])
    x1, x2 = (min(max(x / width, 0.0), 1.0) for x in (box[0], box[2]))
    y1, y2 = (min(max(y / height, 0.0), 1.0) for y in (box[1], box[3]))
    return x1, y1, x2 - x1, y2 - y1


def _by_photo(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["photo_id"]].append(row)
    return found
