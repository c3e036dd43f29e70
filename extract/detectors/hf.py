"""People found by any transformers object-detection checkpoint that knows persons."""

import inspect
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from extract.accelerate.batchnorm import fold_batch_norms
from extract.accelerate.engines import (
    Engine,
    EngineName,
    Inputs,
    Precision,
    build_engine,
    resolved_precision,
)
from extract.base import Detections, Pixels
from extract.checkpoints import Checkpoint, Task, load_checkpoint
from garments.errors import UnfitModel
from garments.references import Reference

PERSON_LABELS = frozenset({"person", "people", "human", "pedestrian"})
"""Labels, in lower case, that count as a person."""

FLOOR = 0.1
"""Lowest score that is returned; a data set's own limit is a setting of the run."""

GPU_BATCH = 16
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
    """`Detector` over a transformers checkpoint, with its own processor and post-processing.

    `engine` is what runs the network; it is built when the first images come.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "cpu",
        precision: Precision = "auto",
        engine: EngineName = "auto",
        floor: float = FLOOR,
    ) -> None:
        """Wrap `checkpoint`; detections that score `floor` or less are not returned."""
        self.reference = checkpoint.reference
        self.fingerprint = checkpoint.fingerprint(
            floor=floor, precision=resolved_precision(precision)
        )
        fold_batch_norms(checkpoint.network)
        self.engine: Engine | None = None
        self._options = (device, precision, engine)
        self._batch = 1 if device == "cpu" else GPU_BATCH
        self._floor = floor
        self._network: nn.Module | None = _Plain(checkpoint.network)
        self._takes_mask = "pixel_mask" in inspect.signature(checkpoint.network.forward).parameters
        self._processor = checkpoint.processor
        self._people = person_classes(checkpoint.labels, checkpoint.reference)

    @classmethod
    def load(cls, reference: Reference, device: str = "cpu", **options: Any) -> "HFDetector":
        """Load a `hf:` or `dir:` checkpoint; `options` are those of the constructor."""
        return cls(load_checkpoint(reference, DETECTION), device, **options)

    def detect(self, images: Sequence[Pixels]) -> list[Detections]:
        """See `extract.base.Detector`; nothing is padded, so company changes no image's answer."""
        if self._network is not None and images:
            self.engine = build_engine(self._network, self._examples(), *self._options)
            self._network = None  # the engine may have its own copy of the weights
        groups = list(_of_one_size(images, self._batch))
        batches = (self._prepared([images[i] for i in group]) for group in groups)
        found: dict[int, Detections] = {}
        for group, (logits, boxes) in zip(
            groups, self.engine.run(batches) if self.engine else [], strict=True
        ):
            sizes = [images[i].shape[:2] for i in group]
            found.update(zip(group, self._people_of(logits, boxes, sizes), strict=True))
        return [found[i] for i in range(len(images))]

    def _prepared(self, images: Sequence[Pixels]) -> Inputs:
        """Pixels, and the mask if the network takes one, as the checkpoint's processor has them."""
        tensors = [torch.from_numpy(np.ascontiguousarray(i)).permute(2, 0, 1) for i in images]
        inputs = self._processor(tensors, return_tensors="pt", input_data_format="channels_first")
        pixels, mask = inputs["pixel_values"], inputs.get("pixel_mask")
        return (pixels, mask) if mask is not None and self._takes_mask else (pixels,)

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

    def _examples(self) -> tuple[Inputs, Inputs]:
        """Two inputs to build the engine on: of two sizes, unless the processor makes one size."""
        tall, wide = (
            self._prepared([np.zeros(shape, np.uint8)]) for shape in ((48, 32, 3), (32, 48, 3))
        )
        if tall[0].shape == wide[0].shape:
            return _noise(tall, None, 0), _noise(tall, None, 1)
        return _noise(tall, SIZES[0], 0), _noise(tall, SIZES[1], 1)


class _Plain(nn.Module):
    """Tensors in, a tuple of tensors out, as engines want it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        more = {} if mask is None else {"pixel_mask": mask}
        outputs = self.network(pixel_values=pixels, **more)
        return outputs.logits, outputs.pred_boxes


def _noise(like: Inputs, size: tuple[int, int] | None, seed: int) -> Inputs:
    """Random pixels (1, 3, *size), and a mask of ones where `like` has a mask."""
    pixels, *mask = like
    shape = pixels.shape if size is None else (1, 3, *size)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return (noise, *(torch.ones(1, *shape[-2:], dtype=m.dtype) for m in mask))


def _of_one_size(images: Sequence[Pixels], most: int) -> Iterator[list[int]]:
    """Indices of `images` in groups of one size, at most `most` in each."""
    by_size: dict[tuple[int, ...], list[int]] = {}
    for index, image in enumerate(images):
        by_size.setdefault(image.shape, []).append(index)
    for group in by_size.values():
        for start in range(0, len(group), most):
            yield group[start : start + most]
