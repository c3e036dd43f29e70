"""CLIP and SigLIP checkpoints of transformers: from the hub, its cache, or a folder."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from extract.checkpoints import Checkpoint, Task, hash_tensors, load_checkpoint
from garments.modelfolder import HASH_LENGTH, weights_hash
from garments.references import Reference, Source
from garments.tagger import Activation

FAMILIES = frozenset({"clip", "metaclip_2", "siglip", "siglip2"})
"""Model types with one embedding an image and a text, and a temperature."""


def _any_labels(labels: dict[int, str], reference: str) -> None:
    """Image-text models have no classes to check."""


MATCHING = Task(
    "AutoModel", "matching images with texts (CLIP, SigLIP)", _any_labels, FAMILIES, texts=True
)


class HFEncoder:
    """`annotate.zeroshot.base.Encoder` over a checkpoint, with its own processor and tokenizer."""

    def __init__(self, checkpoint: Checkpoint, weights_hash: str, device: str = "cpu") -> None:
        """Wrap `checkpoint`, which has a tokenizer."""
        network: Any = checkpoint.network
        self.reference = checkpoint.reference
        self.weights_hash = weights_hash
        bias = getattr(network, "logit_bias", None)
        self.activation = Activation.SOFTMAX if bias is None else Activation.SIGMOID
        self.bias = 0.0 if bias is None else float(bias.detach())
        self.scale = float(network.logit_scale.detach().exp())
        self.network = network.to(device)
        self.processor = checkpoint.processor
        self._tokenizer = checkpoint.tokenizer
        longest = network.config.text_config.max_position_embeddings
        self._length = min(longest, checkpoint.tokenizer.model_max_length)
        # SigLIP was trained on padded texts and reads the padding; CLIP does not
        self._padding = "longest" if bias is None else "max_length"
        self._device = device
        self.dimension = self.encode_texts(["a garment"]).shape[1]

    @classmethod
    def load(cls, reference: Reference, device: str = "cpu") -> "HFEncoder":
        """Load a `hf:` or `dir:` checkpoint; errors as `extract.checkpoints.load_checkpoint`."""
        checkpoint = load_checkpoint(reference, MATCHING)
        if reference.source is Source.FOLDER:
            return cls(checkpoint, weights_hash(reference.folder), device)
        return cls(checkpoint, hash_tensors(checkpoint.network.state_dict())[:HASH_LENGTH], device)

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """(N, D) of unit length."""
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
        """Features are a tensor in older versions of transformers, and in an object in newer."""
        tensor = features if isinstance(features, torch.Tensor) else features.pooler_output
        unit: NDArray[np.float32] = torch.nn.functional.normalize(tensor, dim=-1).cpu().numpy()
        return unit
