"""Training of the starter detector."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from extract.evaluate_people import person_truth
from extract.starter.blocks import fold_batch_norms, load_weights
from extract.starter.detector import DetectorNet, StarterDetector
from finetune.card import (
    CCP_LICENCE,
    PERSONS_LICENCE,
    STREET_LICENCE,
    Card,
    recipe_lines,
    started_from,
)
from finetune.detector_data import (
    DetectorBatches,
    parsed_scenes,
    person_scenes,
    street_scenes,
)
from finetune.detector_loss import detection_loss
from finetune.detector_scene import Scene
from finetune.loop import Batch, Schedule, Step, Task, train
from finetune.street_cache import street_pictures
from garments.errors import BadInput
from garments.metrics import ImageBoxes, average_precision
from garments.modelfolder import ModelConfig, write_model
from garments.parts import IGNORED, PARTS
from garments.sets.ccp import read_ccp
from garments.sets.persons import PersonsPhoto, read_persons

VERSION = "1"

LONGEST = 352
"""Longer side of the input at inference, in pixels; a little larger than the training canvas."""


@dataclass(frozen=True)
class DetectorRecipe:
    """What the detector learns from: `persons` (boxes), `parsed` (label maps) and the street.

    Shares are those of the batch; the parts of `parsed` and street people are a second lesson
    that gives the encoder far more to learn from than boxes alone. `paste` is the share of photos
    into which somebody is put out of a parsed one. `start` is an earlier model of this recipe whose
    weights are learnt on from.
    """

    persons: Path
    parsed: Path
    street: int = 2000
    shares: tuple[float, float, float] = (0.5, 0.2, 0.3)
    parts_weight: float = 0.5
    paste: float = 0.4
    start: Path | None = None
    schedule: Schedule = field(
        default_factory=lambda: Schedule(steps=6000, minutes=62, batch=12, evaluate_every=250)
    )


class TwoLessons(nn.Module):
    """The detector with a head for parts, which is dropped after training."""

    def __init__(self, channels: int = 96) -> None:
        """`channels` of the neck."""
        super().__init__()
        self.detector = DetectorNet(channels)
        self.parts = nn.Conv2d(channels, len(PARTS), 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, 3, H, W) -> logits and distances as `DetectorNet`, part logits (N, 8, h, w)."""
        features = self.detector.features(pixels)
        return (*self.detector.heads(features), self.parts(features).float())


def train_detector(
    recipe: DetectorRecipe,
    out: Path,
    cache: Path | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Step]:
    """Train and yield reports; `out` gets checkpoint, log and `model/`.

    The street is drawn into `cache` (default `out/cache`), which several trainings may share;
    `tell(done, total)` reports it.
    """
    people = read_persons(recipe.persons, "train")
    held_out = read_persons(recipe.persons, "val")
    if not people or not held_out:
        raise BadInput(f"expected photos of both splits in {recipe.persons}, see its README")
    scenes: list[list[Scene]] = [
        list(person_scenes(people)),
        list(parsed_scenes(read_ccp(recipe.parsed, "train"))),
    ]
    if recipe.street:
        drawn = street_pictures(recipe.street, cache or out / "cache", tell=tell)
        scenes.append(list(street_scenes(drawn)))
    torch.manual_seed(recipe.schedule.seed)
    net = TwoLessons()
    if recipe.start:
        load_weights(net.detector, recipe.start)
    task = Task(
        net=net,
        batch=DetectorBatches(
            list(zip(recipe.shares, scenes, strict=False)), recipe.schedule.batch, recipe.paste
        ),
        loss=lambda net, batch: two_losses(net, batch, recipe.parts_weight),
        evaluate=lambda net: {"people_ap50": evaluate_boxes(net, held_out)},
    )
    names = {"persons": recipe.persons.name, "parsed": recipe.parsed.name}
    settings = {**asdict(recipe), **names, "start": started_from(recipe.start), "schedule": None}
    for report in train(task, recipe.schedule, out, settings):
        yield report
    save_detector(out / "model", net.detector, recipe, report)


def save_detector(folder: Path, net: nn.Module, recipe: DetectorRecipe, report: Step) -> None:
    """Write the model folder that `extract` loads, in float16, with its card."""
    card = Card(
        title="Starter person detector",
        summary=(
            "Finds people in photos. An anchor-free detector on a narrow ResNet with one level "
            f"at stride 8, {sum(p.numel() for p in net.parameters()) / 1e6:.1f} million "
            "parameters, trained from random weights."
        ),
        data=(PERSONS_LICENCE, CCP_LICENCE, f"{STREET_LICENCE}: {recipe.street} pictures"),
        recipe=recipe_lines("detector", recipe.schedule, report, recipe.start is not None),
        figures=report.metrics,
        figures_note=(
            f"On the val part of `{recipe.persons.name}`: average precision at IoU 0.5 of people "
            "of at least a quarter of the photo's height, as `garmentloop evaluate people` prints."
        ),
        limits=(
            "It has seen a few hundred everyday photos: expect misses on unusual poses, crowds, "
            "people who are small, lying or half hidden. Use `hf:facebook/detr-resnet-50` where "
            "the hub can be reached.",
            "It finds people, it does not recognise anybody: do not use it for surveillance.",
        ),
    )
    config = ModelConfig(
        kind="detector",
        architecture="starter-detector",
        version=VERSION,
        settings={"longest": LONGEST, "threshold": 0.05, "overlap": 0.55},
        metrics=report.metrics,
    )
    write_model(folder, net.state_dict(), config, card.text(), half=True)


def two_losses(net: nn.Module, batch: Batch, parts_weight: float) -> Tensor:
    """Boxes, scores, and `parts_weight` times the cross-entropy of the parts where labelled."""
    pixels, boxes, weights, parts = batch
    images = pixels.float().contiguous(memory_format=torch.channels_last)
    logits, distances, part_logits = net(images)
    score_loss, box_loss = detection_loss(logits, distances, boxes, weights)
    known = (parts != IGNORED).sum().clamp(min=1)
    entropy = F.cross_entropy(part_logits, parts, ignore_index=IGNORED, reduction="sum") / known
    return score_loss + 2 * box_loss + parts_weight * entropy


def evaluate_boxes(net: nn.Module, photos: list[PersonsPhoto]) -> float:
    """AP50 on `photos` by the rule of `garmentloop evaluate people`; `net` is `TwoLessons`."""
    detector = TwoLessons()
    detector.load_state_dict(net.state_dict())
    folded = fold_batch_norms(detector.detector.eval())
    model = StarterDetector(folded, "training", "training", longest=LONGEST)
    images = []
    for photo in photos:
        truth = person_truth(photo)
        if truth is None:
            continue
        found = model.detect([truth.pixels])[0]
        images.append(ImageBoxes(found.boxes, found.scores, truth.wanted, truth.ignored))
    return average_precision(images)
