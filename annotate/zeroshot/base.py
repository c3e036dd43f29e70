"""A tagger over any image-text model: crops and prompts are embedded, and compared by cosine."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotate.preparation import Background, prepared
from annotate.zeroshot.encoder import Encoder
from annotate.zeroshot.texts import TextCache
from extract.accelerate.engines import Runner
from garments.calibration import Calibration
from garments.tagger import Crop, TaggerVersion, Tags
from garments.taxonomy import Taxonomy

BATCH = 32
"""Crops that go through the image tower at once."""


class ZeroShotTagger:
    """`garments.tagger.Tagger` over an `Encoder`.

    `attributes` are those of `taxonomy` that it answers, each of them with prompts.
    """

    def __init__(
        self,
        encoder: Encoder,
        taxonomy: Taxonomy,
        attributes: Sequence[str],
        background: Background = "grey",
        texts: TextCache | None = None,
        calibrations: Mapping[str, Calibration] | None = None,
    ) -> None:
        """Without `texts`, prompts are encoded at the first use and kept in memory only."""
        self.reference = encoder.reference
        self.weights_hash = encoder.weights_hash
        self.attributes = tuple(attributes)
        self.calibrations = {
            attribute: calibration
            for attribute, calibration in (calibrations or {}).items()
            if attribute in self.attributes
        }
        self.texts = texts or TextCache()
        self._encoder = encoder
        self._taxonomy = taxonomy
        self._background: Background = background

    @property
    def runner(self) -> Runner | None:
        """What runs the image tower, None where it runs by itself."""
        return self._encoder.runner

    def version(self, attribute: str) -> TaggerVersion:
        """See `garments.tagger.Tagger`."""
        return TaggerVersion(
            model=self.reference,
            weights_hash=self.weights_hash,
            vocabulary_hash=self._taxonomy.vocabulary_hash(attribute),
            prompt_version=self._taxonomy.prompt_hash(attribute),
            crop_preparation=self._background,
        )

    def tag(self, crops: Sequence[Crop]) -> Tags:
        """See `garments.tagger.Tagger`; `ModelError` where the weights make no finite numbers."""
        embeddings = self.embed(crops)
        logits = {
            attribute: self._encoder.scale * (embeddings @ self._values(attribute).T)
            + np.float32(self._encoder.bias)
            for attribute in self.attributes
        }
        return Tags(logits, self._encoder.activation, embeddings)

    def embed(self, crops: Sequence[Crop]) -> NDArray[np.float32]:
        """(N, D) float32 of unit length; no prompt is needed for it."""
        batches: list[NDArray[np.float32]] = [np.zeros((0, self._encoder.dimension), np.float32)]
        for start in range(0, len(crops), BATCH):
            images = [self._image(crop) for crop in crops[start : start + BATCH]]
            batches.append(self._encoder.encode_images(images))
        return np.concatenate(batches)

    def _image(self, crop: Crop) -> Image.Image:
        return Image.fromarray(prepared(crop, self._background))

    def _values(self, attribute: str) -> NDArray[np.float32]:
        """(K, D): one text embedding a value, in the taxonomy's order."""
        found = self._taxonomy.attribute(attribute)
        prompts = [found.prompts(value) for value in found.ids]
        return self.texts.embeddings(
            self._encoder, attribute, prompts, self._taxonomy.prompt_hash(attribute)
        )
