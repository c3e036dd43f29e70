"""Writing what taggers said: embeddings first, proposals last.

A garment counts as done by its proposals, so whoever is killed in between does its batch again
and writes the same rows.
"""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from garments.catalog import Catalog
from garments.ids import stable_id
from garments.tagger import Tagger, TaggerVersion, Tags

if TYPE_CHECKING:
    import pyarrow as pa

COMPACT_EVERY = 64
"""Commits after which the catalogue's many small pieces are put together, to be read quickly."""

COMPACT_AT_END = 8
"""Commits of a run from which that is worth while at its end."""

Crops = Sequence[tuple[str, str]]
"""(garment_id, crop_sha) of each crop that was tagged."""


class Recorder:
    """Collects what taggers said and writes it in groups, every so many seconds."""

    def __init__(self, catalog: Catalog, seconds: float) -> None:
        self._catalog, self._seconds = catalog, seconds
        self._proposals: list[pa.Table] = []
        self._embeddings: dict[str, list[tuple[Crops, NDArray[np.float32]]]] = {}
        self._versions: dict[tuple[int, str], TaggerVersion] = {}
        self._commits = 0
        self._since = time.monotonic()

    def add(
        self, tagger: Tagger, crops: Crops, tags: Tags, wanted: Mapping[str, NDArray[np.bool_]]
    ) -> int:
        """Take what `tagger` said about N crops; how many proposals that makes.

        `wanted` has for each attribute (N,) bool: whether the proposal is asked for.
        """
        count = 0
        for attribute, mask in wanted.items():
            if mask.any():
                version = self._version(tagger, attribute)
                self._proposals.append(_proposals(version, attribute, crops, tags, mask))
                count += int(mask.sum())
        if tags.embeddings is not None:
            preparation = self._version(tagger, tagger.attributes[0]).crop_preparation
            model = _embedding_model(tagger, preparation)
            self._embeddings.setdefault(model, []).append((crops, tags.embeddings))
        return count

    def flush_if_due(self) -> None:
        """Write all that wait when it is time."""
        if time.monotonic() - self._since >= self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write all that wait. After an error they still wait, so this may be called again."""
        import pyarrow as pa

        for model, parts in self._embeddings.items():
            crops = [crop for some, _ in parts for crop in some]
            ids, shas = [garment for garment, _ in crops], [sha for _, sha in crops]
            vectors = np.concatenate([vectors for _, vectors in parts])
            self._catalog.add_embeddings(model, ids, shas, vectors)
        if self._proposals:
            self._catalog.add("proposals", pa.concat_tables(self._proposals))
            self._commits += 1
        self._proposals, self._embeddings = [], {}
        if self._commits >= COMPACT_EVERY:
            self._compact()
        self._since = time.monotonic()

    def close(self) -> None:
        """Write all that wait and leave the catalogue quick to read."""
        self.flush()
        if self._commits >= COMPACT_AT_END:
            self._compact()

    def _version(self, tagger: Tagger, attribute: str) -> TaggerVersion:
        """Asked for once, not at every batch: it hashes all prompts."""
        key = (id(tagger), attribute)
        if key not in self._versions:
            self._versions[key] = tagger.version(attribute)
        return self._versions[key]

    def _compact(self) -> None:
        self._catalog.optimize()
        self._commits = 0


def embedding_model(tagger: Tagger) -> str:
    """Under which name the embeddings of a tagger are kept: all that decides what they are."""
    return _embedding_model(tagger, tagger.version(tagger.attributes[0]).crop_preparation)


def _embedding_model(tagger: Tagger, preparation: str) -> str:
    return f"{tagger.reference}@{tagger.weights_hash}+{preparation}"


def _proposals(
    version: TaggerVersion, attribute: str, crops: Crops, tags: Tags, mask: NDArray[np.bool_]
) -> "pa.Table":
    """Rows of `proposals` about one attribute, for the crops in `mask`."""
    import pyarrow as pa

    chosen = [crops[at] for at in np.flatnonzero(mask)]
    logits = tags.logits[attribute][mask]
    ends = np.arange(len(chosen) + 1, dtype=np.int32) * logits.shape[1]
    same = {
        "attribute": attribute,
        "tagger": version.id,
        "model": version.model,
        "weights_hash": version.weights_hash,
        "vocabulary_hash": version.vocabulary_hash,
        "prompt_version": version.prompt_version,
        "crop_preparation": version.crop_preparation,
        "activation": str(tags.activation_of(attribute)),
    }
    return pa.table(
        {
            "proposal_id": [stable_id("proposal", *crop, attribute, version.id) for crop in chosen],
            "garment_id": [garment for garment, _ in chosen],
            "crop_sha": [sha for _, sha in chosen],
            **{name: pa.repeat(value, len(chosen)) for name, value in same.items()},
            "logits": pa.ListArray.from_arrays(ends, np.asarray(logits, np.float32).ravel()),
        }
    )
