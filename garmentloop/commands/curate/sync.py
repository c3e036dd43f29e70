"""`garmentloop curate sync`."""

from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.curate.options import MongoOption, WhoOption
from garmentloop.console import err, out
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from curate.fiftyone.sync import SyncProgress


def sync(
    dataset: DatasetOption,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Delete both FiftyOne datasets and write them anew.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")
    ] = False,
    who: WhoOption = None,
    mongo: MongoOption = None,
) -> None:
    """Bring FiftyOne and the catalogue in step, in both directions.

    First what you tagged in FiftyOne (exclude, gold, bad crop, send to
    annotators) becomes decisions in the catalogue; then garments and photos
    that anything was said about since the last time are written to FiftyOne.
    Stopped or killed at any time, the next sync goes on from there.

    Examples:

      garmentloop curate sync --dataset datasets/mine
      garmentloop curate sync -d datasets/mine --dry-run
      garmentloop curate sync -d datasets/mine --rebuild
    """
    from curate.fiftyone.sync import sync as run
    from garmentloop.progress import follow_syncing
    from garments.dataset import Dataset

    data = Dataset.open(dataset)
    events = run(data, mongo=mongo, rebuild=rebuild, dry_run=dry_run, who=who)
    if end := follow_syncing(events, err):
        tell(end, dry_run)


def tell(end: "SyncProgress", dry_run: bool = False) -> None:
    """Print what came of a sync."""
    if end.read_back:
        out.print(f"From FiftyOne: {end.read_back}", markup=False)
    would = "would be: " if dry_run else ""
    out.print(f"To FiftyOne: {would}{end}", markup=False)
