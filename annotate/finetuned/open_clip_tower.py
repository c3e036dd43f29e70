"""Image towers of open_clip, the starter's among them."""

import json
from collections.abc import Mapping
from typing import Any

from torch import nn

from annotate.finetuned.backbone import Backbone, square, width_of
from garments.references import Reference


def take(encoder: Any, reference: Reference) -> tuple[nn.Module, Backbone]:
    """The tower before its projection: what it knows, not what can be told by words."""
    tower = encoder.network.visual
    preparation = tower.preprocess_cfg
    config = {"tower": _open_clip_config(reference), "projection": False}
    width = _without_projection(tower)
    found = Backbone(
        "open_clip",
        config,
        square(tower.image_size),
        tuple(preparation["mean"]),
        tuple(preparation["std"]),
        width or width_of(tower, square(tower.image_size)),
        encoder.reference,
        encoder.weights_hash,
    )
    return tower, found


def _open_clip_config(reference: Reference) -> dict[str, Any]:
    """The `model_cfg` that open_clip builds from, without the text tower."""
    import open_clip
    from open_clip import factory

    from annotate.taggers import model_folder
    from annotate.zeroshot.openclip import CONFIG, HUB

    if folder := model_folder(reference):
        whole = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_cfg"]
    elif reference.name.startswith(HUB):
        whole = factory._get_hf_config(reference.name.removeprefix(HUB))["model_cfg"]
    else:
        name = reference.name.rpartition("/")[0] or reference.name
        whole = open_clip.get_model_config(name.replace("/", "-"))
    vision = {**whole["vision_cfg"], "timm_model_pretrained": False}
    return {
        "embed_dim": whole["embed_dim"],
        "vision_cfg": vision,
        "quick_gelu": bool(whole.get("quick_gelu")),
    }


def _without_projection(tower: Any) -> int:
    """Take the projection into the common space off; width of the features, 0 if unknown."""
    from open_clip.timm_model import TimmModel

    if isinstance(tower, TimmModel):
        tower.head = nn.Identity()
        return int(tower.trunk.num_features)
    if isinstance(getattr(tower, "proj", None), nn.Parameter):
        width = int(tower.proj.shape[0])
        tower.proj = None
        return width
    return 0


def build(config: Mapping[str, Any]) -> nn.Module:
    """See `backbone.Backbone.build`."""
    from open_clip.model import CLIPVisionCfg, _build_vision_tower

    tower = config["tower"]
    vision = CLIPVisionCfg(**tower["vision_cfg"])
    made: nn.Module = _build_vision_tower(tower["embed_dim"], vision, tower["quick_gelu"])
    _without_projection(made)
    return made
