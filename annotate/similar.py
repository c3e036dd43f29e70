"""Which crops look most like a given one: vector search over the embeddings that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.record import embedding_model
from garments.catalog import one_of
from garments.catalog.embeddings import Near
from garments.dataset import Dataset
from garments.errors import BadInput, UnfitModel
from garments.files import printable, read_bytes
from garments.ids import content_id
from garments.images import Pixels, decode
from garments.tagger import Crop, Tagger


@dataclass(frozen=True)
class Neighbour:
    """An active garment that was found; `similarity` is the cosine, in [-1, 1]."""

    garment_id: str
    crop_sha: str
    region: str
    photo_id: str
    similarity: float


@dataclass(frozen=True, eq=False)
class Similar:
    """What was searched for, by which model, and what was found, nearest first.

    `key` names the query in file names: a garment's id, or a hash of the picture's bytes.
    `pixels` are those of a picture that was given, None for a garment of the data set, which
    `garment` then is.
    """

    key: str
    title: str
    model: str
    neighbours: tuple[Neighbour, ...]
    garment: Neighbour | None = None
    pixels: Pixels | None = None


def similar(
    dataset: Dataset,
    query: str,
    n: int = 20,
    *,
    model: str | None = None,
    device: str = "auto",
    tagger: Tagger | None = None,
) -> Similar:
    """The `n` active garments nearest to a garment of the data set, or to a picture of one.

    `query` is a garment's id or a picture's path. Vectors are those of `model`, by default of the
    data set's tagger. A picture is embedded now, by `tagger` or by the one that the reference
    names. Raises `BadInput` where `query` is neither, or where no embeddings are kept yet.
    """
    reference = tagger.reference if tagger else model or dataset.settings.models.tagger
    found = dataset.catalog.rows("garments", where=one_of("garment_id", [query])).to_pylist()
    if found:
        return _to_garment(dataset, found[0], n, reference)
    if not Path(query).is_file():
        raise BadInput(
            f"expected a garment of {dataset.folder} or a picture file, but {printable(query)!r} "
            "is neither; `garmentloop export garments` lists the garments' ids"
        )
    return _to_picture(dataset, Path(query), n, tagger or _loaded(dataset, reference, device))


def _to_garment(dataset: Dataset, row: dict[str, Any], n: int, reference: str) -> Similar:
    me = _neighbour(row, 1.0)
    for model in _kept(dataset, reference):
        vector = dataset.catalog.embedding(model, me.garment_id, me.crop_sha)
        if vector is not None:
            near = _nearest(dataset, model, vector, n, without=me.garment_id)
            title = f"garment {me.garment_id}"
            return Similar(me.garment_id, title, model, near, garment=me)
    raise BadInput(
        f"expected an embedding of garment {me.garment_id} by {reference}, but there is none yet; "
        f"run `garmentloop prelabel --dataset {dataset.folder}` first"
    )


def _to_picture(dataset: Dataset, path: Path, n: int, tagger: Tagger) -> Similar:
    model = embedding_model(tagger)
    if model not in dataset.catalog.embedding_models():
        raise BadInput(
            f"expected embeddings by {tagger.reference} as it is now, but there are none yet; run "
            f"`garmentloop prelabel --dataset {dataset.folder}` first"
        )
    data = read_bytes(path)
    pixels = decode(data, longest=dataset.settings.crops.longest).pixels
    vectors = tagger.tag([Crop(pixels)]).embeddings
    if vectors is None:
        raise UnfitModel(
            f"expected a tagger with embeddings, but {tagger.reference} has none; give another "
            "one by --model"
        )
    near = _nearest(dataset, model, vectors[0], n)
    return Similar(content_id(data), printable(path.name), model, near, pixels=pixels)


def _loaded(dataset: Dataset, reference: str, device: str) -> Tagger:
    from annotate.taggers import load_tagger

    return load_tagger(
        reference,
        dataset.taxonomy,
        device=device,
        speed=dataset.settings.speed,
        background=dataset.settings.prelabel.background,
        cache=dataset.run / "texts",
    )


def _kept(dataset: Dataset, reference: str) -> Sequence[str]:
    """Names under which embeddings of a reference are kept, the newest first."""
    models = dataset.catalog.embedding_models()
    return [model for model in reversed(models) if model.startswith(f"{reference}@")]


def _nearest(
    dataset: Dataset, model: str, vector: NDArray[np.float32], n: int, without: str = ""
) -> tuple[Neighbour, ...]:
    """The nearest active garments; the search goes on until enough of what it finds is active."""
    ask = n + 1
    while True:
        near = dataset.catalog.nearest(model, vector, ask)
        found = [one for one in _active(dataset, near) if one.garment_id != without]
        if len(found) >= n or len(near) < ask:
            return tuple(found[:n])
        ask *= 4


def _active(dataset: Dataset, near: Sequence[Near]) -> list[Neighbour]:
    """Of what a search found, the active garments whose crop is still the same."""
    where = one_of("garment_id", {one.garment_id for one in near})
    columns = ["garment_id", "crop_sha", "region", "photo_id"]
    rows = dataset.catalog.active_garments(where, columns).to_pylist()
    known = {(row["garment_id"], row["crop_sha"]): row for row in rows}
    pairs = [(known.get((one.garment_id, one.crop_sha)), one.similarity) for one in near]
    return [_neighbour(row, similarity) for row, similarity in pairs if row is not None]


def _neighbour(row: dict[str, Any], similarity: float) -> Neighbour:
    return Neighbour(row["garment_id"], row["crop_sha"], row["region"], row["photo_id"], similarity)
