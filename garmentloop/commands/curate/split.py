"""`garmentloop curate split`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out, table
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from curate.split.make import Split


def split(
    dataset: DatasetOption,
    version: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Left out: the next free split-1, split-2, ..."),
    ] = None,
    val: Annotated[
        str, typer.Option(metavar="SHARE", help="Part of train and val that is val, such as 10%.")
    ] = "10%",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be drawn; change nothing.")
    ] = False,
) -> None:
    """Divide labelled garments into train, val and test, and keep it so.

    Garments of one photo, one handle or copies of a picture stay together.
    Test is what was annotated blind, and the held-out part of imported sets;
    val is drawn so that every value has its share there. Run it again when
    there are more labels: what was given a part keeps it. Where test or val
    turns out to hang together with train, the train side is quarantined: in
    no part. A garment that was train or val is never test, nor test ever
    anything else.

    Examples:

      garmentloop curate split --dataset datasets/mine
      garmentloop curate split -d datasets/mine --val 15% --version spring
      garmentloop curate split -d datasets/mine --dry-run
    """
    from curate.split.make import SplitOptions, plan_split
    from curate.split.make import split as draw
    from garments.dataset import Dataset

    options = SplitOptions(version, share(val))
    data = Dataset.open(dataset)
    with err.status("reading labels and looking for copies"):
        found = plan_split(data, options) if dry_run else draw(data, options)
    table(("part", "garments", "groups", "photos"), rows(found))
    for note in found.notes:
        err.print(f"note: {note}", markup=False)
    out.print(_sentence(found, dry_run), markup=False)


def rows(found: "Split") -> Iterator[tuple[str, int, int, int]]:
    """The lines of the table."""
    for part, count in found.counts.items():
        yield str(part), count.garments, count.groups, count.photos


def _sentence(found: "Split", dry_run: bool) -> str:
    if not found.changed:
        text = f"Nothing changed since {found.version}"
    else:
        done = "would be" if dry_run else "is"
        text = f"{found.version} {done} in force: {found.changed:,} garments changed or new"
    return text + (f"; {found.unlabelled:,} have no label yet" if found.unlabelled else "")


def share(text: str) -> float:
    """A share in [0, 0.5], written as `10%`, `10 %` or `0.1`."""
    from garments.errors import BadSetting

    number, percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    try:
        found = float(number) / (100 if percent else 1)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 0.5:
        raise BadSetting(f"expected a share from 0% to 50% like 10% or 0.1, but got {text!r}")
    return found
