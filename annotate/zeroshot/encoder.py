"""What open_clip's and transformers' image-text models have in common."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from extract.accelerate.engines import Runner
from garments.tagger import Activation


class Encoder(Protocol):
    """An image-text model, on whatever device it was loaded.

    `scale` and `bias` turn cosine similarities into the logits that the model was trained with;
    `dimension` is D, the length of an embedding.
    """

    @property
    def reference(self) -> str: ...  # noqa: D102
    @property
    def weights_hash(self) -> str: ...  # noqa: D102
    @property
    def dimension(self) -> int: ...  # noqa: D102
    @property
    def activation(self) -> Activation: ...  # noqa: D102
    @property
    def scale(self) -> float: ...  # noqa: D102
    @property
    def bias(self) -> float: ...  # noqa: D102
    @property
    def runner(self) -> Runner | None: ...  # noqa: D102

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """(N, D) of unit length for N >= 1 RGB images of any size."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, D) of unit length for N >= 1 texts."""
        ...
