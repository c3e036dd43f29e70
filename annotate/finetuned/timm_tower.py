"""Image towers of timm, by name or from a folder."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from torch import nn

from annotate.finetuned.backbone import Backbone, width_of
from extract.checkpoints import check_hub, first_line, hash_tensors, out_of_reach
from garments.errors import ModelError, UnknownModel
from garments.modelfolder import HASH_LENGTH
from garments.references import Reference


def load(reference: Reference, pretrained: bool) -> tuple[nn.Module, Backbone]:
    """A backbone of timm by name, `local-dir:PATH` or `hf-hub:OWNER/NAME`."""
    timm: Any = import_module("timm")
    try:
        tower = timm.create_model(reference.name, pretrained=pretrained, num_classes=0)
    except Exception as error:  # timm, safetensors and the hub each have their own
        raise _no_timm(reference, error, pretrained) from error
    given = timm.data.resolve_model_data_config(tower)
    side = int(given["input_size"][-1])
    architecture = tower.pretrained_cfg.get("architecture") or reference.name.partition(".")[0]
    found = Backbone(
        "timm",
        {"name": architecture},
        side,
        tuple(given["mean"]),
        tuple(given["std"]),
        width_of(tower, side),
        str(reference),
        hash_tensors(tower.state_dict())[:HASH_LENGTH] if pretrained else "",
    )
    return tower, found


def _no_timm(reference: Reference, error: Exception, pretrained: bool) -> ModelError:
    import timm

    name = reference.name.partition(".")[0]
    local = reference.name.startswith("local-dir:")
    if not local and ":" not in name and not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name[:5]}*")[:5]) or "see timm.list_models()"
        return UnknownModel(
            f"timm has no model {reference.name!r}; expected a name such as vgg19.tv_in1k or "
            f"local-dir:PATH, near it are: {near}"
        )
    if local or not pretrained:
        return ModelError(
            f"{reference} cannot be loaded by timm ({first_line(error)}); expected a folder with "
            "config.json and model.safetensors as timm saves them: copy it again"
        )
    try:
        check_hub(reference)
    except UnknownModel as away:
        return UnknownModel(f"{away}; or train from random weights by --from-scratch")
    return UnknownModel(out_of_reach(reference, error))


def build(config: Mapping[str, Any]) -> nn.Module:
    """See `backbone.Backbone.build`."""
    import timm

    made: nn.Module = timm.create_model(config["name"], pretrained=False, num_classes=0)
    return made
