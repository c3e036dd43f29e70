"""What an image tower is built from again, without a hub and without its library's loading code."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import Any, Literal

import torch
from torch import nn

from annotate.finetuned.stages import Stages, has_stages
from extract.checkpoints import first_line
from garments.errors import ModelError

Library = Literal["open_clip", "transformers", "timm"]

STAGES = "stages"
"""In a backbone's configuration: its features are those of all stages, in blocks this long."""

WORDS = "words"
"""In a backbone's configuration: behind its features is the embedding; see `words.Worded`."""

MIRRORED = "mirrored"
"""In a backbone's configuration: its features are the mean of a crop's and its mirror image's."""

_MODULES: dict[Library, str] = {
    "open_clip": "annotate.finetuned.open_clip_tower",
    "transformers": "annotate.finetuned.transformers_tower",
    "timm": "annotate.finetuned.timm_tower",
}
"""Each has `build(config)`: the tower with random weights."""


@dataclass(frozen=True)
class Backbone:
    """All that builds an image tower again: its library and configuration, its input, its origin.

    `side` is the square input in pixels, `mean` and `std` (of pixels in [0, 1]) normalise it,
    `width` is the length of its features. `reference` and `weights_hash` say where its weights came
    from, "" for random ones.
    """

    library: Library
    config: dict[str, Any]
    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    width: int
    reference: str
    weights_hash: str

    def content(self) -> dict[str, Any]:
        """As kept in a model's configuration; `read` reads it."""
        return asdict(self)

    @classmethod
    def read(cls, content: Mapping[str, Any], where: str) -> "Backbone":
        """The backbone in a configuration; `ModelError` where it is damaged."""
        try:
            fields = {**content, "mean": tuple(content["mean"]), "std": tuple(content["std"])}
            return cls(**fields)
        except (KeyError, TypeError) as error:
            raise ModelError(
                f"expected a backbone in {where}, but {error}; copy the model again, or train it "
                "again"
            ) from error

    @property
    def blocks(self) -> tuple[int, ...]:
        """Lengths of the parts of the features that count alike; all in one if there is but one.

        The embedding is none of them.
        """
        return tuple(self.config.get(STAGES, (self.width - self.embedding,)))

    @property
    def embedding(self) -> int:
        """Length of the embedding behind the features, 0 without one."""
        return int(self.config.get(WORDS, (0, 0, 0))[2])

    @property
    def mirrored(self) -> bool:
        """Whether a crop's mirror image is looked at too."""
        return bool(self.config.get(MIRRORED))

    def mirroring(self, wanted: bool) -> "Backbone":
        """The same, looking at mirror images or not."""
        kept = {name: value for name, value in self.config.items() if name != MIRRORED}
        return replace(self, config={**kept, MIRRORED: True} if wanted else kept)

    def build(self) -> nn.Module:
        """The tower with random weights: (N, 3, side, side) normalised -> (N, width)."""
        try:
            tower: nn.Module = import_module(_MODULES[self.library]).build(self.config)
            tower = Stages(tower, self.side) if STAGES in self.config else tower
            return _worded(tower, self.config[WORDS]) if WORDS in self.config else tower
        except Exception as error:  # each library has errors of its own
            raise ModelError(
                f"expected {self.library} to build the backbone of {self.reference}, but "
                f"{first_line(error)}; install the versions of constraints.txt, or train it again"
            ) from error


def _worded(tower: nn.Module, place: Sequence[int]) -> nn.Module:
    from annotate.finetuned.words import Worded

    return Worded(tower, *place)


def with_stages(tower: nn.Module, backbone: Backbone) -> tuple[nn.Module, Backbone]:
    """The tower with the features of all its stages, where it has such; else as it is."""
    if STAGES in backbone.config or not has_stages(tower):
        return tower, backbone
    staged = Stages(tower, backbone.side)
    config = {**backbone.config, STAGES: list(staged.blocks)}
    return staged, replace(backbone, config=config, width=sum(staged.blocks))


def width_of(tower: nn.Module, side: int) -> int:
    """Length of the features, by trying."""
    training = tower.training
    with torch.no_grad():
        made = tower.eval()(torch.zeros(1, 3, side, side))
    tower.train(training)
    return int(made.shape[1])


def square(size: Any) -> int:
    """The side of a square input, however a library gives it."""
    return int(size if isinstance(size, int) else max(size))
