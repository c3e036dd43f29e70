"""Parsers built by segmentation_models_pytorch, as `finetune` saves them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from extract.accelerate.compute import Compute
from extract.accelerate.normalised import Affine, FromPixels
from extract.base import Pixels
from extract.parsers.logits import LogitsParser
from garments.errors import BadSetting, ModelError, UnfitModel
from garments.ids import stable_id
from garments.modelfolder import (
    WEIGHTS,
    ModelConfig,
    damaged,
    read_config,
    read_weights,
    weights_hash,
    write_model,
)

KIND, ARCHITECTURE = "parser", "smp"
MODELS = ("Unet", "DeepLabV3", "DeepLabV3Plus")
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class SMPSettings:
    """What a network of segmentation_models_pytorch is built and fed with.

    `labels` are the classes in channel order, `size` the side of its square input in pixels,
    `mean` and `std` those of RGB in [0, 1].
    """

    model: str
    encoder: str
    labels: tuple[str, ...]
    size: int = 256
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise BadSetting(
                f"expected model to be one of {', '.join(MODELS)}, but got {self.model!r}"
            )
        if not self.labels or self.size < 32 or self.size % 32:
            raise BadSetting(
                f"expected labels and a size that 32 divides, but got {len(self.labels)} labels "
                f"and size {self.size}"
            )


def build_smp(settings: SMPSettings) -> nn.Module:
    """The network, without weights from anywhere: (N, 3, size, size) -> (N, labels, h, w)."""
    try:
        import segmentation_models_pytorch as smp
    except ImportError as error:
        raise ModelError(
            "this parser needs segmentation_models_pytorch, which is not installed; "
            "pip install 'garmentloop[train]'"
        ) from error
    make = getattr(smp, settings.model)
    try:
        network: nn.Module = make(
            settings.encoder, encoder_weights=None, classes=len(settings.labels)
        )
    except (KeyError, ValueError, NotImplementedError) as error:
        raise BadSetting(
            f"segmentation_models_pytorch cannot build {settings.model} on {settings.encoder!r} "
            f"({error}); choose another encoder, such as mobilenet_v2 or resnet50"
        ) from error
    return network.eval()


def save_smp(
    folder: Path,
    network: nn.Module,
    settings: SMPSettings,
    version: str,
    card: str,
    metrics: dict[str, Any] | None = None,
    half: bool = False,
) -> None:
    """Write a model folder that `load_parser("dir:FOLDER")` reads; `half` stores float16."""
    config = ModelConfig(KIND, ARCHITECTURE, version, asdict(settings), metrics or {})
    write_model(folder, network.state_dict(), config, card, half=half)


class SMPParser(LogitsParser):
    """`Parser` over a folder that `save_smp` wrote."""

    @classmethod
    def load(cls, folder: Path, compute: Compute | None = None) -> "SMPParser":
        """Build the network and read its weights; `ModelError` when they do not belong to it."""
        settings = _settings(folder)
        network = build_smp(settings)
        try:
            network.load_state_dict(read_weights(folder))
        except RuntimeError as error:
            raise ModelError(damaged(folder / WEIGHTS, error)) from error
        compute = compute or Compute()
        fingerprint = stable_id("smp", weights_hash(folder), asdict(settings), compute.told)
        return cls(
            FromPixels(_Plain(network), Affine.of(settings.mean, settings.std)),
            lambda crops: prepare(crops, settings),
            settings.labels,
            f"dir:{folder}",
            fingerprint,
            compute,
            settings.size,
        )


def prepare(crops: Sequence[Pixels] | NDArray[np.uint8], settings: SMPSettings) -> Tensor:
    """Square crops (N, H, W, 3) uint8 -> pixels (N, 3, size, size) uint8, not yet normalised."""
    side = (settings.size, settings.size)
    sized = [cv2.resize(crop, side, interpolation=cv2.INTER_LINEAR) for crop in crops]
    return torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2)


class _Plain(nn.Module):
    """Tensors in, a tuple of tensors out, as engines want it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        return (self.network(pixels),)


def _settings(folder: Path) -> SMPSettings:
    config = read_config(folder)
    if (config.kind, config.architecture) != (KIND, ARCHITECTURE):
        raise UnfitModel(
            f"expected a {KIND} of architecture {ARCHITECTURE!r} in {str(folder)!r}, but its "
            f"config.json says {config.kind}, {config.architecture}"
        )
    raw: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in config.settings.items()
    }
    try:
        return SMPSettings(**raw)
    except (TypeError, BadSetting) as error:
        raise ModelError(
            f"the settings in {str(folder / 'config.json')!r} do not describe a network "
            f"({error}); save the model again with finetune"
        ) from error
