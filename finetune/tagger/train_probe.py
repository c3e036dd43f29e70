"""Training of heads alone: features are computed once, words are where it begins."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from annotate.finetuned.backbone import Backbone, with_stages
from annotate.finetuned.layout import Layout
from annotate.finetuned.net import TaggerNet
from annotate.finetuned.words import Words, directions, with_words, words_of
from finetune.tagger.events import as_events
from finetune.tagger.examples import Example
from finetune.tagger.features import FeatureCache, compute
from finetune.tagger.options import Recipe, TrainingProgress
from finetune.tagger.probe import Features, MakeLoss, Probe, fit_probe
from finetune.tagger.targets import Targets
from garments.taxonomy import Taxonomy


@dataclass(frozen=True, eq=False)
class ProbeLesson:
    """Examples with what is true of them, and how heads are fitted to them."""

    taxonomy: Taxonomy
    layout: Layout
    examples: Sequence[Example]
    targets: Targets
    loss: MakeLoss
    recipe: Recipe
    device: str


def looked_through(
    recipe: Recipe, tower: nn.Module, backbone: Backbone
) -> tuple[nn.Module, Backbone, Words | None]:
    """What a probe looks through: all stages, and the embedding that is compared with words."""
    if recipe.features == "stages":
        tower, backbone = with_stages(tower, backbone)
    words = words_of(recipe.backbone) if recipe.words and not recipe.from_scratch else None
    worded = with_words(tower, backbone, words) if words else None
    return (*worded, words) if worded else (tower, backbone, None)


def train_probe(
    net: TaggerNet,
    backbone: Backbone,
    words: Words | None,
    lesson: ProbeLesson,
    cache: Path,
    minutes: Callable[[], float],
) -> Generator[TrainingProgress, None, tuple[Probe, tuple[str, ...]]]:
    """Give `net` the heads that suit the lesson; features are kept in `cache`, texts beside it.

    Yields as it goes; returns the fit and what the card says of it.
    """
    yield from _look(net, backbone, lesson, cache, minutes)
    kept = FeatureCache(cache, backbone, lesson.recipe.background).of(lesson.examples)
    own = backbone.width - backbone.embedding
    ways: Features = np.zeros((lesson.layout.size, backbone.embedding), np.float32)
    if words:
        ways = directions(words, lesson.taxonomy, lesson.layout, cache.with_name("texts"))
    groups = [one.group for one in lesson.examples]
    fit = partial(
        fit_probe, lesson.layout, kept[:, :own], lesson.targets, groups, lesson.loss,
        lesson.recipe.seed, backbone.blocks, kept[:, own:] @ ways.T,
    )  # fmt: skip
    probe = yield from as_events(
        lambda tell: fit(lambda at, of: tell(at, of, None, {})), "fitting the heads", minutes
    )
    with torch.no_grad():
        net.head.weight[:, :own] = torch.from_numpy(probe.weight)
        net.head.weight[:, own:] = torch.from_numpy(probe.trust[:, None] * ways)
        net.head.bias.copy_(torch.from_numpy(probe.bias))
        net.shift[:own] = torch.from_numpy(probe.shift)
        net.scale[:own] = torch.from_numpy(probe.scale)
    return probe, _notes(probe, lesson.layout, words is not None)


def _look(
    net: TaggerNet,
    backbone: Backbone,
    lesson: ProbeLesson,
    cache: Path,
    minutes: Callable[[], float],
) -> Generator[TrainingProgress, None, None]:
    """Compute features that are not kept yet."""
    background = lesson.recipe.background
    kept = FeatureCache(cache, backbone, background)
    total, done = len(kept.lacking(lesson.examples)), 0
    for count in compute(kept, net, backbone.side, background, lesson.examples, lesson.device):
        done += count
        yield TrainingProgress("looking at crops", done, total, minutes())


def _notes(probe: Probe, layout: Layout, worded: bool) -> tuple[str, ...]:
    strengths = ", ".join(f"{name} {value:g}" for name, value in probe.strengths.items())
    notes = [f"Squared weights count, chosen by what was held out: {strengths}"]
    if worded:
        trust = {name: probe.trust[place.start] for name, place in layout.slices().items()}
        told = ", ".join(f"{name} {value:.2f}" for name, value in trust.items())
        notes.append(f"Begins with zero-shot logits, of which count: {told}")
    return tuple(notes)
