"""Pixels become floats inside the network: uint8 travels, a quarter of the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from extract.base import Pixels

AGREES = 1e-4
"""Largest difference, in normalised units, to what an image processor makes of the same picture."""


@dataclass(frozen=True)
class Affine:
    """What makes floats of pixel values: value * scale + shift, for each of three channels."""

    scale: tuple[float, ...]
    shift: tuple[float, ...]

    @classmethod
    def of(cls, mean: Sequence[float], std: Sequence[float], factor: float = 1 / 255) -> "Affine":
        """From a mean and deviation of values that were multiplied by `factor` before."""
        pairs = list(zip(mean, std, strict=True))
        return cls(tuple(factor / s for _, s in pairs), tuple(-m / s for m, s in pairs))


class FromPixels(nn.Module):
    """A network behind the conversion of its first input; outputs are a tuple.

    Without `affine` that input is only cast. Where a mask (N, H, W) of what is no padding comes
    second, padding is 0 after the conversion, as image processors have it.
    """

    scale: Tensor | None
    shift: Tensor | None

    def __init__(self, network: nn.Module, affine: Affine | None = None) -> None:
        super().__init__()
        self.network = network
        self.dtype = torch.float32
        for name in ("scale", "shift"):
            value = torch.tensor(getattr(affine, name))[:, None, None] if affine else None
            self.register_buffer(name, value, persistent=False)

    def at(self, device: torch.device, dtype: torch.dtype) -> "FromPixels":
        """Moved there, the network in that type; pixels are converted in float32 before."""
        self.to(device)
        to: Any = self.network.to  # its stub does not know memory formats
        to(dtype=dtype, memory_format=torch.channels_last)
        self.dtype = dtype
        return self

    def forward(self, pixels: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W) uint8, or float where nothing is to be converted -> the outputs."""
        values = pixels.float()
        if self.scale is not None and self.shift is not None:
            values = values * self.scale + self.shift
            for mask in more:
                values = values * mask[:, None]
        outputs: tuple[Tensor, ...] = self.network(values.to(self.dtype), *more)
        return outputs


class Preparation:
    """An image processor of transformers, as far as its pixels are whole numbers.

    `affine` is the rest of it, None where the processor's own floats have to be taken.
    """

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self.affine = _affine(processor)
        if self.affine and not self._agrees(self.affine):
            self.affine = None

    def __call__(self, images: Sequence[Pixels] | NDArray[np.uint8]) -> Tensor:
        """Pictures (HWC uint8) of one size -> (N, 3, H, W), uint8 where there is an `affine`."""
        raw = {"do_rescale": False, "do_normalize": False} if self.affine else {}
        return self._pixels(images, **raw)

    def _pixels(self, images: Sequence[Pixels] | NDArray[np.uint8], **options: Any) -> Tensor:
        tensors = [torch.from_numpy(np.ascontiguousarray(i)).permute(2, 0, 1) for i in images]
        made = self._processor(
            tensors, return_tensors="pt", input_data_format="channels_first", **options
        )
        return made["pixel_values"]  # type: ignore[no-any-return]

    def _agrees(self, affine: Affine) -> bool:
        """Whether whole numbers and `affine` give what the processor gives."""
        picture = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
        try:
            raw = self._pixels([picture], do_rescale=False, do_normalize=False)
            whole = self._pixels([picture])
        except Exception:  # each processor has its own ideas; what it cannot do it need not do
            return False
        if raw.dtype != torch.uint8 or raw.shape != whole.shape:
            return False
        (got,) = FromPixels(_Same(), affine)(raw)
        return float((got - whole).abs().max()) <= AGREES


class _Same(nn.Module):
    def forward(self, values: Tensor) -> tuple[Tensor]:
        return (values,)


def _affine(processor: Any) -> Affine | None:
    """What the processor says that it does to values."""
    mean, std = getattr(processor, "image_mean", None), getattr(processor, "image_std", None)
    factor = float(processor.rescale_factor) if getattr(processor, "do_rescale", False) else 1.0
    if not getattr(processor, "do_normalize", False):
        return Affine((factor,) * 3, (0.0,) * 3)
    if not mean or not std or len(mean) != 3 or len(std) != 3:
        return None
    return Affine.of(mean, std, factor)
