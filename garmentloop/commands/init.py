"""`garmentloop init`."""

from pathlib import Path
from typing import Annotated

import typer

from garmentloop.console import out
from garmentloop.options import DetectorOption, ParserOption


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new data set.")],
    models: Annotated[
        str, typer.Option(metavar="REF", help="Which models find people and parse them.")
    ] = "starter",
    detector: DetectorOption = None,
    parser: ParserOption = None,
    name: Annotated[
        str | None, typer.Option(help="Its name, where it is not the folder's.")
    ] = None,
) -> None:
    """Make a data set: a folder with its settings, its taxonomy and an empty catalogue.

    Settings are in DIR/dataset.toml, the words that garments are described
    with in DIR/taxonomy.toml. Look at both before you extract.

    Examples:

      garmentloop init datasets/mine
      garmentloop init datasets/shop --name "Spring catalogue"
      garmentloop init datasets/fine --detector hf:facebook/detr-resnet-50
    """
    from garments.dataset import Dataset
    from garments.references import Reference
    from garments.settings import ModelSettings, Settings

    wanted = ModelSettings(detector=detector or models, parser=parser or models)
    for reference in (wanted.detector, wanted.parser):
        Reference.parse(reference)
    settings = Settings(name=name or folder.resolve().name, models=wanted)
    Dataset.create(folder, settings)
    out.print(f"Made data set {settings.name} in {folder}", markup=False)
    out.print(f"Next: garmentloop extract PHOTOS --dataset {folder}", markup=False)
