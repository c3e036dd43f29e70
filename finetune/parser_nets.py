"""The networks that `finetune parser` can train, with one way in: pixels in [0, 255]."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from extract.base import CROP_SIZE
from extract.parsers.smp import MODELS, SMPSettings, build_smp, save_smp
from extract.starter.blocks import load_weights
from extract.starter.parser import ParserNet
from finetune.loop import Step
from garments.errors import BadSetting
from garments.modelfolder import ModelConfig, write_model
from garments.parts import PARTS

STARTER = "starter"
ARCHITECTURES = (STARTER, *(name.lower() for name in MODELS))
VERSION = "1"


class FedWithPixels(nn.Module):
    """A segmentation_models_pytorch network that takes pixels and answers at stride 2."""

    def __init__(self, settings: SMPSettings) -> None:
        """Build the network of `settings` from random weights."""
        super().__init__()
        self.settings = settings
        self.network = build_smp(settings)
        self.mean = torch.tensor(settings.mean)[:, None, None]
        self.std = torch.tensor(settings.std)[:, None, None]

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 255] -> logits (N, parts, H / 2, W / 2)."""
        logits = self.network((pixels / 255 - self.mean) / self.std)
        size = [side // 2 for side in pixels.shape[-2:]]
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)


class TwoVocabularies(nn.Module):
    """A parser with a head for finer labels, which is dropped after training.

    Telling a coat from a suit teaches where garments end; parts alone say little about it.
    """

    def __init__(self, parser: nn.Module, fine: int) -> None:
        """`fine` is the number of finer labels; 0, or another net than ours, has no such head."""
        super().__init__()
        self.parser = parser
        self.fine: nn.Conv2d | None = None
        if fine and isinstance(parser, ParserNet):
            self.fine = nn.Conv2d(parser.head.in_channels, fine, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor | None]:
        """(N, 3, H, W) -> logits of parts and of finer labels, at stride 2."""
        if self.fine is None:
            return self.parser(pixels), None
        assert isinstance(self.parser, ParserNet)
        features = self.parser.features(pixels)
        return self.parser.head(features), self.fine(features)


def build_parser(
    architecture: str, encoder: str, start: Path | None = None, side: int = CROP_SIZE
) -> nn.Module:
    """A net of random weights; `encoder` (a name of the library) is for all but `starter`.

    `start` is the folder of a `starter` parser whose weights it has instead; `side` is that of
    the crops.
    """
    if architecture == STARTER:
        return load_weights(ParserNet(), start) if start else ParserNet()
    if start:
        raise BadSetting(
            f"expected --start with the architecture {STARTER}, but got it with {architecture!r}; "
            "leave one of them out"
        )
    names = {name.lower(): name for name in MODELS}
    if architecture not in names:
        raise BadSetting(
            f"expected an architecture of {', '.join(ARCHITECTURES)}, but got {architecture!r}"
        )
    return FedWithPixels(SMPSettings(names[architecture], encoder, PARTS, side))


def save_net(folder: Path, net: nn.Module, card: str, report: Step, side: int = CROP_SIZE) -> None:
    """Write the model folder that `extract --parser dir:FOLDER` reads, weights in float16.

    `side` is that of the crops it was trained on, and wants.
    """
    if isinstance(net, FedWithPixels):
        save_smp(folder, net.network, net.settings, VERSION, card, report.metrics, half=True)
        return
    settings = {"parts": list(PARTS), "side": side}
    config = ModelConfig("parser", "starter-parser", VERSION, settings, report.metrics)
    write_model(folder, net.state_dict(), config, card, half=True)
