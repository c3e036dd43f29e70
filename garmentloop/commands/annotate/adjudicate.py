"""`garmentloop annotate adjudicate`."""

from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.annotate.options import UrlOption
from garmentloop.console import awaited, err, out
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from annotate.studio.client import Studio
    from annotate.studio.progress import PushProgress


def adjudicate(
    dataset: DatasetOption,
    attribute: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what is disputed about this one.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Disputes that wait at once, at most.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also where most annotators agree against one.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is disputed; change nothing.")
    ] = False,
    reset_form: Annotated[
        bool,
        typer.Option("--reset-form", help="Put our form back where it was edited in a browser."),
    ] = False,
    url: UrlOption = None,
) -> None:
    """Have somebody settle what annotators disagree about.

    Each question on which no majority agrees goes to a project of its own: the
    garment, what A, B and so on said, without any name, and that one question.
    The verdict comes back with `annotate pull` and holds from then on. The same
    command again sends nothing twice, and takes back what is over by now. It
    goes by what was pulled.

    Examples:

      garmentloop annotate adjudicate --dataset datasets/mine
      garmentloop annotate adjudicate -d datasets/mine --attribute color
      garmentloop annotate adjudicate -d datasets/mine --limit 50 --dry-run
    """
    from annotate.studio.adjudicate import AdjudicateOptions, plan
    from annotate.studio.adjudicate import adjudicate as send
    from annotate.studio.client import connect
    from garmentloop.progress import follow_pushing
    from garments.dataset import Dataset

    options = AdjudicateOptions(attribute, limit, everything, reset_form)
    data = Dataset.open(dataset)
    with err.status("asking Label Studio"):
        studio = connect(data, url)
    if dry_run:
        with err.status("comparing"):
            foreseen, disputed = plan(data, studio, options)
        for name, count in disputed.items():
            out.print(f"{name}: {count} disputed", markup=False)
        out.print(f"{foreseen.created} disputes to send, {foreseen.updated} to update")
        return
    events = awaited(send(data, studio, options), "comparing with what is there")
    if end := follow_pushing(events, err):
        _tell(end, studio)


def _tell(end: "PushProgress", studio: "Studio") -> None:
    """What was done, and where people go now."""
    from annotate.studio.project import Kind, find_record

    parts = [f"{end.created} disputes sent", f"{end.updated} updated"]
    parts += [f"{end.withdrawn} taken back as they are over"] if end.withdrawn else []
    out.print(", ".join(parts))
    if end.plan.unshown:
        err.print(f"not sent: {end.plan.unshown} whose crop is not there")
    record = find_record(studio.dataset, Kind.ADJUDICATION)
    if record and record.project_id:
        out.print(studio.project(Kind.ADJUDICATION).url, markup=False)
