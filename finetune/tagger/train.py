"""From labels to a model folder: features or weights, calibration, card."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.finetuned.backbone import Backbone
from annotate.finetuned.backbones import load_backbone, sets_seen
from annotate.finetuned.folder import Made
from annotate.finetuned.layout import Layout
from annotate.finetuned.net import TaggerNet
from annotate.finetuned.words import Words
from annotate.in_force import trained_models
from annotate.samples import Vocabulary
from extract.models import resolve_device
from finetune.tagger.claim import claimed, finish, recipe_key
from finetune.tagger.events import as_events
from finetune.tagger.examples import Example, Material, from_folder
from finetune.tagger.losses import Loss
from finetune.tagger.options import Recipe, TaggerOptions, TrainingProgress
from finetune.tagger.probe import Probe
from finetune.tagger.processes import Team, joined, team
from finetune.tagger.release import from_release
from finetune.tagger.shown import Look, Shown
from finetune.tagger.targets import Targets, learnable, log_prior, rarity, targets_of
from finetune.tagger.train_probe import ProbeLesson, looked_through, train_probe
from finetune.tagger.write import Done, write_tagger
from garments.atwork import at_work
from garments.dataset import Dataset
from garments.extras import expect_installed
from garments.settings import PrelabelSettings

COLOR_LIKE = "color"
"""What is in the name of attributes that hues must not change for."""


def finetune_tagger(dataset: Dataset, options: TaggerOptions) -> Iterator[TrainingProgress]:
    """Train a tagger on a release of a data set; yields as it goes, last with the model's folder.

    Stopped or killed, the same call goes on. Raises `DatasetError`, `BadInput` or `BadSetting` for
    what cannot be trained on, `ModelError` for a backbone or checkpoint that is damaged and for a
    loss that is no number. Nothing that is in force changes.
    """
    with at_work(dataset):
        material = from_release(dataset, options.release, options.recipe.soft)
        training = _Training(material, options.recipe, options.device, options.attributes)
        with training.joined() as us:
            yield from _claimed_run(dataset, options, training, us)


def _claimed_run(
    dataset: Dataset, options: TaggerOptions, training: "_Training", us: Team
) -> Iterator[TrainingProgress]:
    key = recipe_key(options, str(training.material.origin["hash"]))
    with _claimed_once(dataset, options, key, us) as (name, scratch):
        folder = trained_models(dataset) / name
        reference = f"model:{name}"
        precision = dataset.settings.prelabel.precision
        yield from training.run(scratch, dataset.run / "features", folder, reference, precision)
        if us.first:
            finish(scratch)


@contextmanager
def _claimed_once(
    dataset: Dataset, options: TaggerOptions, key: str, us: Team
) -> Iterator[tuple[str, Path]]:
    """The name and the folder that the first process has claimed, for all of them."""
    with ExitStack() as stack:
        mine = stack.enter_context(claimed(dataset, options, key)) if us.first else None
        found = us.agreed(mine)
        assert found is not None
        yield found


def finetune_folder(
    data: Path,
    out: Path,
    vocabulary: Vocabulary = "native",
    recipe: Recipe | None = None,
    attributes: tuple[str, ...] | None = None,
    device: str = "auto",
) -> Iterator[TrainingProgress]:
    """Train a tagger on the split `train` of a labelled folder; its model is `out`/model.

    Errors as `finetune_tagger`, and `BadTable` for a folder of another layout.
    """
    material, recipe = from_folder(data, vocabulary), recipe or Recipe()
    folder, precision = out / "model", PrelabelSettings().precision
    training = _Training(material, recipe, device, attributes)
    with training.joined():
        yield from training.run(out, out / "features", folder, f"dir:{folder}", precision)


@dataclass(frozen=True, eq=False)
class _Result:
    """A trained network, and its logits on held-out examples with what is true of them."""

    net: TaggerNet
    logits: NDArray[np.float32]
    targets: Targets
    notes: tuple[str, ...]


class _Training:
    def __init__(
        self,
        material: Material,
        recipe: Recipe,
        device: str,
        attributes: tuple[str, ...] | None,
    ) -> None:
        self.material, self.recipe = material, recipe
        self.device = resolve_device(device)
        taxonomy = material.taxonomy
        asked, self.skipped = learnable(taxonomy, [one.truth for one in material.learn], attributes)
        self.layout = Layout.of(taxonomy, asked)
        self._scratch, self._begin = Path(), time.monotonic()

    def joined(self) -> AbstractContextManager[Team]:
        """Meet the other processes that share this training, where there are others."""
        return joined(self.recipe, self.device)

    def run(
        self, scratch: Path, cache: Path, folder: Path, reference: str, precision: float
    ) -> Iterator[TrainingProgress]:
        """Train, with checkpoints in `scratch`, and write.

        The last event has the folder, that of the first process.
        """
        self._scratch = scratch
        yield TrainingProgress("loading the backbone")
        torch.manual_seed(self.recipe.seed)  # of random weights too
        tower, backbone = load_backbone(self.recipe.backbone, not self.recipe.from_scratch)
        if self.recipe.side:
            backbone = replace(backbone, side=self.recipe.side)
        backbone = backbone.mirroring(self.recipe.mirror)
        words, probe = None, self.recipe.mode == "probe"
        if self.recipe.begins_with_heads:
            tower, backbone, words = looked_through(self.recipe, tower, backbone)
        net = TaggerNet(
            tower,
            backbone.width,
            self.layout.size,
            backbone.mean,
            backbone.std,
            0.0 if probe else self.recipe.dropout,
            backbone.mirrored,
        )
        learnt = self._probed if probe else self._trained
        result = yield from learnt(net, backbone, words, cache)
        if not team().first:
            return
        yield TrainingProgress("writing the model", minutes=self._minutes())
        done = self._done(result, backbone, folder.name)
        figures = write_tagger(folder, done, precision)
        yield TrainingProgress(
            "trained", minutes=self._minutes(), metrics=figures, folder=folder, reference=reference
        )

    def _probed(
        self, net: TaggerNet, backbone: Backbone, words: Words | None, cache: Path
    ) -> Generator[TrainingProgress, None, _Result]:
        """Heads on features of the backbone as it is; everything that may be learnt from counts."""
        examples = [*self.material.learn, *self.material.held_out]
        probe, notes = yield from self._heads(net, backbone, words, cache, examples)
        targets = self._targets(examples).at(probe.held_out)
        return _Result(net, probe.logits, targets, notes)

    def _heads(
        self,
        net: TaggerNet,
        backbone: Backbone,
        words: Words | None,
        cache: Path,
        examples: Sequence[Example],
    ) -> Generator[TrainingProgress, None, tuple[Probe, tuple[str, ...]]]:
        lesson = ProbeLesson(
            self.material.taxonomy, self.layout, examples, self._targets(examples), self._loss,
            self.recipe, self.device,
        )  # fmt: skip
        return (yield from train_probe(net, backbone, words, lesson, cache, self._minutes))

    def _trained(
        self, net: TaggerNet, backbone: Backbone, words: Words | None, cache: Path
    ) -> Generator[TrainingProgress, None, _Result]:
        """The network's own weights, measured on what is held out."""
        low_rank = ("peft",) if self.recipe.mode == "lora" else ()
        expect_installed("training a backbone", "train", "accelerate", "tensorboard", *low_rank)
        from finetune.tagger.train_net import Lesson, train_net

        recipe, learn, held_out = self.recipe, self.material.learn, self.material.held_out
        targets, kept_out = self._targets(learn), self._targets(held_out)
        hue = not any(COLOR_LIKE in name.replace("colour", "color") for name in self._names)
        look = Look(recipe.background, backbone.side, hue)
        if recipe.begins_with_heads:
            if team().first:
                yield from self._heads(net, backbone, words, cache, learn)
            team().share(net)
        else:
            with torch.no_grad():
                net.head.bias.copy_(torch.from_numpy(log_prior(self.layout, targets)))
        lesson = Lesson(
            self.material.taxonomy,
            self.layout,
            Shown(learn, targets, look, recipe.seed),
            Shown(held_out, kept_out, look),
            kept_out,
            self._loss(self.layout, targets),
            recipe,
            self.device,
        )
        trained = yield from as_events(
            lambda tell: train_net(net, lesson, self._scratch, tell),
            "training",
            self._minutes,
        )
        shared = f" on {team().size} processes" if team().size > 1 else ""
        notes = (f"{trained.epochs:.0f} epochs in {trained.seconds / 60:.0f} minutes{shared}",)
        return _Result(trained.net, trained.logits, kept_out, notes)

    @property
    def _names(self) -> list[str]:
        return [head.attribute for head in self.layout.heads]

    def _targets(self, examples: Sequence[Example]) -> Targets:
        truths = [one.truth for one in examples]
        return targets_of(self.material.taxonomy, self.layout, truths)

    def _loss(self, layout: Layout, targets: Targets) -> Loss:
        """As the recipe has it, by what is frequent among these targets."""
        kind = self.recipe.imbalance
        offset = torch.from_numpy(log_prior(layout, targets)) if kind == "adjust" else None
        weight = torch.from_numpy(rarity(layout, targets)) if kind == "weight" else None
        return Loss(layout, offset, weight, self.recipe.smoothing)

    def _done(self, result: _Result, backbone: Backbone, name: str) -> Done:
        made = Made(
            version=name,
            backbone=backbone,
            layout=self.layout,
            taxonomy=self.material.taxonomy.hash,
            background=self.recipe.background,
            trained_on=self._trained_on(),
            recipe=vars(self.recipe),
        )
        return Done(
            made, result.net, result.logits, result.targets, self.material, self.skipped,
            result.notes, self._minutes(),
        )  # fmt: skip

    def _trained_on(self) -> dict[str, Any]:
        """Where the labels come from; `sets` with those that the backbone has seen before."""
        origin, recipe = dict(self.material.origin), self.recipe
        before = () if recipe.from_scratch else sets_seen(recipe.backbone) or ()
        return {**origin, "sets": sorted({*origin.get("sets", ()), *before})}

    def _minutes(self) -> float:
        return (time.monotonic() - self._begin) / 60
