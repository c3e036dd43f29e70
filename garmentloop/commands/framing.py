"""`garmentloop framing ...`: which people show enough of an outfit."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out, table

if TYPE_CHECKING:
    from extract.framing_fit import VerdictScore

app = typer.Typer(
    no_args_is_help=True,
    help="""Find the limits by which people are accepted or turned down.

    Example:

      garmentloop framing fit ../shared/data/persons/images.csv
    """,
)


@app.callback()
def framing() -> None:
    """Keep `fit` a subcommand while it is the only one."""


@app.command()
def fit(
    labelled: Annotated[
        Path, typer.Argument(metavar="LABELLED.csv", help="Boxes with their verdicts.")
    ],
    write: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Put the limits into this data set's settings."),
    ] = None,
    street: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Synthetic pictures whose too_small and too_close count too."
        ),
    ] = 400,
) -> None:
    """Find limits from labelled boxes; print precision and recall of every verdict.

    Limits are fitted to the boxes of the split train and measured on the
    others. The layout of LABELLED.csv is in datasets/recipes/persons.md.

    Examples:

      garmentloop framing fit ../shared/data/persons/images.csv
      garmentloop framing fit boxes.csv --street 0 --write datasets/mine
    """
    from extract.framing_fit import fit as fit_limits
    from extract.framing_fit import read_labelled, street_boxes
    from garments.dataset import Dataset
    from garments.settings import section_toml

    dataset = Dataset.open(write) if write else None
    boxes = read_labelled(labelled)
    with err.status("drawing the street"):
        boxes += street_boxes(street)
    with err.status(f"fitting to {len(boxes)} boxes"):
        found = fit_limits(boxes)
    out.print(section_toml("framing", found.limits), markup=False)
    _tell("fitted to", found.fitted)
    _tell("held out", found.held_out)
    _tell("held out, with the limits of before", found.held_out_before)
    if dataset and write:
        limits = found.limits.model_dump()
        dataset.change({f"framing.{key}": value for key, value in limits.items()})
        out.print(f"Written to {write / 'dataset.toml'}", markup=False)


def _tell(title: str, scores: Sequence["VerdictScore"]) -> None:
    if not scores:
        return
    rows = [
        (
            score.verdict,
            score.precision,
            _interval(score.precision_interval),
            score.recall,
            _interval(score.recall_interval),
            score.wanted,
        )
        for score in scores
    ]
    out.print()
    table(("verdict", "precision", "95 %", "recall", "95 %", "boxes"), rows, title=title)


def _interval(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.2f}-{bounds[1]:.2f}"
