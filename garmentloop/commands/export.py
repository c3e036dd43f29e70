"""`garmentloop export`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from garmentloop.console import err
from garmentloop.options import DatasetOption


class Export(StrEnum):
    """What can be exported."""

    PHOTOS = "photos"
    PEOPLE = "people"
    GARMENTS = "garments"
    PROPOSALS = "proposals"
    LABELS = "labels"
    TRUTH = "truth"


def export(
    table: Annotated[Export, typer.Argument(metavar="TABLE", help=", ".join(Export))],
    dataset: DatasetOption,
    to: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Ends in .csv, .parquet or .jsonl.")
    ],
) -> None:
    """Write a table of the data set as CSV, Parquet or JSON lines.

    Boxes are x1 y1 x2 y2 in pixels of the upright photo. `labels` are people's
    words as stored; `truth` is what holds now for each garment and attribute,
    and where that comes from.

    Examples:

      garmentloop export garments --dataset datasets/mine --out garments.csv
      garmentloop export photos -d datasets/mine -o photos.parquet
    """
    from garments.dataset import Dataset
    from garments.export import export_table

    count = export_table(Dataset.open(dataset), table.value, to)
    err.print(f"{count:,} rows of {table.value} in {to}", markup=False)
