"""`garmentloop takedown`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.annotate.options import UrlOption
from garmentloop.commands.curate.options import MongoOption
from garmentloop.console import err, out, table
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from garmentloop.takedown.plan import Plan
    from garmentloop.takedown.run import Told
    from garments.withdrawals import Entry


def takedown(
    dataset: DatasetOption,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="PHOTO|HANDLE",
            help="A photo's id, file or URL, or a handle. Left out: finish one that was stopped.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    by: Annotated[
        str, typer.Option(metavar="NAME", help="Who takes it down; stands in the log.")
    ] = "",
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; stands in the log, so name nobody.")
    ] = "",
    url: UrlOption = None,
    mongo: MongoOption = None,
    without_studio: Annotated[
        bool,
        typer.Option(
            "--without-studio", help="The Label Studio that had its tasks is gone for ever."
        ),
    ] = False,
) -> None:
    """Take a photo, or all photos of a handle, out of everything for good.

    Photo, crops, embeddings, proposals, labels, decisions and tasks go, from
    the catalogue and all its old versions, from Label Studio, FiftyOne,
    caches, pages and logs, and from frozen releases, which then list the
    rows that were withdrawn. It cannot be undone. The log, DIR/takedowns,
    keeps a keyed hash only: by that `extract` and `import` refuse the photo,
    or all photos of the handle, from then on.

    Trained models stay, and are named: train them again where that matters.
    So do originals outside of the data set's folder, backups, and copies of
    releases elsewhere. Stopped or killed at any time, the same command, or
    one without PHOTO, finishes.

    Examples:

      garmentloop takedown photos/IMG_12.jpg -d datasets/mine --dry-run
      garmentloop takedown someones.handle -d datasets/mine --by "A. Curator"
      garmentloop takedown 0f3a5c7e91b2d4f6 -d datasets/mine --yes
      garmentloop takedown -d datasets/mine
    """
    from garmentloop.takedown.find import find
    from garmentloop.takedown.plan import make_plan
    from garmentloop.takedown.run import Services, resume, take_down
    from garments.dataset import Dataset
    from garments.errors import BadSetting
    from garments.withdrawals import Entry, Withdrawals

    data, services = Dataset.open(dataset), Services(url, mongo, by or None, without_studio)
    if Withdrawals(data).pending() is not None:
        err.print("A takedown that was stopped is to be finished first.")
        if dry_run:
            return
        _follow(resume(data, services))
    elif what is None:
        raise BadSetting(
            "expected a photo or a handle, as no takedown waits to be finished; give one, such as "
            f"`garmentloop takedown photos/IMG_12.jpg -d {dataset}`"
        )
    if what is None:
        return
    asked = find(data, what)
    if isinstance(asked, Entry):
        out.print(f"Taken down already, on {asked.at[:10]}: nothing is left to do.", markup=False)
        return
    with err.status("looking"):
        plan = make_plan(data, asked)
    _tell(plan)
    if dry_run:
        return
    if not yes:
        typer.confirm("Take all of it down, for good?", abort=True, err=True)
    _follow(take_down(data, asked, by=by, reason=reason, services=services))


def _tell(plan: "Plan") -> None:
    """What would go, what is touched, and what stays."""
    from garmentloop.takedown.originals import some_of

    what, photos = plan.what, len(plan.what.photos)
    who = f"handle {plan.asked.name}: " if plan.asked.handle else ""
    out.print(
        f"{who}{photos:,} photo{'' if photos == 1 else 's'}, {len(what.people):,} people, "
        f"{len(what.garments):,} garments, {len(what.crops):,} crops",
        markup=False,
    )
    table(("table", "rows that go"), plan.rows.items())
    for release in plan.releases:
        parts = ", ".join(f"{count:,} of {name}" for name, count in release.garments.items())
        rows = f"withdraws {parts}" if parts else "names it, outside of its rows"
        out.print(f"release {release.name}: {rows}", markup=False)
    for problem in plan.problems:
        err.print(problem, style="red", markup=False)
    for model in plan.models:
        force = f", in force for {', '.join(model.in_force)}" if model.in_force else ""
        out.print(f"{model.reference} learnt from release {model.release}{force}", markup=False)
    for name in plan.copies:
        err.print(f"note: photo {name} shows the same picture and stays", markup=False)
    if plan.originals:
        err.print(
            f"note: {some_of(plan.originals)} outside of the data set will stay", markup=False
        )


def _follow(events: "Iterator[Told]") -> None:
    """Show the steps as they go, notes when their step has ended, and what the log says."""
    entry = None
    with err.status("taking down") as status:
        for told in events:
            if told.step:
                status.update(told.step)
            if told.note:
                err.print(f"note: {told.note}", markup=False)
            entry = told.entry or entry
    if entry:
        _tell_end(entry)


def _tell_end(entry: "Entry") -> None:
    photos = len(entry.photos)
    out.print(
        f"Taken down: {photos:,} photo{'' if photos == 1 else 's'}; nothing of it is left in the "
        "data set",
        markup=False,
    )
    if entry.releases:
        names = ", ".join(entry.releases)
        out.print(f"Releases written anew: {names}; replace copies elsewhere", markup=False)
    if entry.models:
        out.print(f"Models that learnt from it and stay: {', '.join(entry.models)}", markup=False)
