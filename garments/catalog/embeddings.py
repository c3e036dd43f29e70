"""Embeddings of garment crops in the catalogue, and the search for the nearest ones.

Vectors of one length lie in one table, `embeddings_<length>`, with a column of fixed size: that is
what the vector search of LanceDB asks for.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from garments.catalog.convert import one_of
from garments.catalog.schema import TABLES, embeddings_spec
from garments.catalog.store import Store
from garments.errors import ModelError
from garments.ids import stable_id

if TYPE_CHECKING:
    import lance
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Embeddings:
    """All that is kept of one model, oldest first: `vectors` is (N, D) float32, D 0 if N is."""

    garment_ids: list[str]
    crop_shas: list[str]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Near:
    """One crop that a search found; `similarity` is the cosine, in [-1, 1]."""

    garment_id: str
    crop_sha: str
    similarity: float


class EmbeddingStore(Store):
    """A store that keeps one vector per garment crop and model."""

    def add_embeddings(
        self, model: str, garment_ids: Sequence[str], crop_shas: Sequence[str], vectors: ArrayLike
    ) -> int:
        """Keep `vectors` (N, D), finite and of unit length; how many were new.

        `model` is all that decides what its vectors are: reference, weights and crop preparation.
        Raises `ModelError` for NaN, and where the same model gave vectors of another length before.
        """
        found = _checked(model, vectors, len(garment_ids))
        if not len(found):
            return 0
        spec = embeddings_spec(found.shape[1])
        self._expect_same_length(model, spec.name)
        return self.add(spec.name, _rows(model, garment_ids, crop_shas, found))

    def embeddings(self, model: str, garment_ids: Collection[str] | None = None) -> Embeddings:
        """Every vector that is kept of `model`, also those of crops that were cut again since.

        With `garment_ids` only of these: no other vector is read.
        """
        table = self._table_of(model)
        if table is None:
            return Embeddings([], [], np.zeros((0, 0), np.float32))
        if garment_ids is not None:
            return self._some(model, table, garment_ids)
        columns = ["garment_id", "crop_sha", "vector", "seq"]
        rows = self.rows(table, columns, one_of("model", [model]))
        order = np.argsort(rows.column("seq").to_numpy())
        ids, shas = (rows.column(name).take(order).to_pylist() for name in columns[:2])
        flat = np.concatenate([c.flatten().to_numpy() for c in rows.column("vector").chunks])
        return Embeddings(ids, shas, flat.reshape(len(ids), -1)[order])

    def _some(self, model: str, table: str, garment_ids: Collection[str]) -> Embeddings:
        """Vectors of some garments, taken by their place in the table."""
        import pyarrow as pa
        import pyarrow.compute as pc

        columns = ["garment_id", "crop_sha", "seq"]

        def read(found: "lance.LanceDataset") -> Embeddings:
            names = found.to_table(columns=["garment_id", "model"])
            wanted = pc.is_in(names.column("garment_id"), pa.array(garment_ids, pa.string()))
            mine = pc.and_(wanted, pc.equal(names.column("model"), model))
            places = pc.indices_nonzero(mine).to_pylist()
            rows = found.take(places, columns=[*columns, "vector"]).sort_by("seq")
            flat = [np.zeros(0, np.float32)]
            flat += [c.flatten().to_numpy() for c in rows.column("vector").chunks]
            ids, shas = (rows.column(name).to_pylist() for name in columns[:2])
            width = found.schema.field("vector").type.list_size
            return Embeddings(ids, shas, np.concatenate(flat).reshape(len(ids), width))

        return self._reading(table, read, Embeddings([], [], np.zeros((0, 0), np.float32)))

    def embedded(self, model: str) -> "pa.Table":
        """garment_id and crop_sha of every vector that is kept of `model`, without the vectors."""
        table = self._table_of(model)
        columns = ["garment_id", "crop_sha"]
        if table is None:
            return self.rows("garments", columns, "false")
        return self.rows(table, columns, one_of("model", [model]))

    def embedding(self, model: str, garment_id: str, crop_sha: str) -> NDArray[np.float32] | None:
        """The vector (D,) of one crop, None where there is none."""
        where = one_of("embedding_id", [_id(model, garment_id, crop_sha)])
        for table in self.embedding_tables():
            found = self.rows(table, ["vector"], where).column(0).to_pylist()
            if found:
                return np.array(found[0], np.float32)
        return None

    def embedding_models(self) -> list[str]:
        """Models of which vectors are kept, the one that was used last at the end."""
        last = [
            (row["last"], row["model"])
            for table in self.embedding_tables()
            for row in self._query(table, "model, max(seq) AS last", None, "GROUP BY model")
        ]
        return [model for _, model in sorted(last)]

    def nearest(self, model: str, vector: ArrayLike, k: int) -> list[Near]:
        """The `k` crops whose vectors of `model` are nearest to `vector` (D,), nearest first.

        Retired garments and crops that were cut again since are among them. `ModelError` where
        `vector` has another length than those kept.
        """
        wanted = _checked(model, np.asarray(vector, np.float32)[None], 1)[0]
        table = self._table_of(model)
        if table is None or k < 1:
            return []
        if table != embeddings_spec(len(wanted)).name:
            raise ModelError(_other_length(model, table, embeddings_spec(len(wanted)).name))

        def search(found: "lance.LanceDataset") -> "pa.Table":
            return found.to_table(
                columns=["garment_id", "crop_sha", "_distance"],
                filter=one_of("model", [model]),
                prefilter=True,
                nearest={"column": "vector", "q": wanted, "k": k, "metric": "cosine"},
            )

        rows = self._reading(table, search, None)
        found = [
            Near(row["garment_id"], row["crop_sha"], 1 - float(row["_distance"]))
            for row in (rows.to_pylist() if rows is not None else [])
        ]
        return sorted(found, key=lambda near: (-near.similarity, near.garment_id))

    def embedding_tables(self) -> list[str]:
        """Names of the tables of embeddings that were written."""
        return [name for name in self.tables() if name not in TABLES]

    def _table_of(self, model: str) -> str | None:
        """The table that has vectors of `model`, None where there are none."""
        mine = one_of("model", [model])
        return next((t for t in self.embedding_tables() if self.count(t, mine)), None)

    def _expect_same_length(self, model: str, table: str) -> None:
        there = self._table_of(model)
        if there not in (None, table):
            raise ModelError(_other_length(model, str(there), table))


def _other_length(model: str, there: str, table: str) -> str:
    kept, came = (name.rpartition("_")[2] for name in (there, table))
    return (
        f"expected vectors of {kept} numbers from {model}, as those in the catalogue, but got "
        f"{came}; the model has changed under its name: use it under another name, such as that "
        "of a copy of its folder"
    )


def _checked(model: str, vectors: ArrayLike, count: int) -> NDArray[np.float32]:
    found = np.ascontiguousarray(vectors, np.float32)
    if found.ndim != 2 or len(found) != count:
        raise ModelError(
            f"expected {count} vectors of one length from {model}, but got shape {found.shape}"
        )
    if not np.isfinite(found).all():
        raise ModelError(
            f"expected finite embeddings from {model}, but there is NaN or infinity among them; "
            "its weights are damaged or its precision is too low: load it again, in fp32"
        )
    return found


def _id(model: str, garment_id: str, crop_sha: str) -> str:
    return stable_id("embedding", garment_id, crop_sha, model)


def _rows(
    model: str,
    garment_ids: Sequence[str],
    crop_shas: Sequence[str],
    vectors: NDArray[np.float32],
) -> "pa.Table":
    import pyarrow as pa

    pairs = zip(garment_ids, crop_shas, strict=True)
    return pa.table(
        {
            "embedding_id": [_id(model, *pair) for pair in pairs],
            "garment_id": list(garment_ids),
            "crop_sha": list(crop_shas),
            "model": [model] * len(vectors),
            "vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1]),
        }
    )
