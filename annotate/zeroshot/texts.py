"""Text embeddings of an attribute's values: encoded once for a model and its prompts, and kept."""

import io
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.zeroshot.encoder import Encoder
from garments.errors import BadTaxonomy, ModelError
from garments.ids import stable_id
from garments.taxonomy import Taxonomy
from garments.whole import write_whole

BATCH = 64
"""Prompts that go through the text tower at once."""


def check_prompts(taxonomy: Taxonomy, attributes: Sequence[str]) -> None:
    """`BadTaxonomy` unless every value of every one of `attributes` has a prompt."""
    for attribute in attributes:
        found = taxonomy.attribute(attribute)
        silent = [value for value in found.ids if not found.prompts(value)]
        if silent:
            raise BadTaxonomy(
                f"expected a prompt for every value of {attribute}, but {len(silent)} of "
                f"{len(found.ids)} have none ({', '.join(silent[:5])}); add templates such as "
                f'["a photo of {{}}"] to the attribute in taxonomy.toml, or leave {attribute} out'
            )


class TextCache:
    """Text embeddings of values, in memory and, where `folder` is given, in files.

    `encoded` counts the prompts that went through a text tower, `hits` those that did not have to.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is made when there is something to keep."""
        self.folder = folder
        self.encoded = 0
        self.hits = 0
        self._kept: dict[str, NDArray[np.float32]] = {}

    def embeddings(
        self,
        encoder: Encoder,
        attribute: str,
        prompts: Sequence[Sequence[str]],
        prompt_version: str,
    ) -> NDArray[np.float32]:
        """(K, D) of unit length: the mean of the embeddings of each value's `prompts`.

        Raises `ModelError` where the model makes no finite numbers, or where a kept file has
        another shape than this model's embeddings.
        """
        name = f"{attribute}-{stable_id(encoder.weights_hash, prompt_version)}"
        count = sum(map(len, prompts))
        if name not in self._kept:
            kept = self._read(name, (len(prompts), encoder.dimension))
            if kept is None:
                self._kept[name] = _encode(encoder, attribute, prompts)
                self.encoded += count
                self._write(name, self._kept[name])
                return self._kept[name]
            self._kept[name] = kept
        self.hits += count
        return self._kept[name]

    def _read(self, name: str, shape: tuple[int, int]) -> NDArray[np.float32] | None:
        """What the file has; None without one, or where it is damaged: it is written anew."""
        if self.folder is None:
            return None
        path = self._path(self.folder, name)
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as content:
                kept = np.asarray(content["embeddings"], np.float32)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        if not np.isfinite(kept).all():
            return None
        if kept.shape != shape:
            raise ModelError(
                f"expected text embeddings of shape {shape} in {str(path)!r}, but got "
                f"{kept.shape}: the model is another than when they were written; delete that "
                "file, it is made again"
            )
        return kept

    def _write(self, name: str, embeddings: NDArray[np.float32]) -> None:
        if self.folder is None:
            return
        buffer = io.BytesIO()
        np.savez(buffer, embeddings=embeddings)
        path = self._path(self.folder, name)
        with suppress(OSError):  # where nothing can be kept, the next run just takes longer
            write_whole(path, buffer.getvalue())

    @staticmethod
    def _path(folder: Path, name: str) -> Path:
        return folder / f"{name}.npz"


def _encode(
    encoder: Encoder, attribute: str, prompts: Sequence[Sequence[str]]
) -> NDArray[np.float32]:
    """(K, D): the normalised mean of each value's normalised embeddings."""
    texts = [prompt for group in prompts for prompt in group]
    batches = [
        encoder.encode_texts(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)
    ]
    starts = np.cumsum([0, *(len(group) for group in prompts[:-1])])
    sums = np.add.reduceat(np.concatenate(batches), starts, axis=0)
    values = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    if not np.isfinite(values).all():
        raise ModelError(
            f"expected finite text embeddings for {attribute}, but got NaN or infinity; the "
            "model's weights are damaged: copy or download it again"
        )
    return np.asarray(values, np.float32)
