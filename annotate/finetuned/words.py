"""What an image-text model says by its words alone, as a beginning for heads that are trained.

Of few labels little can be learnt; text embeddings as a start keep a tagger from knowing less than
it did without any (as CLAP, 2312.12730, and WiSE-FT, 2109.01903, have it).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from annotate.finetuned.backbone import WORDS, Backbone
from annotate.finetuned.layout import Layout
from annotate.finetuned.stages import LAST, Stages
from annotate.zeroshot.texts import TextCache
from garments.references import Reference, Source
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from annotate.zeroshot.encoder import Encoder

_KNOWING = (Source.STARTER, Source.OPEN_CLIP, Source.HUB, Source.FOLDER)


@dataclass(frozen=True, eq=False)
class Words:
    """An image-text model, and how its image tower's features (W,) become embeddings (D,).

    `weight` is (D, W), `bias` (D,).
    """

    encoder: "Encoder"
    weight: Tensor
    bias: Tensor


class Worded(nn.Module):
    """A tower with the embedding behind its features: (N, width) -> (N, width + D).

    The embedding is the projection of `pooled` features from place `start`, of unit length.
    """

    def __init__(self, tower: nn.Module, start: int, pooled: int, dimension: int) -> None:
        super().__init__()
        self.tower = tower
        self.projection = nn.Linear(pooled, dimension)
        self._mine = slice(start, start + pooled)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, width + D) of normalised pixels (N, 3, S, S)."""
        seen = self.tower(pixels)
        return torch.cat([seen, F.normalize(self.projection(seen[:, self._mine]), dim=1)], dim=1)


def words_of(reference: str) -> Words | None:
    """The words of the model that a reference names, None for one that knows none.

    Errors as `annotate.taggers.load_tagger`.
    """
    from annotate.finetuned.folder import is_finetuned
    from annotate.taggers import load_encoder

    parsed = Reference.parse(reference)
    if parsed.source not in _KNOWING:
        return None
    if parsed.source is Source.FOLDER and is_finetuned(parsed.folder):
        return None
    encoder: Any = load_encoder(parsed)
    found = _projection(encoder)
    return None if found is None else Words(encoder, *found)


def with_words(
    tower: nn.Module, backbone: Backbone, words: Words
) -> tuple[nn.Module, Backbone] | None:
    """The tower with its embedding; None where the embedding is not made of its features."""
    start, pooled = _pooled(tower, backbone)
    dimension, width = words.weight.shape
    if width != pooled:
        return None
    worded = Worded(tower, start, pooled, dimension)
    with torch.no_grad():
        worded.projection.weight.copy_(words.weight)
        worded.projection.bias.copy_(words.bias)
    config = {**backbone.config, WORDS: [start, pooled, dimension]}
    return worded, replace(backbone, config=config, width=backbone.width + dimension)


def directions(
    words: Words, taxonomy: Taxonomy, layout: Layout, cache: Path | None
) -> NDArray[np.float32]:
    """(L, D): what to multiply embeddings by for zero-shot logits; 0 for what has no prompts."""
    texts, found = TextCache(cache), np.zeros((layout.size, words.encoder.dimension), np.float32)
    for head in layout.heads:
        attribute = taxonomy.attribute(head.attribute)
        prompts: list[Sequence[str]] = [attribute.prompts(value) for value in attribute.ids]
        if not all(prompts):
            continue
        version = taxonomy.prompt_hash(head.attribute)
        rows = texts.embeddings(words.encoder, head.attribute, prompts, version)
        chosen = [attribute.ids.index(value) for value in head.values]
        found[layout.slices()[head.attribute]] = words.encoder.scale * rows[chosen]
    return found


def _pooled(tower: nn.Module, backbone: Backbone) -> tuple[int, int]:
    """Where the features that are projected begin, and how many they are; 0 where not there."""
    if not isinstance(tower, Stages):
        return 0, backbone.width
    last = 2 * (LAST - 1)  # each stage has its means, then its deviations
    start, width = sum(tower.blocks[:last]), tower.blocks[last]
    pixels = torch.rand(1, 3, backbone.side, backbone.side)
    training = tower.training
    with torch.no_grad():
        seen, asked = tower.eval()(pixels), tower.tower(pixels)
    tower.train(training)
    mine = seen[:, start : start + width]
    # some networks do more to the last map than to take its mean
    same = mine.shape == asked.shape and torch.allclose(mine, asked, atol=1e-4)
    return (start, width) if same else (0, 0)


def _projection(encoder: Any) -> tuple[Tensor, Tensor] | None:
    """From pooled features to the embedding; None where that is more than a matrix."""
    from annotate.zeroshot.openclip import OpenClipEncoder

    network = encoder.network
    if isinstance(encoder, OpenClipEncoder):
        return _open_clip_projection(network.visual, encoder.dimension)
    last = getattr(network, "visual_projection", None)
    return _of_linear(last) if isinstance(last, nn.Linear) else _identity(encoder.dimension)


def _open_clip_projection(tower: Any, dimension: int) -> tuple[Tensor, Tensor] | None:
    from open_clip.timm_model import TimmModel

    if isinstance(tower, TimmModel):
        parts = [part for part in tower.head.modules() if not list(part.children())]
        weighty = [part for part in parts if not isinstance(part, nn.Dropout | nn.Identity)]
        if not weighty:
            return _identity(dimension)
        linear = len(weighty) == 1 and isinstance(weighty[0], nn.Linear)
        return _of_linear(weighty[0]) if linear else None
    if isinstance(getattr(tower, "proj", None), nn.Parameter):
        return tower.proj.detach().T.clone(), torch.zeros(dimension)
    return _identity(dimension)


def _of_linear(layer: nn.Linear) -> tuple[Tensor, Tensor]:
    bias = torch.zeros(layer.out_features) if layer.bias is None else layer.bias.detach().clone()
    return layer.weight.detach().clone(), bias


def _identity(dimension: int) -> tuple[Tensor, Tensor]:
    return torch.eye(dimension), torch.zeros(dimension)
