"""What all stages of a convolutional network see, not the last alone, as features for a probe.

The last stage knows what the network was trained to tell apart; on other photos and for other
words, the earlier ones know more: color and texture by their means and deviations, shape by where
things are. On `clothing` (900 labels, 10 classes) and on the synthetic street (514 labels) this
measured best of what was tried; see the README.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LAST = 4
"""Stages that are looked at, from the end."""

GRID = 3
"""The last stage but one is also averaged in so many rows and columns."""


class Stages(nn.Module):
    """A tower whose features are those of its last stages: (N, sum of `blocks`).

    `blocks` are the lengths of parts that count alike: means and deviations of each stage, then
    the grid.
    """

    def __init__(self, tower: nn.Module, side: int) -> None:
        super().__init__()
        self.tower = tower
        training = tower.training
        tower.eval()  # a single picture has no statistics of its own
        with torch.no_grad():
            parts = self._parts(torch.zeros(1, 3, side, side))
        tower.train(training)
        self.blocks = tuple(int(part.shape[1]) for part in parts)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, D) of normalised pixels (N, 3, S, S)."""
        return torch.cat(self._parts(pixels), dim=1)

    def _parts(self, pixels: Tensor) -> list[Tensor]:
        network: Any = trunk(self.tower)
        maps = network.forward_intermediates(pixels, intermediates_only=True)[-LAST:]
        found = []
        for one in maps:
            mean = one.mean(dim=(2, 3))
            spread = (one - mean[:, :, None, None]).square().mean(dim=(2, 3))
            found += [mean, (spread + 1e-6).sqrt()]
        return [*found, F.adaptive_avg_pool2d(maps[-2], GRID).flatten(1)]


def has_stages(tower: nn.Module) -> bool:
    """Whether a tower is a network of timm whose maps shrink from stage to stage."""
    network: Any = trunk(tower)
    info = getattr(network, "feature_info", None)
    if info is None or not hasattr(network, "forward_intermediates"):
        return False
    shrinking = [one["reduction"] for one in info]
    return len(set(shrinking)) >= LAST


def trunk(tower: nn.Module) -> nn.Module:
    """The network of timm within a tower of open_clip, or the tower itself."""
    inner = getattr(tower, "trunk", None)
    return inner if isinstance(inner, nn.Module) else tower
