"""`garmentloop evaluate ...`: figures measured on labelled photos."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from garmentloop.console import err, out, table
from garmentloop.options import DetectorOption, DeviceOption, JsonFile, LimitOption, ParserOption

app = typer.Typer(
    no_args_is_help=True,
    help="""Measure the models on labelled photos.

    Example:

      garmentloop evaluate extract --data ../shared/data/ccp
    """,
)

SplitOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which photos; left out: val where there is one, else all."),
]


@app.command()
def extract(
    data: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder with photos, labels.csv, label maps, splits."),
    ],
    split: SplitOption = None,
    detector: DetectorOption = None,
    parser: ParserOption = None,
    device: DeviceOption = "auto",
    limit: LimitOption = None,
    json_file: JsonFile = None,
) -> None:
    """How well garments are parsed and found, against pixel labels.

    DIR is laid out as datasets/recipes/ccp.md says; `garmentloop street`
    writes such folders too.

    Examples:

      garmentloop evaluate extract --data ../shared/data/ccp
      garmentloop evaluate extract --data runs/street --json figures.json
    """
    from extract.evaluate import evaluate_extract

    with err.status("evaluating") as status:
        figures = evaluate_extract(
            data,
            split=split,
            detector=detector or "starter",
            parser=parser or "starter",
            device=device,
            limit=limit,
            tell=lambda done, total: status.update(f"{done}/{total} photos"),
        )
    _tell(figures, f"{data}", json_file)


@app.command()
def people(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with images, images.csv and boxes.csv.")
    ],
    split: SplitOption = None,
    detector: DetectorOption = None,
    parser: ParserOption = None,
    device: DeviceOption = "auto",
    limit: LimitOption = None,
    json_file: JsonFile = None,
) -> None:
    """How well people are found, and the right ones accepted, against labelled boxes.

    DIR is laid out as datasets/recipes/persons.md says; `garmentloop street`
    writes such folders too.

    Examples:

      garmentloop evaluate people --data ../shared/data/persons
      garmentloop evaluate people --data runs/street --detector dir:runs/detector
    """
    from extract.evaluate_people import evaluate_people

    with err.status("evaluating") as status:
        figures = evaluate_people(
            data,
            split=split,
            detector=detector or "starter",
            parser=parser or "starter",
            device=device,
            limit=limit,
            tell=lambda done, total: status.update(f"{done}/{total} photos"),
        )
    _tell(figures, f"{data}", json_file)


def _tell(figures: Mapping[str, float | int], on: str, json_file: Path | None) -> None:
    table(("figure", "value"), figures.items(), title=f"Measured on {on}")
    if json_file:
        json_file.write_text(json.dumps(dict(figures), indent=2) + "\n", encoding="utf-8")
        out.print(f"Written to {json_file}", markup=False)
