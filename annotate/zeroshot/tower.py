"""The image tower of an image-text model, behind an engine."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from extract.accelerate.compute import Compute
from extract.accelerate.engines import Inputs, Runner, Work, noise
from extract.accelerate.normalised import Affine, FromPixels

BATCH, ON_TORCH, ON_GPU = 8, 32, 128
"""Pictures that go through a tower at once: by OpenVINO, by torch, and on a GPU."""


class ToPixels(Protocol):
    """Makes a tower's input of pictures; `affine` is what is left to do in the network."""

    affine: Affine | None

    def __call__(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Pictures (HWC uint8) of any size -> (N, 3, H, W), uint8 where there is an `affine`."""
        ...


class Tower:
    """Pictures in, embeddings of unit length out."""

    def __init__(self, network: nn.Module, prepare: ToPixels, compute: Compute, name: str) -> None:
        """`network` maps normalised pixels (N, 3, H, W) to ((N, D),)."""
        self._prepare = prepare
        work = Work(
            FromPixels(network, prepare.affine), self._examples, BATCH, ON_TORCH, ON_GPU, name
        )
        self.runner = Runner(work, compute)

    def unit(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """(N, D) of unit length for N >= 1 RGB images of any size."""
        pixels = [np.array(image) for image in images]  # copied: torch wants to own its memory
        parts = self.runner.batches(len(pixels))
        answers = self.runner.run((self._prepare(pixels[part]),) for part in parts)
        return np.asarray(F.normalize(torch.cat([one for (one,) in answers]), dim=-1).numpy())

    def _examples(self, batch: int) -> tuple[Inputs, Inputs]:
        like = self._prepare([np.zeros((32, 32, 3), np.uint8)])
        shape = (batch, *like.shape[1:])
        return (noise(shape, 0, like),), (noise(shape, 1, like),)


class ComposedPreparation:
    """Transforms of torchvision as open_clip composes them, as far as pixels are whole numbers."""

    def __init__(self, composed: Any) -> None:
        """`composed` makes a normalised tensor of a PIL image."""
        self._composed = composed
        steps = list(getattr(composed, "transforms", ()))
        names = [type(step).__name__ for step in steps[-2:]]
        usual = names in (["MaybeToTensor", "Normalize"], ["ToTensor", "Normalize"])
        self.affine = Affine.of(list(steps[-1].mean), list(steps[-1].std)) if usual else None
        self._steps: list[Callable[[Any], Any]] = steps[:-2]

    def __call__(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        """See `ToPixels`."""
        return torch.stack(list(self._each(images)))

    def _each(self, images: Sequence[NDArray[np.uint8]]) -> Iterator[Tensor]:
        for image in map(Image.fromarray, images):
            if self.affine is None:
                yield self._composed(image)
                continue
            made: Any = image
            for step in self._steps:
                made = step(made)
            yield torch.from_numpy(np.array(made)).permute(2, 0, 1)
