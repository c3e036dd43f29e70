"""The network: pixels -> backbone -> features -> logits of all heads."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class TaggerNet(nn.Module):
    """A backbone with one linear head an attribute, kept as one matrix.

    Features are shifted and scaled (as a probe learnt them; else by 0 and 1) before the heads. What
    is `mirrored` looks at a crop and its mirror image, but while it is trained at one of them.
    """

    def __init__(
        self,
        backbone: nn.Module,
        width: int,
        logits: int,
        mean: Sequence[float],
        std: Sequence[float],
        dropout: float = 0.0,
        mirrored: bool = False,
    ) -> None:
        """`backbone` makes (N, width) of (N, 3, S, S) normalised by `mean` and `std` of [0, 1]."""
        super().__init__()
        self.backbone = backbone
        self.mirrored = mirrored
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, logits)
        self.shift: Tensor
        self.scale: Tensor
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("shift", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def features(self, pixels: Tensor) -> Tensor:
        """(N, width) of pixels (N, 3, S, S), uint8 or float in [0, 255]."""
        normal = ((pixels.float() - self.mean) / self.std).contiguous(
            memory_format=torch.channels_last
        )
        made: Tensor = self.backbone(normal)
        if self.mirrored and not self.training:
            made = (made.float() + self.backbone(normal.flip(3)).float()) / 2
        return made.float()

    def logits(self, features: Tensor) -> Tensor:
        """(N, logits) of features (N, width)."""
        made: Tensor = self.head(self.dropout((features - self.shift) * self.scale))
        return made

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, logits) of pixels (N, 3, S, S), uint8 or float in [0, 255]."""
        return self.logits(self.features(pixels))
