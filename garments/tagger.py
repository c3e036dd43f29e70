"""What a tagger is: crops in, logits for every attribute out, under a version that says all.

Whoever proposes labels - zero-shot models, the color rule, the fine-tuned tagger - is a `Tagger`.
What it says is kept raw; constraints, calibration and abstention are applied on reading
(`garments.reading`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from garments.calibration import Calibration
from garments.errors import BadInput, ModelError
from garments.ids import stable_id
from garments.images import Pixels
from garments.parts import Region


class Activation(StrEnum):
    """What turns a model's logits into its probabilities, as the model was trained."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


@dataclass(frozen=True, eq=False)
class Crop:
    """One garment to be tagged.

    `pixels` is (h, w, 3) uint8 RGB. `mask` is (h, w) bool, true on the garment, None where nobody
    knows (a product shot). A mask without any pixel is refused: nothing could be seen.
    """

    pixels: Pixels
    mask: NDArray[np.bool_] | None = None
    region: Region = Region.UNKNOWN

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            raise BadInput(
                "expected a crop with shape (height, width, 3) of uint8, but got shape "
                f"{self.pixels.shape} of {self.pixels.dtype}"
            )
        if 0 in self.pixels.shape:
            raise BadInput(f"expected a crop with pixels, but got shape {self.pixels.shape}")
        if self.mask is None:
            return
        if self.mask.shape != self.pixels.shape[:2]:
            raise BadInput(
                f"expected a mask with the crop's shape {self.pixels.shape[:2]}, but got "
                f"{self.mask.shape}"
            )
        if not self.mask.any():
            raise BadInput("expected a mask with at least one pixel, but its area is zero")


@dataclass(frozen=True)
class TaggerVersion:
    """All that decides what a tagger says about one attribute.

    A version belongs to one attribute, so that a new attribute or a mended prompt renews the
    proposals of that attribute alone. `prompt_version` is empty for a trained tagger.
    """

    model: str
    weights_hash: str
    vocabulary_hash: str
    prompt_version: str
    crop_preparation: str

    @property
    def id(self) -> str:
        """16 hex digits that stand for the version in the catalogue (column `tagger`)."""
        return stable_id("tagger", *self._parts)

    def __str__(self) -> str:
        return "+".join(part for part in self._parts if part)

    @property
    def _parts(self) -> tuple[str, ...]:
        return (
            self.model,
            self.weights_hash,
            self.vocabulary_hash,
            self.prompt_version,
            self.crop_preparation,
        )


@dataclass(frozen=True, eq=False)
class Tags:
    """What a tagger said about N crops.

    `logits` has for each attribute (N, K) float32 in the order of the taxonomy's values, finite.
    `activation` is that of all attributes, or of each. `embeddings` is (N, D) float32 of unit
    length, None for a tagger that has none.
    """

    logits: Mapping[str, NDArray[np.float32]]
    activation: Activation | Mapping[str, Activation]
    embeddings: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        arrays = dict(self.logits)
        if self.embeddings is not None:
            arrays["embeddings"] = self.embeddings
        lengths = {len(array) for array in arrays.values()}
        if len(lengths) > 1 or any(array.ndim != 2 for array in arrays.values()):
            shapes = {name: array.shape for name, array in arrays.items()}
            raise BadInput(f"expected (N, K) arrays of one N, but got {shapes}")
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise ModelError(
                    f"expected finite numbers from the tagger, but {name} has NaN or infinity; "
                    "its weights are damaged or its precision is too low: load it again, in fp32"
                )

    def activation_of(self, attribute: str) -> Activation:
        """What turns the logits of that attribute into probabilities."""
        one = self.activation
        return one if isinstance(one, Activation) else one[attribute]

    def probabilities(self, attribute: str) -> NDArray[np.float32]:
        """(N, K) in [0, 1], as the model was trained: uncalibrated and without constraints."""
        logits = self.logits[attribute].astype(np.float64)
        if self.activation_of(attribute) is Activation.SIGMOID:
            return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float32)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


class Tagger(Protocol):
    """Proposes values for attributes of garments.

    `reference` names the model, `weights_hash` its weights. `attributes` are those of the taxonomy
    that it answers, in order. `calibrations` are what the model brings along, by attribute; those
    fitted on people's labels go before them.
    """

    @property
    def reference(self) -> str: ...  # noqa: D102
    @property
    def weights_hash(self) -> str: ...  # noqa: D102
    @property
    def attributes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def calibrations(self) -> Mapping[str, Calibration]: ...  # noqa: D102

    def version(self, attribute: str) -> TaggerVersion:
        """The version under which proposals for `attribute` are kept."""
        ...

    def tag(self, crops: Sequence[Crop]) -> Tags:
        """Logits of all its attributes for N crops; a crop's answer depends on it alone."""
        ...
