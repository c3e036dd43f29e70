"""Two pictures shown as one, with a share of what is true of each: against learning by heart."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

OVERLAID = 0.4
"""Both parameters of the Beta distribution from which the share of an overlaid picture is drawn."""


def mixed(batch: Mapping[str, Tensor], rng: np.random.Generator) -> dict[str, Tensor]:
    """The batch with another picture of it laid over each one, or a rectangle of it put in.

    Overlaid (mixup, Zhang, 1710.09412) or pasted (CutMix, Yun, 1905.04899), either as often, with
    one share for the batch. `batch` is one of `Shown`. Values count by their shares; known is what
    is known of both, allowed what either allows.
    """
    pixels = batch["pixels"].float()
    other = torch.from_numpy(rng.permutation(len(pixels)))
    if rng.random() < 0.5:
        share = float(rng.beta(OVERLAID, OVERLAID))
        shown = pixels.lerp(pixels[other], 1 - share)
    else:
        shown, share = _pasted(pixels, pixels[other], rng)
    values = batch["values"]
    return {
        **batch,
        "pixels": shown,
        "values": values.lerp(values[other], 1 - share),
        "known": batch["known"] & batch["known"][other],
        "allowed": batch["allowed"] | batch["allowed"][other],
    }


def _pasted(pixels: Tensor, others: Tensor, rng: np.random.Generator) -> tuple[Tensor, float]:
    """With a rectangle of the others, anywhere; and the share that is left of the first."""
    height, width = pixels.shape[2:]
    side = float(np.sqrt(rng.random()))
    y, x = int(rng.integers(0, height)), int(rng.integers(0, width))
    half_height, half_width = round(height * side / 2), round(width * side / 2)
    top, bottom = max(0, y - half_height), min(height, y + half_height)
    left, right = max(0, x - half_width), min(width, x + half_width)
    shown = pixels.clone()
    shown[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    covered = (bottom - top) * (right - left)
    return shown, 1 - covered / (height * width)
