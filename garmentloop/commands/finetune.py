"""`garmentloop finetune ...`: train a tagger, or the small models that ship as `starter`."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from garmentloop.commands.finetune_tagger import tagger
from garmentloop.console import err, out

if TYPE_CHECKING:
    from finetune.loop import Step

app = typer.Typer(
    no_args_is_help=True,
    help="""Train a tagger on what people corrected, or the models that ship as `starter`.

    Examples:

      garmentloop finetune tagger --dataset datasets/mine --release v1
      garmentloop finetune parser --data ../shared/data/ccp --out runs/parser
    """,
)
app.command()(tagger)

OutOption = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", help="Checkpoint, log and model go here.")
]
StreetOption = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Synthetic pictures to learn from as well.")
]
StepsOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Batches to learn from.")]
MinutesOption = Annotated[
    float | None,
    typer.Option(min=0.01, metavar="M", help="Stop sooner if this much time has passed."),
]
BatchOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Pictures in a batch.")]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Of all that is drawn by chance.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads of the training.")]
StartOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Learn on from this model of the recipe.")
]
RateOption = Annotated[
    float | None, typer.Option(min=1e-6, metavar="R", help="Learning rate at the beginning.")
]
CacheOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where the street is drawn; several trainings may share it."),
]


@app.command()
def detector(
    persons: Annotated[
        Path, typer.Option(metavar="DIR", help="Photos with boxes: datasets/recipes/persons.md.")
    ],
    parsed: Annotated[
        Path, typer.Option(metavar="DIR", help="Photos with label maps: datasets/recipes/ccp.md.")
    ],
    to: OutOption,
    start: StartOption = None,
    street: StreetOption = None,
    steps: StepsOption = None,
    minutes: MinutesOption = None,
    batch: BatchOption = None,
    rate: RateOption = None,
    seed: SeedOption = None,
    threads: ThreadsOption = None,
    cache: CacheOption = None,
) -> None:
    """Train the model that finds people. Stopped and run again, it goes on.

    Options that are left out are those of the recipe that `starter` was made
    by. Use what comes out with --detector dir:OUT/model

    Example:

      garmentloop finetune detector --out runs/detector \\
          --persons ../shared/data/persons --parsed ../shared/data/ccp
    """
    from finetune.detector import DetectorRecipe, train_detector

    recipe = DetectorRecipe(persons, parsed)
    schedule = _given(
        steps=steps, minutes=minutes, batch=batch, rate=rate, seed=seed, threads=threads
    )
    others = _given(street=street, start=start)
    recipe = replace(recipe, schedule=replace(recipe.schedule, **schedule), **others)
    _follow(train_detector(recipe, to, cache, _drawing), to)


@app.command()
def parser(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Photos with label maps: datasets/recipes/ccp.md.")
    ],
    to: OutOption,
    architecture: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="starter, or one of segmentation_models_pytorch."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(metavar="NAME", help="For architectures other than starter.")
    ] = None,
    side: Annotated[
        int | None, typer.Option(min=96, metavar="PX", help="Height of the person crops.")
    ] = None,
    start: StartOption = None,
    street: StreetOption = None,
    steps: StepsOption = None,
    minutes: MinutesOption = None,
    batch: BatchOption = None,
    rate: RateOption = None,
    seed: SeedOption = None,
    threads: ThreadsOption = None,
    cache: CacheOption = None,
) -> None:
    """Train the model that tells garments apart. Stopped and run again, it goes on.

    Options that are left out are those of the recipe that `starter` was made
    by. Use what comes out with --parser dir:OUT/model

    Examples:

      garmentloop finetune parser --data ../shared/data/ccp --out runs/parser
      garmentloop finetune parser --data ../shared/data/ccp --out runs/unet \\
          --architecture unet --encoder resnet50
    """
    from finetune.parser import ParserRecipe, train_parser

    recipe = ParserRecipe(data)
    schedule = _given(
        steps=steps, minutes=minutes, batch=batch, rate=rate, seed=seed, threads=threads
    )
    others = _given(
        street=street, architecture=architecture, encoder=encoder, start=start, side=side
    )
    recipe = replace(recipe, schedule=replace(recipe.schedule, **schedule), **others)
    _follow(train_parser(recipe, to, cache, _drawing), to)


@app.command()
def clip(
    products: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Shop photos: datasets/recipes/fashion_products.md."),
    ],
    parsed: Annotated[
        Path, typer.Option(metavar="DIR", help="Photos with label maps: datasets/recipes/ccp.md.")
    ],
    to: OutOption,
    start: StartOption = None,
    trunk: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Begin with the image tower of this tagger.")
    ] = None,
    backgrounds: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Photos to put behind products: persons.md.")
    ] = None,
    street: StreetOption = None,
    steps: StepsOption = None,
    minutes: MinutesOption = None,
    batch: BatchOption = None,
    rate: RateOption = None,
    seed: SeedOption = None,
    threads: ThreadsOption = None,
    cache: CacheOption = None,
) -> None:
    """Train the model that compares crops with words. Stopped and run again, it goes on.

    Options that are left out are those of the recipe that `starter` was made
    by. Use what comes out with --model dir:OUT/model

    Example:

      garmentloop finetune clip --out runs/clip \\
          --products ../shared/data/fashion_products --parsed ../shared/data/ccp

    A tower that has learnt to tell the products apart before it is given
    words (`garmentloop finetune tagger --data PRODUCTS --mode full --backbone
    timm:resnet10t --from-scratch --side 96 --out runs/tower`) knows more:
    --trunk runs/tower/model
    """
    from finetune.clip import ClipRecipe, train_clip

    recipe = ClipRecipe(products, parsed)
    schedule = _given(
        steps=steps, minutes=minutes, batch=batch, rate=rate, seed=seed, threads=threads
    )
    others = _given(street=street, start=start, trunk=trunk, backgrounds=backgrounds)
    recipe = replace(recipe, schedule=replace(recipe.schedule, **schedule), **others)
    _follow(train_clip(recipe, to, cache, _drawing), to)


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _drawing(done: int, total: int) -> None:
    if done == total or done % 100 == 0:
        err.print(f"drawn {done}/{total} pictures of the street", markup=False)


def _follow(steps: Iterable["Step"], to: Path) -> None:
    for step in steps:
        figures = "  ".join(f"{name} {value:.4f}" for name, value in step.metrics.items())
        at = f"step {step.step}/{step.steps}  {step.minutes:.1f} min"
        out.print(f"{at}  loss {step.loss:.4f}  {figures}", markup=False)
    out.print(f"Trained: {to / 'model'}", markup=False)
