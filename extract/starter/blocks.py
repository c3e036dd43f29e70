"""Building blocks that the starter detector and the starter parser share."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from garments.errors import ModelError
from garments.modelfolder import read_weights

WIDTHS = (32, 48, 96, 160, 224)
"""Channels of the encoder at strides 2, 4, 8, 16 and 32."""

MEAN, STD = 127.5, 64.0
"""Pixels in [0, 255] are shifted and scaled by these before the first convolution."""


def conv_bn(inside: int, outside: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, batch normalisation, ReLU; keeps the size at stride 1."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a short cut (He et al., 2016, arXiv 1512.03385)."""

    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        """Map `inside` channels to `outside`, shrinking the map by `stride`."""
        super().__init__()
        self.first = conv_bn(inside, outside, 3, stride)
        self.second = nn.Sequential(
            nn.Conv2d(outside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside)
        )
        self.short: nn.Module = nn.Identity()
        if stride != 1 or inside != outside:
            self.short = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W) -> (N, outside, H / stride, W / stride)."""
        return F.relu(self.second(self.first(x)) + self.short(x))


class Context(nn.Module):
    """Adds what the whole image says to every place (global pooling, ParseNet, 1506.04579)."""

    def __init__(self, channels: int) -> None:
        """Keep `channels` channels."""
        super().__init__()
        self.project = nn.Sequential(
            nn.Linear(channels, channels), nn.ReLU(inplace=True), nn.Linear(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return F.relu(x + self.project(x.mean(dim=(2, 3)))[:, :, None, None])


class Encoder(nn.Module):
    """A narrow ResNet: features at strides 2, 4, 8, 16 and 32 with `WIDTHS` channels."""

    def __init__(
        self, widths: Sequence[int] = WIDTHS, depths: Sequence[int] = (2, 2, 3, 2)
    ) -> None:
        """`widths` channels a stride, `depths` residual blocks at strides 4 to 32."""
        super().__init__()
        self.stem = nn.Sequential(conv_bn(3, widths[0], 3, 2), conv_bn(widths[0], widths[0]))
        stages = []
        for inside, outside, depth in zip(widths[:-1], widths[1:], depths, strict=True):
            blocks = [ResidualBlock(inside, outside, 2)]
            blocks += [ResidualBlock(outside, outside) for _ in range(depth - 1)]
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.context = Context(widths[-1])

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """(N, 3, H, W) in [0, 255], H and W multiples of 32 -> five feature maps, finest first."""
        x = self.stem((pixels - MEAN) / STD)
        features = [x]
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        features[-1] = self.context(features[-1])
        return features


class Fuse(nn.Module):
    """One step up a U-Net: the coarser map is enlarged, joined with the finer one, convolved."""

    def __init__(self, coarse: int, fine: int, outside: int, convs: int = 2) -> None:
        """Join `coarse` and `fine` channels into `outside` by `convs` 3x3 convolutions."""
        super().__init__()
        layers = [conv_bn(coarse + fine, outside)]
        layers += [conv_bn(outside, outside) for _ in range(convs - 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """(N, coarse, H/2, W/2), (N, fine, H, W) -> (N, outside, H, W)."""
        enlarged = F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return self.layers(torch.cat([enlarged, fine], dim=1))  # type: ignore[no-any-return]


def load_weights(net: nn.Module, folder: Path) -> nn.Module:
    """Put the weights of a model folder into `net`; `ModelError` when they do not fit."""
    try:
        net.load_state_dict(read_weights(folder))
    except RuntimeError as error:
        raise ModelError(
            f"expected the weights of {type(net).__name__} in {folder}, but they do not fit "
            f"({str(error).splitlines()[0]}); train again with this version of garmentloop"
        ) from error
    return net


def fold_batch_norms(module: nn.Module) -> nn.Module:
    """Multiply every batch norm into the convolution before it; `module` must be in eval mode."""
    for name, child in module.named_children():
        fold_batch_norms(child)
        if isinstance(child, nn.Sequential):
            setattr(module, name, _folded(child))
    return module


def _folded(layers: nn.Sequential) -> nn.Sequential:
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d) and kept and isinstance(kept[-1], nn.Conv2d):
            kept[-1] = torch.nn.utils.fusion.fuse_conv_bn_eval(kept[-1], layer)
        else:
            kept.append(layer)
    return nn.Sequential(*kept)
