"""Training of the starter parser."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from extract.base import CROP_SIZE
from finetune.card import CCP_LICENCE, STREET_LICENCE, Card, recipe_lines, started_from
from finetune.loop import Batch, Schedule, Step, Task, fast_precision, train
from finetune.parser_data import (
    Example,
    ParserBatches,
    fine_count,
    fixed,
    parsed_examples,
    street_examples,
)
from finetune.parser_nets import STARTER, TwoVocabularies, build_parser, save_net
from finetune.parser_weak import weak_examples
from finetune.street_cache import street_pictures
from garments.errors import BadInput, BadSetting
from garments.metrics import confusion_matrix, iou_per_class
from garments.parts import GARMENT_REGIONS, IGNORED, PART_INDEX, PARTS
from garments.sets.ccp import read_ccp

CLASS_WEIGHTS = {"whole": 1.3, "feet": 1.3, "accessories": 1.6}
"""Cross-entropy weights of parts that are rare in pixels; 1 for the others."""


@dataclass(frozen=True)
class ParserRecipe:
    """What the parser learns from, and which net learns.

    `data` is laid out as CCP. `street` counts synthetic pictures, whose people make up
    `street_share` of the batches, as photos of `data` with tags alone make up `weak_share`. `fine`
    is what the set's own, finer labels count beside the parts. `encoder` is for architectures other
    than `starter`. `start` is an earlier model of this recipe whose weights are learnt on from.
    `side` is that of the person crops in pixels, a multiple of 32.
    """

    data: Path
    street: int = 2000
    street_share: float = 0.2
    weak_share: float = 0.12
    dice: float = 0.6
    fine: float = 0.3
    architecture: str = STARTER
    encoder: str = "resnet50"
    start: Path | None = None
    side: int = CROP_SIZE
    schedule: Schedule = field(default_factory=lambda: Schedule(steps=8000, minutes=62))

    def __post_init__(self) -> None:
        if self.side < 96 or self.side % 32:
            raise BadSetting(
                f"expected a side of at least 96 that 32 divides, but got {self.side}; "
                f"{CROP_SIZE} is what `starter` was made with"
            )


def train_parser(
    recipe: ParserRecipe,
    out: Path,
    cache: Path | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Step]:
    """Train on `recipe.data`'s train split and the street; yields reports, then writes the model.

    `out` gets checkpoint, log and `model/`. The street is drawn into `cache` (default
    `out/cache`), which several trainings may share; `tell(done, total)` reports it.
    """
    photos = read_ccp(recipe.data, "train")
    examples = list(parsed_examples(photos, recipe.side))
    held_out = list(parsed_examples(read_ccp(recipe.data, "val"), recipe.side))
    if not examples or not held_out:
        raise BadInput(
            f"expected photos of the splits train and val in {recipe.data}, but found "
            f"{len(examples)} and {len(held_out)}; see datasets/README.md for the layout"
        )
    weak = list(weak_examples(recipe.data, recipe.side)) if recipe.weak_share else []
    sources = [(1.0 - recipe.street_share - recipe.weak_share, examples)]
    if weak:
        sources.append((recipe.weak_share, weak))
    if recipe.street:
        drawn = street_pictures(recipe.street, cache or out / "cache", tell=tell)
        sources.append((recipe.street_share, list(street_examples(drawn, recipe.side))))
    torch.manual_seed(recipe.schedule.seed)
    net = TwoVocabularies(
        build_parser(recipe.architecture, recipe.encoder, recipe.start, recipe.side),
        fine_count(photos) if recipe.fine else 0,
    )
    task = Task(
        net=net,
        batch=ParserBatches(sources, recipe.schedule.batch, recipe.side),
        loss=lambda model, batch: parser_loss(model, batch, recipe),
        evaluate=lambda model: evaluate_crops(model, held_out, recipe.side),
    )
    names = {"data": recipe.data.name, "start": started_from(recipe.start)}
    settings = {**asdict(recipe), **names, "schedule": None}
    for report in train(task, recipe.schedule, out, settings):
        yield report
    save_parser(out / "model", net.parser, recipe, report)


def save_parser(folder: Path, net: nn.Module, recipe: ParserRecipe, report: Step) -> None:
    """Write the model folder that `extract` loads, in float16, with its card."""
    card = Card(
        title=f"Garment parser ({recipe.architecture})",
        summary=(
            "Tells the parts of a dressed person apart on a "
            f"{recipe.side} px person crop: {', '.join(PARTS)}. "
            f"{sum(p.numel() for p in net.parameters()) / 1e6:.1f} million parameters, trained "
            "from random weights."
        ),
        data=(CCP_LICENCE, f"{STREET_LICENCE}: {recipe.street} pictures"),
        recipe=recipe_lines("parser", recipe.schedule, report, recipe.start is not None),
        figures=report.metrics,
        figures_note=(
            f"On the val split of `{recipe.data.name}`, person crops by true boxes, at "
            f"{recipe.side // 2} px. "
            "End to end on whole photos: `garmentloop evaluate extract`."
        ),
        limits=(
            "Learned from street-style photos of mostly women in Western clothes, one full body "
            "each; half bodies, children, other dress and other cameras are known from synthetic "
            "pictures at best.",
            "Dresses and small accessories are its weakest parts.",
            "It says where garments are, not who wears them: do not use it to identify or judge "
            "people.",
        ),
    )
    save_net(folder, net, card.text(), report, recipe.side)


def parser_loss(net: nn.Module, batch: Batch, recipe: ParserRecipe) -> Tensor:
    """Weighted cross-entropy plus `dice` times one minus the garments' Dice over the batch.

    And `fine` times the cross-entropy of the set's own labels, where there are such.

    Dice is pooled over the batch, as the metric pools over the set (Milletari et al., 2016,
    arXiv 1606.04797); it lifts the parts that have few pixels.
    """
    pixels, labels, fine = batch
    images = pixels.float().contiguous(memory_format=torch.channels_last)
    logits, fine_logits = net(images)
    logits = logits.float()
    weights = torch.tensor([CLASS_WEIGHTS.get(part, 1.0) for part in PARTS])
    entropy = F.cross_entropy(logits, labels, weights, ignore_index=IGNORED)
    loss = entropy + recipe.dice * _dice_loss(logits, labels)
    known = int((fine != IGNORED).sum())
    if fine_logits is None or not known:
        return loss
    told = F.cross_entropy(fine_logits.float(), fine, ignore_index=IGNORED)
    return loss + recipe.fine * told * known / fine.numel()


def _dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    known = (labels != IGNORED)[:, None]
    probabilities = logits.softmax(dim=1) * known
    truth = F.one_hot(labels.where(known[:, 0], 0), len(PARTS)).permute(0, 3, 1, 2) * known
    rows = [PART_INDEX[region] for region in GARMENT_REGIONS]
    common = (probabilities * truth).sum(dim=(0, 2, 3))[rows]
    both = (probabilities + truth).sum(dim=(0, 2, 3))[rows]
    present = truth.sum(dim=(0, 2, 3))[rows] > 0
    score = (2 * common + 1) / (both + 1)
    return 1 - score[present].mean() if present.any() else logits.sum() * 0


@torch.inference_mode()
def evaluate_crops(
    net: nn.Module, examples: list[Example], side: int = CROP_SIZE
) -> dict[str, float]:
    """Mean IoU of the five regions and pixel accuracy on crops by true boxes, at stride 2.

    `net` is a `TwoVocabularies`; `pixel_accuracy_fine` is that over the set's own labels.
    """
    confusion = np.zeros((len(PARTS), len(PARTS)), np.int64)
    right = known = 0
    for example in examples:
        pixels, labels, fine = fixed(example, example.canvas_width(side), side)
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
        with fast_precision():
            logits, fine_logits = net(image.contiguous(memory_format=torch.channels_last))
        predicted = logits.argmax(dim=1)[0].numpy()
        confusion += confusion_matrix(labels, predicted, len(PARTS))
        if fine_logits is not None:
            right += int((fine_logits.argmax(dim=1)[0].numpy() == fine).sum())
            known += int((fine != IGNORED).sum())
    ious = iou_per_class(confusion)
    rows = [PART_INDEX[region] for region in GARMENT_REGIONS]
    figures = {
        f"iou_{region}": float(ious[row]) for region, row in zip(GARMENT_REGIONS, rows, strict=True)
    }
    figures["miou5"] = float(np.nanmean(ious[rows]))
    figures["pixel_accuracy"] = float(np.diag(confusion).sum() / max(1, confusion.sum()))
    if known:
        figures["pixel_accuracy_fine"] = right / known
    return figures
