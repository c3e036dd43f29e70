"""`garmentloop finetune ...`: train the small models that extraction uses."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out

if TYPE_CHECKING:
    from finetune.loop import Step

app = typer.Typer(
    no_args_is_help=True,
    help="""Train the small models that ship as `starter`, or your own in their place.

    Example:

      garmentloop finetune parser --data ../shared/data/ccp --out runs/parser
    """,
)

OutOption = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", help="Checkpoint, log and model go here.")
]
StreetOption = Annotated[
    int, typer.Option(min=0, metavar="N", help="Synthetic pictures that are drawn to learn from.")
]
StepsOption = Annotated[int, typer.Option(min=1, metavar="N", help="Batches to learn from.")]
MinutesOption = Annotated[
    float, typer.Option(min=0.01, metavar="M", help="Stop sooner if this much time has passed.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Of all that is drawn by chance.")]
CacheOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where the street is drawn; several trainings may share it."),
]
ThreadsOption = Annotated[int, typer.Option(min=1, help="CPU threads of the training.")]


@app.command()
def detector(
    persons: Annotated[
        Path, typer.Option(metavar="DIR", help="Photos with boxes: datasets/recipes/persons.md.")
    ],
    parsed: Annotated[
        Path, typer.Option(metavar="DIR", help="Photos with label maps: datasets/recipes/ccp.md.")
    ],
    to: OutOption,
    street: StreetOption = 2500,
    steps: StepsOption = 9000,
    minutes: MinutesOption = 70.0,
    seed: SeedOption = 0,
    threads: ThreadsOption = 1,
    cache: CacheOption = None,
) -> None:
    """Train the model that finds people. Stopped and run again, it goes on.

    Use what comes out with --detector dir:OUT/model

    Example:

      garmentloop finetune detector --out runs/detector \\
          --persons ../shared/data/persons --parsed ../shared/data/ccp
    """
    from finetune.detector import DetectorRecipe, train_detector
    from finetune.loop import Schedule

    schedule = Schedule(steps=steps, minutes=minutes, batch=12, seed=seed, threads=threads)
    recipe = DetectorRecipe(persons, parsed, street=street, schedule=schedule)
    _follow(train_detector(recipe, to, cache, _drawing), to)


@app.command()
def parser(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Photos with label maps: datasets/recipes/ccp.md.")
    ],
    to: OutOption,
    street: StreetOption = 3000,
    steps: StepsOption = 9000,
    minutes: MinutesOption = 70.0,
    seed: SeedOption = 0,
    threads: ThreadsOption = 1,
    cache: CacheOption = None,
) -> None:
    """Train the model that tells garments apart. Stopped and run again, it goes on.

    Use what comes out with --parser dir:OUT/model

    Example:

      garmentloop finetune parser --data ../shared/data/ccp --out runs/parser
    """
    from finetune.loop import Schedule
    from finetune.parser import ParserRecipe, train_parser

    schedule = Schedule(steps=steps, minutes=minutes, seed=seed, threads=threads)
    recipe = ParserRecipe(data, street=street, schedule=schedule)
    _follow(train_parser(recipe, to, cache, _drawing), to)


def _drawing(done: int, total: int) -> None:
    if done == total or done % 100 == 0:
        err.print(f"drawn {done}/{total} pictures of the street", markup=False)


def _follow(steps: Iterable["Step"], to: Path) -> None:
    for step in steps:
        figures = "  ".join(f"{name} {value:.4f}" for name, value in step.metrics.items())
        at = f"step {step.step}/{step.steps}  {step.minutes:.1f} min"
        out.print(f"{at}  loss {step.loss:.4f}  {figures}", markup=False)
    out.print(f"Trained: {to / 'model'}", markup=False)
