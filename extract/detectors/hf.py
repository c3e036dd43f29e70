"""People found by any transformers object-detection checkpoint that knows persons."""

import inspect
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from extract.accelerate.batchnorm import fold_batch_norms
from extract.accelerate.compute import Compute
from extract.accelerate.engines import Inputs, Runner, Work, noise
from extract.accelerate.normalised import FromPixels, Preparation
from extract.base import Detections, Pixels
from extract.checkpoints import Checkpoint, Task, load_checkpoint
from garments.errors import UnfitModel
from garments.references import Reference

PERSON_LABELS = frozenset({"person", "people", "human", "pedestrian"})
"""Labels, in lower case, that count as a person."""

FLOOR = 0.1
"""Lowest score that is returned; a data set's own limit is a setting of the run."""

GPU_BATCH = 16

BUCKET = 64
"""Heights and widths are filled up to multiples of this where rounding is coarser anyway.

Photos of nearly one size then share a graph that is made for it, and batches on a GPU.
"""

SIZES = ((256, 320), (352, 288))
"""Heights and widths that stand for "any" where a network's graph is traced and compared."""


def person_classes(labels: dict[int, str], reference: str) -> frozenset[int]:
    """Class indices that mean a person; `UnfitModel` when a checkpoint has none."""
    found = frozenset(i for i, label in labels.items() if label.casefold() in PERSON_LABELS)
    if not found:
        names = list(labels.values())
        more = f" and {len(names) - 12} more" if len(names) > 12 else ""
        raise UnfitModel(
            f"expected a class 'person' in {reference}, but its labels are "
            f"{', '.join(names[:12])}{more}; use a checkpoint that detects people, such as "
            "hf:facebook/detr-resnet-50 or starter, or name the class in config.json (id2label)"
        )
    return found


DETECTION = Task("AutoModelForObjectDetection", "object detection", person_classes)


class HFDetector:
    """`Detector` over a transformers checkpoint, with its own processor and post-processing."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        compute: Compute | None = None,
        floor: float = FLOOR,
        padded: bool | None = None,
    ) -> None:
        """Wrap `checkpoint`; detections that score `floor` or less are not returned.

        `padded` says whether images are filled up to common sizes; None for all but fp32.
        """
        compute = compute or Compute()
        self.reference = checkpoint.reference
        self.fingerprint = checkpoint.fingerprint(floor=floor, precision=compute.told)
        fold_batch_norms(checkpoint.network)
        self._floor = floor
        self._processor = checkpoint.processor
        self._prepared = Preparation(checkpoint.processor)
        parameters = inspect.signature(checkpoint.network.forward).parameters
        padded = compute.chosen_precision != "fp32" if padded is None else padded
        self._buckets = BUCKET if padded and "pixel_mask" in parameters else 0
        self._people = person_classes(checkpoint.labels, checkpoint.reference)
        network = FromPixels(_Plain(checkpoint.network), self._prepared.affine)
        self.runner = Runner(
            Work(network, self._examples, on_gpu=GPU_BATCH, name=self.reference), compute
        )

    @classmethod
    def load(
        cls, reference: Reference, compute: Compute | None = None, **options: Any
    ) -> "HFDetector":
        """Load a `hf:` or `dir:` checkpoint; arguments are those of the constructor."""
        return cls(load_checkpoint(reference, DETECTION), compute, **options)

    def detect(self, images: Sequence[Pixels]) -> list[Detections]:
        """See `extract.base.Detector`; company changes no image's answer.

        Except in fp32 images are padded, as DETR learnt to take them: each to a size that is its
        own affair.
        """
        inputs = _Prepared(images, self._prepared, self._buckets)
        groups = [
            group[part] for group in inputs.groups() for part in self.runner.batches(len(group))
        ]
        found: dict[int, Detections] = {}
        answers = self.runner.run(inputs.batch(group) for group in groups) if groups else []
        for group, (logits, boxes) in zip(groups, answers, strict=True):
            sizes = [images[i].shape[:2] for i in group]
            found.update(zip(group, self._people_of(logits, boxes, sizes), strict=True))
        return [found[i] for i in range(len(images))]

    def _people_of(
        self, logits: Tensor, boxes: Tensor, sizes: list[tuple[int, ...]]
    ) -> list[Detections]:
        """The processor's own post-processing, then people only, best first."""
        outputs = SimpleNamespace(logits=logits, pred_boxes=boxes)
        answers = self._processor.post_process_object_detection(
            outputs, threshold=self._floor, target_sizes=sizes
        )
        return [self._sorted_people(answer) for answer in answers]

    def _sorted_people(self, answer: dict[str, Tensor]) -> Detections:
        people = torch.isin(answer["labels"], torch.tensor(sorted(self._people)))
        scores, order = answer["scores"][people].sort(descending=True, stable=True)
        return Detections(answer["boxes"][people][order].numpy(), scores.numpy())

    def _examples(self, batch: int) -> tuple[Inputs, Inputs]:
        """Two inputs to build the engine on: of two sizes, unless the processor makes one size."""
        tall, wide = (
            self._prepared([np.zeros(shape, np.uint8)]) for shape in ((48, 32, 3), (32, 48, 3))
        )
        sizes = (tall.shape[2:], wide.shape[2:]) if tall.shape == wide.shape else SIZES
        first, second = (
            (noise((batch, 3, *size), seed, tall), *self._masks(batch, size))
            for seed, size in enumerate(sizes)
        )
        return first, second

    def _masks(self, batch: int, size: Sequence[int]) -> Inputs:
        """A mask whose right and lower edges are padding, where the network is given masks."""
        if not self._buckets:
            return ()
        mask = torch.zeros(batch, *size, dtype=torch.int64)
        mask[:, :-5, :-9] = 1
        return (mask,)


class _Plain(nn.Module):
    """Tensors in, a tuple of tensors out, as engines want it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        more = {} if mask is None else {"pixel_mask": mask}
        outputs = self.network(pixel_values=pixels, **more)
        return outputs.logits, outputs.pred_boxes


class _Prepared:
    """Images as the network gets them, in groups that may share a batch."""

    def __init__(self, images: Sequence[Pixels], prepare: Preparation, buckets: int) -> None:
        """With `buckets`, images are padded to sizes that this divides, with a mask."""
        self._images, self._prepare, self._buckets = images, prepare, buckets
        self._padded: dict[int, Tensor] = {}

    def groups(self) -> list[list[int]]:
        """Indices of images of one size; where there are buckets, of one bucket."""
        by_size: dict[tuple[int, ...], list[int]] = {}
        for index, image in enumerate(self._images):
            by_size.setdefault(self._size(index) if self._buckets else image.shape, []).append(
                index
            )
        return list(by_size.values())

    def batch(self, group: Sequence[int]) -> Inputs:
        """The input for images of one group."""
        if not self._buckets:
            return (self._prepare([self._images[i] for i in group]),)
        height, width = self._size(group[0])
        pixels = torch.zeros(len(group), 3, height, width, dtype=self._padded[group[0]].dtype)
        mask = torch.zeros(len(group), height, width, dtype=torch.int64)
        for row, index in enumerate(group):
            one = self._padded.pop(index)
            pixels[row, :, : one.shape[1], : one.shape[2]] = one
            mask[row, : one.shape[1], : one.shape[2]] = 1
        return pixels, mask

    def _size(self, index: int) -> tuple[int, ...]:
        """Height and width of the bucket that an image belongs to."""
        if index not in self._padded:
            (self._padded[index],) = self._prepare([self._images[index]])
        height, width = self._padded[index].shape[1:]
        return tuple(-(-side // self._buckets) * self._buckets for side in (height, width))
