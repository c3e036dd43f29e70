"""Many probes on one data set: its crops are looked at once, and each probe reads what was seen.

It says what `prelabel` would say with the probe's own network, but for the rounding of its weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from annotate.crops import CropLoader
from annotate.finetuned.backbones import load_backbone
from annotate.finetuned.net import TaggerNet
from annotate.finetuned.tagger import FineTunedTagger
from annotate.in_force import trained_models
from annotate.pending import find_pending
from annotate.record import Recorder
from extract.models import resolve_device
from finetune.tagger.examples import Example
from finetune.tagger.features import FeatureCache, compute
from finetune.tagger.options import Recipe
from finetune.tagger.train_probe import looked_through
from garments.calibrate import record_model_calibrations

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Looking:
    """How many garments of `total` are `done`, `skipped` of them before."""

    done: int
    total: int
    skipped: int = 0


def look_at_all(dataset: "Dataset", recipe: Recipe, device: str = "auto") -> Iterator[Looking]:
    """Keep the features of every garment for probes of that recipe; yields as it goes.

    Trainings of such probes, and `propose_from_features`, find them. `BadInput` names bad crops.
    """
    tower, backbone = load_backbone(recipe.backbone, True)
    tower, backbone, _ = looked_through(recipe, tower, backbone.mirroring(recipe.mirror))
    net = TaggerNet(tower, backbone.width, 1, backbone.mean, backbone.std, 0.0, recipe.mirror)
    cache = FeatureCache(dataset.run / "features", backbone, recipe.background)
    examples = _examples(dataset)
    done = before = len(examples) - len(cache.lacking(examples))
    yield Looking(done, len(examples), before)
    where = resolve_device(device)
    for count in compute(cache, net, backbone.side, recipe.background, examples, where):
        done += count
        yield Looking(done, len(examples), before)


def propose_from_features(dataset: "Dataset", name: str, attributes: Sequence[str]) -> int:
    """Let the probe `name` propose for every garment, from features alone; how many proposals.

    `look_at_all` kept them.
    """
    tagger = FineTunedTagger.load(
        trained_models(dataset) / name, f"model:{name}", dataset.taxonomy, attributes
    )
    examples = _examples(dataset)
    cache = FeatureCache(dataset.run / "features", tagger.made.backbone, tagger.made.background)
    tags = tagger.tags_of(cache.of(examples))
    record_model_calibrations(dataset, tagger)
    [lacking] = find_pending(dataset, [tagger], attributes).lacking
    crops = [_crop_of(one) for one in examples]
    recorder = Recorder(dataset.catalog, 0.0)
    made = recorder.add(tagger, crops, tags, lacking)
    recorder.close()
    return made


def _examples(dataset: "Dataset") -> list[Example]:
    """All active garments in the order of `find_pending`, named as those of a release are."""
    rows = dataset.catalog.active_garments().sort_by("seq").to_pylist()
    loader = CropLoader(dataset)
    return [
        Example(f"{row['garment_id']}/{row['crop_sha']}.jpg", "", {}, partial(loader.load, row))
        for row in rows
    ]


def _crop_of(example: Example) -> tuple[str, str]:
    garment, _, picture = example.name.partition("/")
    return garment, picture.removesuffix(".jpg")
