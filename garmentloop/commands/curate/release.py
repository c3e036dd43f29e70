"""`garmentloop curate release | releases | diff | verify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out, table
from garmentloop.options import DatasetOption, JsonFlag

if TYPE_CHECKING:
    from curate.release.diff import Difference
    from curate.release.verify import VerifyProgress
    from curate.release.write import ReleaseProgress

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The release's name.")]


def release(
    dataset: DatasetOption,
    name: NameArgument,
    note: Annotated[
        str, typer.Option(metavar="TEXT", help="Why it is made; stands on its first page.")
    ] = "",
    licence: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only photos under this licence; may be repeated."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be in it; write nothing.")
    ] = False,
) -> None:
    """Freeze what people hold as a Hugging Face data set with a datasheet.

    Garments that are in the split and have a label by people go in; those
    that are retired, excluded, bad crops or in quarantine do not, and the
    release says which and why. It is the folder DIR/releases/NAME: Parquet
    files with the crops inside, card, datasheet, licences and consent, hashes.
    It appears when it is whole and never changes; the catalogue's tables are
    tagged with what it was made from.

    Examples:

      garmentloop curate release v1 --dataset datasets/mine
      garmentloop curate release v2 -d datasets/mine --note "with shoes"
      garmentloop curate release open -d datasets/mine --licence "CC BY 4.0"
      garmentloop curate release v3 -d datasets/mine --dry-run
    """
    from curate.release.write import ReleaseOptions
    from curate.release.write import release as make
    from garmentloop.progress import follow_plainly
    from garments.dataset import Dataset

    options = ReleaseOptions(note, tuple(licence or ()), dry_run)
    end = follow_plainly(make(Dataset.open(dataset), name, options), err, "garments")
    if end:
        _tell_release(end)


def _tell_release(end: "ReleaseProgress") -> None:
    from curate.release.choose import WORDS
    from curate.release.write import DATASHEET

    table(("split", "garments"), end.splits.items())
    for reason, count in end.left_out.items():
        out.print(f"left out: {count:,} {WORDS[reason]}", markup=False)
    if end.folder:
        out.print(f"Release: {end.folder} ({end.hash[:12]})", markup=False)
        out.print(f"Page: {end.folder / DATASHEET}", markup=False)


def releases(dataset: DatasetOption, as_json: JsonFlag = False) -> None:
    """List the releases of a data set, oldest first.

    The hash names everything that is in a release. `curate verify` compares
    it with the files.

    Examples:

      garmentloop curate releases --dataset datasets/mine
      garmentloop curate releases -d datasets/mine --json
    """
    import json

    from curate.release.listing import releases as listed
    from curate.release.pages import human_size
    from garments.dataset import Dataset

    found = listed(Dataset.open(dataset))
    whole = [one.manifest for one in found if one.manifest]
    if as_json:
        out.print(json.dumps([{**m.model_dump(), "hash": m.hash} for m in whole]), markup=False)
    elif whole:
        header = ("release", "made", "garments", "train", "validation", "test", "size", "hash")
        splits = [[m.splits.get(name, 0) for name in header[3:6]] for m in whole]
        rows = [
            (m.name, m.created_at[:10], m.garments, *counts, human_size(m.bytes), m.hash[:12])
            for m, counts in zip(whole, splits, strict=True)
        ]
        table(header, rows)
    elif not found:
        out.print("no release yet; make one with `garmentloop curate release v1`", markup=False)
    for one in found:
        if one.problem:
            err.print(f"{one.name}: {one.problem}", style="red", markup=False)


def diff(
    dataset: DatasetOption,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The earlier release.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The later release.")],
    top: Annotated[
        int, typer.Option(min=0, metavar="N", help="Kinds of changes shown of each attribute.")
    ] = 12,
    save: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.csv", help="Also write every single change."),
    ] = None,
) -> None:
    """Tell what changed between two releases, per attribute, and why.

    Labels that were added, changed from what to what, and removed, each with
    the reason: who decided, or what became of the garment. Garments that
    came, went or are in another split are counted. It reads the releases
    only, so it tells the same whatever became of the catalogue.

    Examples:

      garmentloop curate diff v1 v2 --dataset datasets/mine
      garmentloop curate diff v1 v2 -d datasets/mine --out changes.csv
    """
    from curate.release.changes_file import write_changes
    from curate.release.diff import diff as compare
    from garments.dataset import Dataset

    with err.status("comparing"):
        found = compare(Dataset.open(dataset), old, new)
        if save:
            write_changes(save, found)
    _tell_difference(found, top)
    if save:
        out.print(f"Every change: {save}", markup=False)


def _tell_difference(found: "Difference", top: int) -> None:
    from curate.release.diff import Kind

    names = f"{found.old.name} -> {found.new.name}"
    out.print(f"{names}: {found.old.garments:,} -> {found.new.garments:,} garments", markup=False)
    for before, after, why, count in found.moved():
        what = f"{before} -> {after}" if before and after else f"no longer in {before}"
        what = what if before else f"new in {after}"
        out.print(f"  {count:>6,}  {what}: {why}", markup=False)
    if not found.changes:
        out.print("No label changed.")
        return
    counts = [
        (name, *(found.count(name, kind) for kind in Kind), found.same[name], found.confirmed[name])
        for name in found.attributes
    ]
    table(("attribute", "added", "changed", "removed", "same", "on another basis"), counts)
    for name in found.attributes:
        _tell_attribute(name, found.grouped(name), top)


def _tell_attribute(name: str, changes: list[tuple[str, str, str, str, int]], top: int) -> None:
    if not changes or not top:
        return
    out.print(f"\n{name}", markup=False)
    for kind, before, after, why, count in changes[:top]:
        what = f"{before} -> {after}" if before and after else before or after
        out.print(f"  {count:>6,}  {kind} {what}: {why}", markup=False)
    if len(changes) > top:
        rest = sum(change[-1] for change in changes[top:])
        out.print(f"  {rest:>6,}  more, of {len(changes) - top:,} kinds", markup=False)


def verify(dataset: DatasetOption, name: NameArgument) -> None:
    """Check every hash of a release; exit 1 where a file is not as it was.

    A changed, missing or foreign file is named, and so is a manifest that was
    changed itself. Rows that a takedown withdrew are no damage: they are
    counted.

    Examples:

      garmentloop curate verify v1 --dataset datasets/mine
    """
    from curate.release.verify import verify as check
    from garmentloop.progress import follow_plainly
    from garments.dataset import Dataset

    end = follow_plainly(check(Dataset.open(dataset), name), err, "MB")
    if end is None:
        return
    for problem in end.problems:
        out.print(problem, markup=False)
    for note in end.notes:
        err.print(f"note: {note}", markup=False)
    if end.problems:
        err.print(f"Error: {name} is not as it was made", style="red", markup=False)
        raise typer.Exit(1)
    if end.withdrawn:
        _tell_withdrawn(name, end)
    else:
        out.print(f"{name} is as it was made ({end.hash[:12]})", markup=False)


def _tell_withdrawn(name: str, end: "VerifyProgress") -> None:
    garments = sum(sum(one.garments.values()) for one in end.withdrawn)
    photos = sum(one.photos for one in end.withdrawn)
    last = end.withdrawn[-1].at[:10]
    out.print(
        f"{name} is whole ({end.hash[:12]}); {garments:,} garments of {photos:,} photos were "
        f"withdrawn from it, last on {last}: withdrawn.csv has their rows",
        markup=False,
    )
