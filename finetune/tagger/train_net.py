"""Training a network's own weights: all of them, or low-rank changes; resumable."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PrinterCallback,
    TrainingArguments,
    set_seed,
)
from transformers.integrations.integration_utils import TensorBoardCallback

from annotate.finetuned.layout import Layout
from annotate.finetuned.net import TaggerNet
from finetune.tagger.adapt import skip_blocks, with_low_rank
from finetune.tagger.calibrated import calibrated, mean_accuracy
from finetune.tagger.claim import TENSORBOARD
from finetune.tagger.losses import Loss
from finetune.tagger.options import Recipe
from finetune.tagger.processes import Team, team
from finetune.tagger.shown import Shown, collated
from finetune.tagger.targets import Targets
from finetune.tagger.trainer import WHOLE, Clock, Following, TaggerTrainer, Tell
from garments.errors import ModelError
from garments.taxonomy import Taxonomy

CHECKPOINTS = "checkpoints"

TIE = 1e-4
"""What the loss counts beside the accuracy: it decides between equals."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The network with the best averaged weights, and its logits (M, L) on what was held out."""

    net: TaggerNet
    logits: NDArray[np.float32]
    epochs: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learnt, and how it is measured.

    `learn` is shown otherwise each epoch, `held_out` as at inference and may be empty.
    """

    taxonomy: Taxonomy
    layout: Layout
    learn: Shown
    held_out: Shown
    held_out_targets: Targets
    loss: Loss
    recipe: Recipe
    device: str


def train_net(net: TaggerNet, lesson: Lesson, scratch: Path, tell: Tell) -> Trained:
    """Train `net`, with checkpoints in `scratch`; run again after a kill, it goes on from there.

    Raises `ModelError` for a loss that is no number and for a checkpoint that is damaged.
    """
    recipe, out, us = lesson.recipe, scratch / CHECKPOINTS, team()
    set_seed(recipe.seed)
    if lesson.device == "cpu":
        torch.set_num_threads(1 if recipe.threads > 1 else recipe.threads)
    if recipe.mode == "lora":
        net.backbone = with_low_rank(net.backbone, recipe)
    if recipe.drop_path:
        skip_blocks(net.backbone, recipe.drop_path)
    spent = Clock(out / "seconds")
    following = Following(lesson.learn, tell, recipe.minutes and 60 * recipe.minutes, spent)
    trainer = TaggerTrainer(
        net.to(memory_format=torch.channels_last),
        lesson.loss,
        recipe,
        args=_arguments(lesson, out),
        train_dataset=lesson.learn,
        eval_dataset=lesson.held_out if len(lesson.held_out) else None,
        data_collator=collated,
        compute_metrics=lambda said: _figures(lesson, said),
        callbacks=[following, *_curves(scratch, us), *_stopping(lesson)],
    )
    following.trainer = trainer
    trainer.remove_callback(PrinterCallback)  # we tell by ourselves
    newest = us.agreed(newest_checkpoint(out) if us.first else None)
    if us.rank:  # else all would drop the same units
        torch.manual_seed(recipe.seed + us.rank)
    try:
        if newest:
            trainer.load_average(newest)
        trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    except Exception as error:  # torch, pickle and safetensors each have their own
        if newest is None or following.begun:
            raise
        raise ModelError(
            f"expected to go on from {newest}, but it is damaged ({error}); delete that folder to "
            "go on from the one before, or the whole of its parent to begin again. The model in "
            "force is untouched"
        ) from error
    return _result(trainer, lesson, out, spent())


def newest_checkpoint(out: Path) -> Path | None:
    """The newest whole checkpoint; those that were being written are cleared away."""
    found = sorted(out.glob("checkpoint-*"), key=lambda path: int(path.name.partition("-")[2]))
    for path in found:
        if not (path / WHOLE).exists():
            shutil.rmtree(path, ignore_errors=True)
    return next((path for path in reversed(found) if path.exists()), None)


def _result(trainer: TaggerTrainer, lesson: Lesson, out: Path, seconds: float) -> Trained:
    """The average of the best epoch, low-rank changes worked into the weights."""
    best = out / f"checkpoint-{trainer.state.best_global_step}"
    if (best / WHOLE).exists():
        trainer.load_average(best)
    logits: NDArray[np.float32] = np.zeros((0, lesson.layout.size), np.float32)
    if len(lesson.held_out):
        logits = np.array(trainer.predict(lesson.held_out).predictions, np.float32)
    net = trainer.average.cpu()
    if lesson.recipe.mode == "lora":
        merged: Any = net.backbone
        net.backbone = merged.merge_and_unload()
    return Trained(net.eval(), logits, float(trainer.state.epoch or 0), seconds)


def _arguments(lesson: Lesson, out: Path) -> TrainingArguments:
    recipe, measured = lesson.recipe, len(lesson.held_out) > 0
    cuda = lesson.device.startswith("cuda")
    plateau = recipe.plan == "plateau" and measured
    return TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=team().share_of(recipe.batch),
        per_device_eval_batch_size=team().share_of(recipe.batch),
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.first_rate,
        weight_decay=recipe.weight_decay,
        warmup_steps=0.03,
        max_grad_norm=5.0,
        lr_scheduler_type="reduce_lr_on_plateau" if plateau else "cosine",
        lr_scheduler_kwargs={"mode": "max", "factor": 1 / 3, "patience": 2} if plateau else None,
        eval_strategy="epoch" if measured else "no",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=False,
        metric_for_best_model="score" if measured else None,
        greater_is_better=True if measured else None,
        logging_steps=10,
        logging_nan_inf_filter=False,
        report_to=[],
        disable_tqdm=True,
        log_level="error",
        seed=recipe.seed,
        data_seed=recipe.seed,
        use_cpu=lesson.device == "cpu",
        bf16=cuda and torch.cuda.is_bf16_supported(),
        dataloader_num_workers=4 if cuda else 0,
        remove_unused_columns=False,
        label_names=["labels"],
    )


def _curves(scratch: Path, us: Team) -> list[Any]:
    """TensorBoard's, written by one process."""
    if not us.first:
        return []
    writer = SummaryWriter(str(scratch / TENSORBOARD))
    return [TensorBoardCallback(writer)]  # type: ignore[no-untyped-call]


def _stopping(lesson: Lesson) -> list[Any]:
    if not len(lesson.held_out):
        return []
    return [EarlyStoppingCallback(early_stopping_patience=lesson.recipe.patience)]


def _figures(lesson: Lesson, said: EvalPrediction) -> dict[str, float]:
    """Mean accuracy over attributes, each one's accuracy and weighted F1, and the score.

    What is best is chosen by the score, which is the accuracy, between equals the loss: the loss by
    itself rises with sureness, which calibration mends, while accuracy still grows.
    """
    size, logits = lesson.layout.size, np.asarray(said.predictions, np.float32)
    _, figures = calibrated(
        lesson.taxonomy, lesson.layout, logits, lesson.held_out_targets, precision=0.9
    )
    assert logits.shape[1] == size
    kept = {k: v for k, v in figures.items() if k.endswith(("_accuracy", "_weighted_f1"))}
    found = mean_accuracy(figures, lesson.layout)
    truth = lesson.held_out_targets
    arrays = (logits, truth.values, truth.known, truth.allowed)
    loss = float(lesson.loss(*(torch.from_numpy(one) for one in arrays)))
    score = (0.0 if np.isnan(found) else found) - TIE * loss
    return {"accuracy": found, "score": score, **kept}
