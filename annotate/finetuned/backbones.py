"""Image towers that a tagger is trained on, from any model reference."""

from dataclasses import replace

from torch import nn

from annotate.finetuned import open_clip_tower, timm_tower, transformers_tower
from annotate.finetuned.backbone import Backbone
from annotate.finetuned.folder import is_finetuned, load_net
from garments.errors import UnfitModel
from garments.modelfolder import CONFIG, read_raw_config, weights_hash
from garments.references import Reference, Source

STARTER_SETS = ("fashion_products", "ccp", "street:train")
"""What the starter was trained on, as its card says."""


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
        return timm_tower.load(parsed, pretrained)
    if parsed.source is Source.FOLDER and is_finetuned(parsed.folder):
        net, made = load_net(parsed.folder)
        mine = f"dir:{parsed.folder.name}"  # its weights are no longer those that it began with
        return net.backbone, replace(
            made.backbone, reference=mine, weights_hash=weights_hash(parsed.folder)
        )
    from annotate.taggers import load_encoder
    from annotate.zeroshot.openclip import OpenClipEncoder

    encoder = load_encoder(parsed)
    if isinstance(encoder, OpenClipEncoder):
        return open_clip_tower.take(encoder, parsed)
    return transformers_tower.take(encoder)


def sets_seen(reference: str) -> tuple[str, ...] | None:
    """Names of the public sets that a backbone was trained on, None where it does not say."""
    parsed = Reference.parse(reference)
    if parsed.source is Source.STARTER:
        return STARTER_SETS
    if parsed.source is not Source.FOLDER or not (parsed.folder / CONFIG).is_file():
        return None
    settings = read_raw_config(parsed.folder).get("settings")
    said = settings.get("trained_on") if isinstance(settings, dict) else None
    sets = said.get("sets") if isinstance(said, dict) else None
    return tuple(str(one) for one in sets) if isinstance(sets, list) else None
