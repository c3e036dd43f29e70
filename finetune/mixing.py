"""Two pictures shown as one: against learning by heart."""

import numpy as np
import torch
from torch import Tensor

OVERLAID = 0.4
"""Both parameters of the Beta distribution from which the share of an overlaid picture is drawn."""


def shown_as_one(pixels: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor, float]:
    """Pictures (N, 3, H, W) with another of them laid over each, or a rectangle of it put in.

    Overlaid (mixup, Zhang, 1710.09412) or pasted (CutMix, Yun, 1905.04899), either as often, with
    one share for the batch. Returns them as floats, which one each was mixed with (N,), and the
    share in [0, 1] that is left of the first.
    """
    pixels = pixels.float()
    other = torch.from_numpy(rng.permutation(len(pixels)))
    if rng.random() < 0.5:
        share = float(rng.beta(OVERLAID, OVERLAID))
        return pixels.lerp(pixels[other], 1 - share), other, share
    shown, share = _pasted(pixels, pixels[other], rng)
    return shown, other, share


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
