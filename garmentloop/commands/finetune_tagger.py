"""`garmentloop finetune tagger`: a tagger from a release, or from a labelled folder."""

from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from garmentloop.commands.evaluate import Vocabulary
from garmentloop.commands.prelabel import Surroundings
from garmentloop.console import err, out
from garmentloop.options import DeviceOption
from garments.errors import BadSetting

if TYPE_CHECKING:
    from finetune.tagger.options import TrainingProgress


class Mode(StrEnum):
    """What is learnt beside the heads."""

    PROBE = "probe"
    LORA = "lora"
    FULL = "full"


class Seen(StrEnum):
    """Which features a probe is fitted to."""

    STAGES = "stages"
    POOLED = "pooled"


class Imbalance(StrEnum):
    """What is done about values that are rare."""

    NONE = "none"
    ADJUST = "adjust"
    WEIGHT = "weight"


class RatePlan(StrEnum):
    """How the learning rate falls."""

    COSINE = "cosine"
    PLATEAU = "plateau"


def tagger(
    dataset: Annotated[
        Path | None, typer.Option("--dataset", "-d", metavar="DIR", help="The data set's folder.")
    ] = None,
    release: Annotated[
        str | None, typer.Option(metavar="NAME", help="Release of the data set to learn from.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Instead: a labelled folder, such as a public set's."),
    ] = None,
    vocabulary: Annotated[
        Vocabulary, typer.Option(help="Of --data: its own columns, or the taxonomy's.")
    ] = Vocabulary.NATIVE,
    to: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Of --data: what comes out.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the model; left out: the next v1, v2 ...")
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(metavar="REF", help="starter, hf:, openclip:, timm:NAME or dir:PATH."),
    ] = None,
    mode: Annotated[
        Mode, typer.Option(help="Learn the heads, also low-rank changes, or all weights.")
    ] = Mode.PROBE,
    attributes: Annotated[
        str | None, typer.Option(metavar="LIST", help="Which, such as category,color.")
    ] = None,
    side: Annotated[
        int | None, typer.Option(min=32, metavar="PX", help="Another input side than its own.")
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Random weights in a timm: backbone.")
    ] = False,
    imbalance: Annotated[
        Imbalance, typer.Option(help="adjust logits by how frequent values are, or weight them.")
    ] = Imbalance.NONE,
    soft: Annotated[
        bool, typer.Option("--soft", help="Learn from the shares of annotators' answers.")
    ] = False,
    background: Annotated[
        Surroundings, typer.Option(help="What is shown beside the garment.")
    ] = Surroundings.GREY,
    epochs: Annotated[int | None, typer.Option(min=1, metavar="N", help="At most.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, metavar="M", help="Stop sooner after this long.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, metavar="N", help="Crops in a batch.")] = None,
    rate: Annotated[
        float | None, typer.Option(min=1e-8, metavar="R", help="Learning rate at the beginning.")
    ] = None,
    plan: Annotated[
        RatePlan, typer.Option(help="How the rate falls: by a cosine, or where progress stops.")
    ] = RatePlan.COSINE,
    patience: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Epochs without progress before it ends.")
    ] = None,
    features: Annotated[
        Seen, typer.Option(help="Of a probe: what all stages of the backbone see, or the last.")
    ] = Seen.STAGES,
    words: Annotated[
        bool, typer.Option(help="Of a probe: begin with what the backbone says zero-shot.")
    ] = True,
    heads_first: Annotated[
        bool, typer.Option(help="Of lora and full: begin with the heads of a probe.")
    ] = True,
    mirror: Annotated[
        bool, typer.Option(help="Look at mirror images too: righter, and half as fast.")
    ] = True,
    rank: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Of low-rank changes.")
    ] = None,
    mix: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, metavar="P", help="Share of batches that show two pictures as one."
        ),
    ] = None,
    drop_path: Annotated[
        float | None,
        typer.Option(min=0, max=0.9, metavar="P", help="How often the last block is skipped."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of all that is drawn by chance.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads of the training.")] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Of lora and full: share each batch.")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Train a tagger on what people corrected. Stopped and run again, it goes on.

    probe fits the heads to what a backbone sees and takes a minute; lora and
    full also change the backbone, in hours without a GPU. The model lies in
    DIR/models/tagger/NAME and is called model:NAME. Nothing that is in force
    changes: `garmentloop evaluate tagger` measures it on the frozen test split,
    `garmentloop promote` puts it in force where it is better.

    With --data it learns the split train of a labelled folder, for a
    benchmark or a tagger without a data set; use what comes out as dir:OUT/model

    With --processes, or under your own torchrun or accelerate launch, several
    processes share each batch: one a GPU, or one a core without.

    TensorBoard: tensorboard --logdir DIR/run/training

    Examples:

      garmentloop finetune tagger -d datasets/mine --release v1
      garmentloop finetune tagger -d datasets/mine --release v1 --mode full \\
          --backbone hf:patrickjohncyh/fashion-clip
      garmentloop finetune tagger --data downloads/clothing --mode full \\
          --out runs/clothing
    """
    from finetune.tagger.options import Recipe
    from garmentloop.several import is_one_of_several, run_again_as

    if processes and processes > 1 and not is_one_of_several():
        raise typer.Exit(run_again_as(processes))
    recipe = Recipe(
        mode=mode.value,
        background=background.value,
        imbalance=imbalance.value,
        plan=plan.value,
        features=features.value,
        from_scratch=from_scratch,
        soft=soft,
        words=words,
        heads_first=heads_first,
        mirror=mirror,
        **_given(
            backbone=backbone, side=side, epochs=epochs, minutes=minutes, batch=batch, rate=rate,
            patience=patience, rank=rank, mix=mix, drop_path=drop_path, seed=seed, threads=threads,
        ),
    )  # fmt: skip
    asked = tuple(attributes.replace(" ", "").split(",")) if attributes else None
    if data is not None:
        from finetune.tagger.train import finetune_folder

        _expect(dataset is None and release is None and to is not None, "--data DIR --out DIR")
        assert to is not None
        events = finetune_folder(data, to, vocabulary.value, recipe, asked, device)
    else:
        from finetune.tagger.options import TaggerOptions
        from finetune.tagger.train import finetune_tagger
        from garments.dataset import Dataset

        _expect(dataset is not None and release is not None, "--dataset DIR --release NAME")
        assert dataset is not None and release is not None
        options = TaggerOptions(release, name, asked, recipe, device)
        events = finetune_tagger(Dataset.open(dataset), options)
    follow(events)


def follow(events: "Iterator[TrainingProgress]") -> "TrainingProgress | None":
    """Show a training as it goes; its last event."""
    from garmentloop.several import is_silent
    from garmentloop.training_progress import follow_training

    if is_silent():
        return next(iter(deque(events, maxlen=1)), None)
    last = follow_training(events, err)
    if last and last.folder:
        for line in _figures(last.metrics):
            out.print(line, markup=False)
        out.print(
            f"Trained in {last.minutes:.1f} min: {last.reference} ({last.folder})", markup=False
        )
    return last


def _figures(metrics: Any) -> Iterator[str]:
    """A line for each attribute, of what was held out."""
    for name in (key.removesuffix("_n") for key in metrics if key.endswith("_n")):
        yield (
            f"{name}: accuracy {metrics[f'{name}_accuracy']:.3f}, weighted F1 "
            f"{metrics[f'{name}_weighted_f1']:.3f}, ECE {metrics[f'{name}_ece']:.3f} "
            f"(held out, n = {metrics[f'{name}_n']:,})"
        )


def _expect(right: bool, asked: str) -> None:
    if not right:
        raise BadSetting(
            f"expected {asked}, but got another combination; either a data set's release or a "
            "labelled folder is learnt from"
        )


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
