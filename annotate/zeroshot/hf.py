"""CLIP and SigLIP checkpoints of transformers: from the hub, its cache, or a folder."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from annotate.zeroshot.tower import Tower
from extract.accelerate.compute import Compute
from extract.accelerate.normalised import Preparation
from extract.checkpoints import Checkpoint, Task, hash_tensors, load_checkpoint
from garments.modelfolder import HASH_LENGTH, weights_hash
from garments.references import Reference, Source
from garments.tagger import Activation

FAMILIES = frozenset({"clip", "metaclip_2", "siglip", "siglip2"})
"""Model types with one embedding an image and a text, and a temperature."""

WITH_SHAPES = frozenset({"siglip2"})
"""Those that are told the shape of each picture beside its pixels; torch runs them as they are."""


def _any_labels(labels: dict[int, str], reference: str) -> None:
    """Image-text models have no classes to check."""


MATCHING = Task(
    "AutoModel", "matching images with texts (CLIP, SigLIP)", _any_labels, FAMILIES, texts=True
)


class HFEncoder:
    """`annotate.zeroshot.base.Encoder` over a checkpoint, with its own processor and tokenizer."""

    def __init__(
        self, checkpoint: Checkpoint, weights_hash: str, compute: Compute | None = None
    ) -> None:
        """Wrap `checkpoint`, which has a tokenizer."""
        compute = compute or Compute()
        network: Any = checkpoint.network
        self.reference = checkpoint.reference
        self.weights_hash = compute.identity(weights_hash)
        bias = getattr(network, "logit_bias", None)
        self.activation = Activation.SOFTMAX if bias is None else Activation.SIGMOID
        self.bias = 0.0 if bias is None else float(bias.detach())
        self.scale = float(network.logit_scale.detach().exp())
        self.network = network.to(compute.device)
        self.processor = checkpoint.processor
        self._tokenizer = checkpoint.tokenizer
        longest = network.config.text_config.max_position_embeddings
        self._length = min(longest, checkpoint.tokenizer.model_max_length)
        # SigLIP was trained on padded texts and reads the padding; CLIP does not
        self._padding = "longest" if bias is None else "max_length"
        self._device = compute.device
        self._tower: Tower | None = None
        if network.config.model_type not in WITH_SHAPES:
            self._tower = Tower(
                _Images(network), Preparation(checkpoint.processor), compute, self.reference
            )
        self.runner = None if self._tower is None else self._tower.runner
        self.dimension = self.encode_texts(["a garment"]).shape[1]

    @classmethod
    def load(cls, reference: Reference, compute: Compute | None = None) -> "HFEncoder":
        """Load a `hf:` or `dir:` checkpoint; errors as `extract.checkpoints.load_checkpoint`."""
        checkpoint = load_checkpoint(reference, MATCHING)
        if reference.source is Source.FOLDER:
            return cls(checkpoint, weights_hash(reference.folder), compute)
        digest = hash_tensors(checkpoint.network.state_dict())[:HASH_LENGTH]
        return cls(checkpoint, digest, compute)

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """(N, D) of unit length."""
        if self._tower is not None:
            return self._tower.unit(images)
        inputs = self.processor(images=list(images), return_tensors="pt").to(self._device)
        with torch.inference_mode():
            return self._unit(self.network.get_image_features(**inputs))

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, D) of unit length."""
        inputs = self._tokenizer(
            list(texts),
            padding=self._padding,
            truncation=True,
            max_length=self._length,
            return_tensors="pt",
        ).to(self._device)
        with torch.inference_mode():
            return self._unit(self.network.get_text_features(**inputs))

    def _unit(self, features: Any) -> NDArray[np.float32]:
        unit: NDArray[np.float32] = F.normalize(_tensor(features), dim=-1).cpu().numpy()
        return unit


class _Images(nn.Module):
    """The image tower: of the network it owns this part alone, so the texts' stays as it is."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.tower = network.vision_model
        self.projection = getattr(network, "visual_projection", None)
        self._whole = (network,)

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        return (_tensor(self._whole[0].get_image_features(pixel_values=pixels)),)


def _tensor(features: Any) -> Tensor:
    """Features are a tensor in older versions of transformers, and in an object in newer."""
    found: Tensor = features if isinstance(features, Tensor) else features.pooler_output
    return found
