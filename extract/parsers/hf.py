"""Person crops parsed by any transformers semantic-segmentation checkpoint with clothes labels."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from extract.accelerate.engines import EngineName, Precision, resolved_precision
from extract.accelerate.segformer import fold_decode_head
from extract.base import CROP_SIZE
from extract.checkpoints import Checkpoint, Task, load_checkpoint
from extract.parsers.logits import LogitsParser, label_parts
from garments.references import Reference

LARGEST = 768
"""Side in pixels of the largest crops that a checkpoint is given."""

PARSING = Task(
    "AutoModelForSemanticSegmentation",
    "semantic segmentation",
    lambda labels, reference: label_parts(_in_order(labels), reference),
)


class HFParser(LogitsParser):
    """`Parser` over a transformers checkpoint, with its own image processor."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "cpu",
        precision: Precision = "auto",
        engine: EngineName = "auto",
    ) -> None:
        """Wrap `checkpoint`; a SegFormer's decode head is replaced by its folded form."""
        self._processor = checkpoint.processor
        side = _side(checkpoint.processor)
        fingerprint = checkpoint.fingerprint(precision=resolved_precision(precision), side=side)
        fold_decode_head(checkpoint.network)
        super().__init__(
            _Plain(checkpoint.network),
            self._prepared,
            _in_order(checkpoint.labels),
            checkpoint.reference,
            fingerprint,
            device,
            precision,
            engine,
            side,
        )

    @classmethod
    def load(cls, reference: Reference, device: str = "cpu", **options: Any) -> "HFParser":
        """Load a `hf:` or `dir:` checkpoint; `options` are those of the constructor."""
        return cls(load_checkpoint(reference, PARSING), device, **options)

    def _prepared(self, crops: NDArray[np.uint8]) -> Tensor:
        tensors = list(torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2))
        inputs = self._processor(tensors, return_tensors="pt", input_data_format="channels_first")
        return inputs["pixel_values"]  # type: ignore[no-any-return]


class _Plain(nn.Module):
    """Tensors in, a tuple of tensors out, as engines want it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        return (self.network(pixel_values=pixels).logits,)


def _side(processor: Any) -> int:
    """Side of the crops that the processor leaves as they are, the usual one where it has none.

    Larger ones would cost memory, smaller ones what the checkpoint could have seen.
    """
    size = getattr(processor, "size", None) or {}
    height, width = (int(size.get(name) or 0) for name in ("height", "width"))
    return height if height == width and CROP_SIZE <= height <= LARGEST else CROP_SIZE


def _in_order(labels: dict[int, str]) -> list[str]:
    return [labels[index] for index in sorted(labels)]
