"""The embeddings of the garments as they are cut now, and who is near to whom."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from garments.dataset import Dataset

_BLOCK = 512
"""Rows of similarities that are looked at together: 200 MB at 100,000 vectors."""

_CHUNK = 64
"""Columns of which only the best is looked at first."""


@dataclass(frozen=True, eq=False)
class CropVectors:
    """One vector for each garment that has one: `vectors` (N, D) float32 of unit length.

    All are of one `model` (see `Catalog.embedding_models`), empty where nothing is kept.
    """

    model: str
    garment_ids: list[str]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Nearest:
    """For M vectors the k nearest others, nearest first.

    `index` (M, k) are rows among all vectors, `cosine` (M, k) float32 in [-1, 1]. With fewer than
    k others, `index` is -1 and `cosine` -inf.
    """

    index: NDArray[np.int64]
    cosine: NDArray[np.float32]


def crop_vectors(dataset: "Dataset", garment_ids: Collection[str] | None = None) -> CropVectors:
    """Vectors of the active garments' present crops, of the model that knows most of them.

    Of models that know equally many, that of the data set's tagger, else the newest. With
    `garment_ids` only vectors of these are read, of the same model.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    active = _pairs(dataset.catalog.active_garments(columns=["garment_id", "crop_sha"]))
    model = _best_model(dataset, active)
    if not model:
        return CropVectors("", [], np.zeros((0, 0), np.float32))
    kept = dataset.catalog.embeddings(model, garment_ids)
    mine = _pairs(pa.table({"garment_id": kept.garment_ids, "crop_sha": kept.crop_shas}))
    rows = pc.indices_nonzero(pc.is_in(mine, active)).to_numpy()
    return CropVectors(model, [kept.garment_ids[row] for row in rows.tolist()], kept.vectors[rows])


def _pairs(rows: "pa.Table") -> "pa.Array":
    """Garment and crop as one text each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    both = (rows.column(name).cast(pa.string()) for name in ("garment_id", "crop_sha"))
    return pc.binary_join_element_wise(*both, "/").combine_chunks()


def _best_model(dataset: "Dataset", active: "pa.Array") -> str:
    """The model that knows most of the crops; empty where none knows any."""
    import pyarrow.compute as pc

    tagger = f"{dataset.settings.models.tagger}@"
    models = dataset.catalog.embedding_models()[::-1]
    best, most = "", 0
    for model in sorted(models, key=lambda model: not model.startswith(tagger)):
        count = pc.sum(pc.is_in(_pairs(dataset.catalog.embedded(model)), active)).as_py() or 0
        if count > most:
            best, most = model, count
        if most == len(active):
            break
    return best


def nearest(vectors: NDArray[np.float32], k: int, rows: Collection[int] | None = None) -> Nearest:
    """The `k` nearest of `vectors` (N, D) to those in `rows`, to all where that is None."""
    asked = np.arange(len(vectors)) if rows is None else np.fromiter(rows, np.int64)
    index = np.full((len(asked), k), -1, np.int64)
    cosine = np.full((len(asked), k), -np.inf, np.float32)
    found, count = min(k, len(vectors) - 1), len(vectors)
    if found < 1:
        return Nearest(index, cosine)
    padded = np.zeros((-(-count // _CHUNK) * _CHUNK, vectors.shape[1]), np.float32)
    padded[:count] = vectors
    alike = np.empty((min(_BLOCK, len(asked)), len(padded)), np.float32)
    for start in range(0, len(asked), _BLOCK):
        block = slice(start, start + _BLOCK)
        mine = asked[block]
        part = np.matmul(vectors[mine], padded.T, out=alike[: len(mine)])
        part[:, count:] = -np.inf
        part[np.arange(len(mine)), mine] = -np.inf
        index[block, :found], cosine[block, :found] = _best(part, found)
    return Nearest(index, cosine)


def _best(alike: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Columns and values of the `k` highest in each row, highest first.

    The columns are whole chunks. The best k lie in the k chunks with the highest maxima: only
    those are sorted.
    """
    rows, columns = alike.shape
    places: NDArray[Any] = np.broadcast_to(np.arange(columns), alike.shape)
    values = alike
    if columns > 2 * k * _CHUNK:
        tops = alike.reshape(rows, -1, _CHUNK).max(axis=2)
        chosen = np.argpartition(-tops, k - 1, axis=1)[:, :k]
        places = (chosen[:, :, None] * _CHUNK + np.arange(_CHUNK)).reshape(rows, -1)
        values = np.take_along_axis(alike, places, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return (
        np.take_along_axis(places, order, axis=1).astype(np.int64),
        np.take_along_axis(values, order, axis=1),
    )
