"""Image towers of transformers: CLIP and SigLIP."""

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from annotate.finetuned.backbone import Backbone, square


class _Pooled(nn.Module):
    """A vision model of transformers that returns its pooled features."""

    def __init__(self, vision: nn.Module) -> None:
        super().__init__()
        self.vision = vision

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, width) of normalised pixels."""
        pooled: Tensor = self.vision(pixel_values=pixels).pooler_output
        return pooled


def take(encoder: Any) -> tuple[nn.Module, Backbone]:
    """The tower before its projection, and its description."""
    network, processor = encoder.network, encoder.processor
    config = network.config.vision_config
    content = {**config.to_dict(), "model_type": config.model_type}
    side = square(config.image_size)
    found = Backbone(
        "transformers",
        json.loads(json.dumps(content, default=str)),
        side,
        tuple(processor.image_mean),
        tuple(processor.image_std),
        int(config.hidden_size),
        encoder.reference,
        encoder.weights_hash,
    )
    # through the configuration that is kept, so that what is trained is what is loaded again
    tower = found.build()
    wanted = tower.vision.state_dict()  # type: ignore[union-attr]
    given = network.vision_model.state_dict()
    prefix = "vision_model." if any(k.startswith("vision_model.") for k in wanted) else ""
    tower.load_state_dict({f"vision.{prefix}{name}": given[name] for name in given})
    return tower, found


def build(config: Mapping[str, Any]) -> nn.Module:
    """See `backbone.Backbone.build`."""
    import transformers

    fields = dict(config)
    made = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)
    auto: Any = transformers.AutoModel
    return _Pooled(auto.from_config(made, dtype=torch.float32))
