"""Person crops parsed by any transformers semantic-segmentation checkpoint with clothes labels."""

from typing import Any

from torch import Tensor, nn

from extract.accelerate.compute import Compute
from extract.accelerate.normalised import FromPixels, Preparation
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

    def __init__(self, checkpoint: Checkpoint, compute: Compute | None = None) -> None:
        """Wrap `checkpoint`; a SegFormer's decode head is replaced by its folded form."""
        compute = compute or Compute()
        prepare = Preparation(checkpoint.processor)
        side = _side(checkpoint.processor)
        fingerprint = checkpoint.fingerprint(precision=compute.told, side=side)
        fold_decode_head(checkpoint.network)
        super().__init__(
            FromPixels(_Plain(checkpoint.network), prepare.affine),
            prepare,
            _in_order(checkpoint.labels),
            checkpoint.reference,
            fingerprint,
            compute,
            side,
        )

    @classmethod
    def load(cls, reference: Reference, compute: Compute | None = None) -> "HFParser":
        """Load a `hf:` or `dir:` checkpoint; arguments are those of the constructor."""
        return cls(load_checkpoint(reference, PARSING), compute)


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
