"""Image towers that a tagger is trained on: from any model reference, and rebuilt without a hub."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import Any, Literal

import torch
from torch import Tensor, nn

from annotate.finetuned.stages import Stages, has_stages
from extract.checkpoints import check_hub, first_line, hash_tensors, out_of_reach
from garments.errors import ModelError, UnfitModel, UnknownModel
from garments.modelfolder import HASH_LENGTH
from garments.references import Reference, Source

Library = Literal["open_clip", "transformers", "timm"]

STAGES = "stages"
"""In a backbone's configuration: its features are those of all stages, in blocks this long."""


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
        """Lengths of the parts of the features that count alike; all in one if there is but one."""
        return tuple(self.config.get(STAGES, (self.width,)))

    def build(self) -> nn.Module:
        """The tower with random weights: (N, 3, side, side) normalised -> (N, width)."""
        try:
            tower = _BUILDERS[self.library](self.config)
            return Stages(tower, self.side) if STAGES in self.config else tower
        except Exception as error:  # each library has errors of its own
            raise ModelError(
                f"expected {self.library} to build the backbone of {self.reference}, but "
                f"{first_line(error)}; install the versions of constraints.txt, or train it again"
            ) from error


def with_stages(tower: nn.Module, backbone: Backbone) -> tuple[nn.Module, Backbone]:
    """The tower with the features of all its stages, where it has such; else as it is."""
    if STAGES in backbone.config or not has_stages(tower):
        return tower, backbone
    staged = Stages(tower, backbone.side)
    config = {**backbone.config, STAGES: list(staged.blocks)}
    return staged, replace(backbone, config=config, width=sum(staged.blocks))


def load_backbone(reference: str, pretrained: bool = True) -> tuple[nn.Module, Backbone]:
    """The image tower that a reference names, and its description.

    `starter`, `openclip:...`, `hf:OWNER/NAME` (CLIP, SigLIP), `dir:PATH` (an open_clip or a
    transformers folder, or one of `finetune tagger`) and `timm:NAME`, such as timm:vgg19.tv_in1k or
    timm:local-dir:PATH. Only timm's can do without `pretrained` weights. Raises `UnknownModel`,
    `UnfitModel` or `ModelError`, each saying what to do.
    """
    parsed = Reference.parse(reference)
    if parsed.source in (Source.RULE, Source.CHAMPION, Source.TRAINED):
        raise UnfitModel(
            f"expected a model with an image tower, but got {reference}; use starter, hf:, "
            "openclip:, timm: or dir:"
        )
    if parsed.source is Source.TIMM:
        return _timm(parsed, pretrained)
    from annotate.finetuned.folder import is_finetuned, load_net

    if parsed.source is Source.FOLDER and is_finetuned(parsed.folder):
        net, made = load_net(parsed.folder)
        return net.backbone, made.backbone
    from annotate.taggers import load_encoder
    from annotate.zeroshot.openclip import OpenClipEncoder

    encoder = load_encoder(parsed, "cpu")
    if isinstance(encoder, OpenClipEncoder):
        return _open_clip(encoder, parsed)
    return _transformers(encoder)


def _open_clip(encoder: Any, reference: Reference) -> tuple[nn.Module, Backbone]:
    """The tower before its projection: what it knows, not what can be told by words."""
    tower = encoder.network.visual
    preparation = tower.preprocess_cfg
    config = {"tower": _open_clip_config(reference), "projection": False}
    width = _without_projection(tower)
    found = Backbone(
        "open_clip",
        config,
        _square(tower.image_size),
        tuple(preparation["mean"]),
        tuple(preparation["std"]),
        width or _width(tower, _square(tower.image_size)),
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


def _build_open_clip(config: Mapping[str, Any]) -> nn.Module:
    from open_clip.model import CLIPVisionCfg, _build_vision_tower

    tower = config["tower"]
    vision = CLIPVisionCfg(**tower["vision_cfg"])
    made: nn.Module = _build_vision_tower(tower["embed_dim"], vision, tower["quick_gelu"])
    _without_projection(made)
    return made


class _Pooled(nn.Module):
    """A vision model of transformers that returns its pooled features."""

    def __init__(self, vision: nn.Module) -> None:
        super().__init__()
        self.vision = vision

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, width) of normalised pixels."""
        pooled: Tensor = self.vision(pixel_values=pixels).pooler_output
        return pooled


def _transformers(encoder: Any) -> tuple[nn.Module, Backbone]:
    network, processor = encoder.network, encoder.processor
    config = network.config.vision_config
    content = {**config.to_dict(), "model_type": config.model_type}
    side = _square(config.image_size)
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


def _build_transformers(config: Mapping[str, Any]) -> nn.Module:
    import transformers

    fields = dict(config)
    made = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)
    auto: Any = transformers.AutoModel
    return _Pooled(auto.from_config(made, dtype=torch.float32))


def _timm(reference: Reference, pretrained: bool) -> tuple[nn.Module, Backbone]:
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
        _width(tower, side),
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


def _build_timm(config: Mapping[str, Any]) -> nn.Module:
    import timm

    made: nn.Module = timm.create_model(config["name"], pretrained=False, num_classes=0)
    return made


def _width(tower: nn.Module, side: int) -> int:
    """Length of the features, by trying."""
    training = tower.training
    with torch.no_grad():
        made = tower.eval()(torch.zeros(1, 3, side, side))
    tower.train(training)
    return int(made.shape[1])


def _square(size: Any) -> int:
    return int(size if isinstance(size, int) else max(size))


_BUILDERS = {
    "open_clip": _build_open_clip,
    "transformers": _build_transformers,
    "timm": _build_timm,
}
