"""The model folder of a fine-tuned tagger: network, layout of heads, what it was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from torch import Tensor

from annotate.finetuned.backbone import Backbone
from annotate.finetuned.layout import Layout
from annotate.finetuned.net import TaggerNet
from annotate.preparation import Background
from garments.errors import ModelError
from garments.modelfolder import (
    CONFIG,
    ModelConfig,
    damaged,
    read_config,
    read_raw_config,
    read_weights,
)

KIND, ARCHITECTURE = "tagger", "backbone-with-heads"


@dataclass(frozen=True)
class Made:
    """What a folder says of its tagger.

    `background` is what it was shown beside the garment. `trained_on` names the release (`release`,
    `hash`) or the folder (`data`), and the public `sets` that went into its training.
    """

    version: str
    backbone: Backbone
    layout: Layout
    taxonomy: str
    background: Background
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def config(self) -> ModelConfig:
        """As `config.json` of a model folder keeps it."""
        settings = {
            "backbone": self.backbone.content(),
            "heads": self.layout.content(),
            "taxonomy": self.taxonomy,
            "background": self.background,
            "trained_on": dict(self.trained_on),
            "recipe": dict(self.recipe),
        }
        return ModelConfig(KIND, ARCHITECTURE, self.version, settings, dict(self.metrics))


def is_finetuned(folder: Path) -> bool:
    """Whether `finetune tagger` wrote the folder."""
    if not (folder / CONFIG).is_file():
        return False
    return read_raw_config(folder).get("architecture") == ARCHITECTURE


def read_made(folder: Path) -> Made:
    """What a folder says, without its weights. `UnknownModel`, `ModelError` where it is damaged."""
    config = read_config(folder)
    where, settings = str(folder / CONFIG), config.settings
    if config.architecture != ARCHITECTURE:
        raise ModelError(
            f"expected a tagger that `finetune tagger` made in {str(folder)!r}, but it holds "
            f"{config.kind} {config.architecture}; give another folder"
        )
    background = settings.get("background", "grey")
    if background not in get_args(Background):
        raise ModelError(f"expected a known background in {where}, but got {background!r}")
    return Made(
        version=config.version,
        backbone=Backbone.read(settings.get("backbone") or {}, where),
        layout=Layout.read(settings.get("heads"), where),
        taxonomy=str(settings.get("taxonomy", "")),
        background=background,
        trained_on=settings.get("trained_on") or {},
        recipe=settings.get("recipe") or {},
        metrics=config.metrics,
    )


def load_net(folder: Path) -> tuple[TaggerNet, Made]:
    """The network in eval mode on the CPU; `ModelError` where files are damaged or do not fit."""
    made = read_made(folder)
    net = build_net(made)
    restore(net, read_weights(folder), str(folder))
    return net.eval(), made


def build_net(made: Made, dropout: float = 0.0) -> TaggerNet:
    """The network with random weights."""
    tower, backbone = made.backbone.build(), made.backbone
    return TaggerNet(
        tower, backbone.width, made.layout.size, backbone.mean, backbone.std, dropout,
        backbone.mirrored,
    )  # fmt: skip


def restore(net: TaggerNet, weights: Mapping[str, Tensor], where: str) -> None:
    """Give the network these weights, all of them; `ModelError` where they are not its own."""
    try:
        net.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise ModelError(damaged(where, error)) from error
