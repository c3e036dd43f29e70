"""Samples and labels as FiftyOne stores them in MongoDB.

FiftyOne makes and checks about a hundred samples with thirty labels a second; MongoDB takes a
hundred times as many. So the fields are declared by FiftyOne itself, from one complete sample,
and the samples are written as the documents that it would have made. The tests compare the two.
"""

import random
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from simplejpeg import decode_jpeg_header

Document = dict[str, Any]

_MANY = 10_000
"""Keys in one order to the database, of which none may have more than 16 MB."""

_LARGE = 4096
"""Bytes from which compressing pays: MongoDB compresses what it stores once more."""


def classification(label: str, **attributes: Any) -> Document:
    """A `fiftyone.Classification`; attributes that are None are left out."""
    return _label("Classification", label, attributes)


def detection(label: str, box: Sequence[float], **attributes: Any) -> Document:
    """A `fiftyone.Detection`; `box` is x, y, width, height in [0, 1] of the picture."""
    return _label("Detection", label, {"attributes": {}, "bounding_box": list(box), **attributes})


def detections(found: list[Document]) -> Document:
    """A `fiftyone.Detections`."""
    return {"_cls": "Detections", "detections": found}


def array(values: NDArray[Any]) -> bytes:
    """An array as the fields for vectors, logits and masks hold it: a compressed .npy file."""
    values = np.ascontiguousarray(values)
    data = _npy_header(values.dtype.str, values.shape) + values.tobytes()
    return zlib.compress(data, 1 if len(data) >= _LARGE else 0)


def metadata(path: Path) -> Document | None:
    """A `fiftyone.ImageMetadata` of a JPEG file, None where it is missing or no picture."""
    try:
        data = path.read_bytes()
        height, width, _, _ = decode_jpeg_header(data)
    except (OSError, ValueError):
        return None
    return {
        "_cls": "ImageMetadata",
        "size_bytes": len(data),
        "mime_type": "image/jpeg",
        "width": width,
        "height": height,
        "num_channels": 3,
    }


class Collection:
    """The samples of one FiftyOne dataset, each known by the text in its field `key`.

    `dataset` is None where there is none yet: then it is as an empty one to look at.
    """

    def __init__(self, dataset: Any, key: str) -> None:
        self._dataset, self._key = dataset, key
        self._raw: Any = None if dataset is None else dataset._sample_collection
        self._there: set[str] = set()
        self._strangers: dict[str, Any] = {}

    def declare(self, prototype: Any) -> None:
        """Give the dataset every field that a complete sample has, and a unique index by key.

        What our labels hold beyond FiftyOne's own is not declared: the App takes time for every
        declared path, after each tag even.
        """
        self._dataset.add_sample(prototype, validate=False)
        self._dataset.delete_samples([prototype.id])
        self._dataset.create_index(self._key, unique=True)

    def look(self, only: Sequence[str] | None = None) -> set[str]:
        """Keys of all samples, or of those in `only`; what `write` and `remove` go by.

        They are read from the index. A sample without a key, which somebody else made, goes by its
        id.
        """
        if self._raw is None:
            return set()
        if only is not None:
            mine = self._raw.find({self._key: {"$in": list(only)}}, {self._key: True})
            self._there = {document[self._key] for document in mine}
            return self._there
        found = self._raw.find({self._key: {"$gte": ""}}, {self._key: True, "_id": False})
        self._there = {document[self._key] for document in found}
        others = self._raw.find({self._key: {"$not": {"$gte": ""}}}, {"_id": True})
        self._strangers = {str(document["_id"]): document["_id"] for document in others}
        return self._there | set(self._strangers)

    def remove(self, keys: Iterable[str]) -> int:
        """Delete these samples; how many."""
        wanted = list(keys)
        strangers = [self._strangers.pop(key) for key in wanted if key in self._strangers]
        mine = [key for key in wanted if key in self._there]
        self._there -= set(mine)
        for start in range(0, len(mine), _MANY):
            self._raw.delete_many({self._key: {"$in": mine[start : start + _MANY]}})
        if strangers:
            self._raw.delete_many({"_id": {"$in": strangers}})
        return len(wanted)

    def write(self, documents: Iterable[Document]) -> int:
        """Add samples, or set these fields of those that are there; how many.

        `tags` (those that are ours) is what `synced_tags` becomes; tags of others stay.
        """
        from pymongo import InsertOne

        documents, now, orders = list(documents), datetime.now(UTC), list[Any]()
        known = self._known(document[self._key] for document in documents)
        for document in documents:
            before = known.get(document[self._key])
            if before is None:
                orders.append(InsertOne(self._new(document, now)))
            else:
                orders += _changes(*before, document, now)
        if orders:
            self._raw.bulk_write(orders, ordered=False)
        return len(documents)

    def _known(self, keys: Iterable[str]) -> dict[str, tuple[Any, tuple[str, ...]]]:
        """Id and `synced_tags` of those samples that are there, by key."""
        wanted = [key for key in keys if key in self._there]
        if not wanted:
            return {}
        found = self._raw.find({self._key: {"$in": wanted}}, {self._key: True, "synced_tags": True})
        return {
            document[self._key]: (document["_id"], tuple(document.get("synced_tags") or ()))
            for document in found
        }

    def _new(self, document: Document, now: datetime) -> Document:
        return {
            **document,
            "synced_tags": list(document["tags"]),
            "_media_type": "image",
            "_dataset_id": self._dataset._doc.id,
            "_rand": random.random() * 0.001 + 0.999,
            "created_at": now,
            "last_modified_at": now,
        }


def _changes(
    sample: Any, synced: tuple[str, ...], document: Mapping[str, Any], now: datetime
) -> list[Any]:
    """What is to be done to a sample that is there."""
    from pymongo import UpdateOne

    fields = {name: value for name, value in document.items() if name != "tags"}
    orders = [UpdateOne({"_id": sample}, {"$set": {**fields, "last_modified_at": now}})]
    tags = list(document["tags"])
    if tags != list(synced):
        gone = [tag for tag in synced if tag not in tags]
        kept = {"$setDifference": [{"$ifNull": ["$tags", []]}, gone]}
        changed = {"tags": {"$setUnion": [kept, tags]}, "synced_tags": tags}
        orders.append(UpdateOne({"_id": sample}, [{"$set": changed}]))
    return orders


def _label(kind: str, label: str, attributes: Mapping[str, Any]) -> Document:
    from bson import ObjectId

    given = {name: value for name, value in attributes.items() if value is not None}
    return {"_id": ObjectId(), "_cls": kind, "tags": [], "label": label, **given}


@lru_cache(maxsize=4096)
def _npy_header(dtype: str, shape: tuple[int, ...]) -> bytes:
    with BytesIO() as file:
        described = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, described)  # type: ignore[no-untyped-call]
        return file.getvalue()
