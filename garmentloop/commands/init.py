"""`garmentloop init`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out
from garmentloop.options import DetectorOption, ParserOption, TaggerOption

if TYPE_CHECKING:
    from garmentloop.choice import Choice


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new data set.")],
    models: Annotated[
        str | None,
        typer.Option(
            metavar="real|starter",
            help="All models at once: the large ones of the hub, or the small ones that ship. "
            "Left out: asks where the hub answers, else starter.",
        ),
    ] = None,
    detector: DetectorOption = None,
    parser: ParserOption = None,
    tagger: TaggerOption = None,
    name: Annotated[
        str | None, typer.Option(help="Its name, where it is not the folder's.")
    ] = None,
) -> None:
    """Make a data set: a folder with its settings, its taxonomy and an empty catalogue.

    Settings are in DIR/dataset.toml, the words that garments are described
    with in DIR/taxonomy.toml. Look at both before you extract.

    `--models real` sets DETR, SegFormer and Fashion-CLIP, which are fetched
    from the model hub when they are first used: 0.9 GB.

    Examples:

      garmentloop init datasets/mine
      garmentloop init datasets/shop --name "Spring catalogue" --models real
      garmentloop init datasets/fine --detector hf:facebook/detr-resnet-50
    """
    from garments.dataset import Dataset
    from garments.references import Reference
    from garments.settings import ModelSettings, Settings

    single = {"detector": detector, "parser": parser, "tagger": tagger}
    own = {role: reference for role, reference in single.items() if reference}
    for reference in own.values():
        Reference.parse(reference)
    Dataset.expect_new(folder)  # before anybody is asked anything
    choice = _choice(models, asks=not own)
    settings = Settings(
        name=name or folder.resolve().name, models=ModelSettings(**{**choice.models, **own})
    )
    Dataset.create(folder, settings)
    out.print(f"Made data set {settings.name} in {folder}", markup=False)
    if choice.why:
        out.print(choice.why, markup=False)
    out.print(f"Next: garmentloop extract PHOTOS --dataset {folder}", markup=False)


def _choice(models: str | None, asks: bool) -> "Choice":
    """What `--models` says; a user who names no model at all is asked."""
    from garmentloop.choice import STARTER, chosen, named

    if models is not None or not asks:
        return named(models or STARTER)
    return chosen(
        sys.stdin.isatty(), _hub_answers, lambda question: typer.confirm(question, err=True)
    )


def _hub_answers() -> bool:
    from garmentloop.doctor import HUB_SECONDS, check_hub
    from garmentloop.machine import hub_answers

    with err.status("looking whether the model hub answers"):
        return check_hub(lambda: hub_answers(HUB_SECONDS / 2)).level == "ok"
