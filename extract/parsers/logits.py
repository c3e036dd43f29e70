"""What parsers that answer with logits over a label set have in common."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from extract.accelerate.compute import Compute
from extract.accelerate.engines import Inputs, Runner, Work, noise
from extract.accelerate.normalised import FromPixels
from extract.base import CROP_SIZE
from garments.errors import UnfitModel
from garments.mappings import parts_by_name
from garments.parts import BACKGROUND, GARMENT_REGIONS, PART_INDEX, PARTS

log = logging.getLogger(__name__)


def label_parts(labels: Sequence[str], reference: str) -> tuple[list[int], list[str]]:
    """Part index of each label, unknown labels as background, and the unknown labels.

    `UnfitModel` when no label is a garment: nothing could be cut out.
    """
    found = parts_by_name(labels)
    garments = {PART_INDEX[region] for region in GARMENT_REGIONS}
    if not garments & set(found):
        shown = ", ".join(labels[:12]) + (" ..." if len(labels) > 12 else "")
        raise UnfitModel(
            f"expected labels of clothes in {reference}, but none of its {len(labels)} labels is "
            f"known as a garment: {shown}; use a parser of clothes, such as "
            "hf:mattmdjaga/segformer_b2_clothes or starter, or name the labels in config.json"
        )
    unknown = [label for label, part in zip(labels, found, strict=True) if part is None]
    return [BACKGROUND if part is None else part for part in found], unknown


class LogitsParser:
    """`Parser` over a network from prepared crops to logits.

    `unknown_labels` are those that no mapping knows; their pixels count as background.
    """

    def __init__(
        self,
        network: FromPixels,
        prepare: Callable[[NDArray[np.uint8]], Tensor],
        labels: Sequence[str],
        reference: str,
        fingerprint: str,
        compute: Compute | None = None,
        side: int = CROP_SIZE,
    ) -> None:
        """Wrap `network`: `prepare`d crops (N, 3, H, W) -> (logits (N, labels, h, w),)."""
        self.reference = reference
        self.fingerprint = fingerprint
        self.side = side
        self.labels = tuple(labels)
        parts, self.unknown_labels = label_parts(labels, reference)
        if self.unknown_labels:
            log.warning(
                "%s: labels that no mapping knows count as background: %s",
                reference,
                ", ".join(self.unknown_labels),
            )
        self._to_parts = torch.zeros(len(PARTS), len(labels))
        self._to_parts[parts, torch.arange(len(labels))] = 1
        self._prepare = prepare
        self.runner = Runner(Work(network, self._examples, name=reference), compute or Compute())

    def parse(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `extract.base.Parser`: the labels' softmax, added up by part."""
        parts = [
            torch.einsum("pl,nlhw->nphw", self._to_parts, F.softmax(logits, dim=1))
            for logits in self._logits(crops)
        ]
        if not parts:
            return np.zeros((0, len(PARTS), self.side, self.side), np.float32)
        return np.asarray(torch.cat(parts).numpy())

    def label_maps(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Indices into `labels` (N, H, W) at the crops' own size (N, H, W, 3)."""
        maps = [
            F.interpolate(logits, size=crops.shape[1:3], mode="bilinear", align_corners=False)
            .argmax(dim=1)
            .to(torch.uint8)
            for logits in self._logits(crops)
        ]
        if not maps:
            return np.zeros(crops.shape[:3], np.uint8)
        return np.asarray(torch.cat(maps).numpy())

    @torch.inference_mode()
    def _logits(self, crops: NDArray[np.uint8]) -> list[Tensor]:
        if not len(crops):
            return []
        parts = self.runner.batches(len(crops))
        return [logits for (logits,) in self.runner.run((self._prepare(crops[p]),) for p in parts)]

    def _examples(self, batch: int) -> tuple[Inputs, Inputs]:
        like = self._prepare(np.zeros((1, self.side, self.side, 3), np.uint8))
        shape = (batch, *like.shape[1:])
        return (noise(shape, 0, like),), (noise(shape, 1, like),)
