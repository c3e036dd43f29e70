"""`garmentloop street`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from garmentloop.console import err, out


class Look(StrEnum):
    """Which wardrobe and scenery the street is drawn from."""

    TRAIN = "train"
    UNSEEN = "unseen"


def street(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to.")],
    count: Annotated[int, typer.Option(min=1, metavar="N", help="How many pictures.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same pictures.")] = 0,
    look: Annotated[
        Look, typer.Option(help="unseen: fabrics and places that no training was given.")
    ] = Look.TRAIN,
) -> None:
    """Draw pictures of dressed people, with the full truth beside them.

    The truth is written as label maps and boxes, which `evaluate extract` and
    `evaluate people` read.

    Examples:

      garmentloop street runs/street --count 200
      garmentloop street runs/unseen --count 50 --look unseen
    """
    from garments.synthetic import write_street

    with err.status("drawing") as status:
        for done in write_street(folder, count, seed, look.value):
            status.update(f"{done}/{count} pictures")
    out.print(f"{count} pictures with their truth in {folder}", markup=False)
