"""`garmentloop annotate push`."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.annotate.options import UrlOption
from garmentloop.console import awaited, err, out
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from annotate.studio.choose import PushOptions
    from annotate.studio.progress import PushPlan
    from garments.dataset import Dataset


def push(
    dataset: DatasetOption,
    select: Annotated[
        str,
        typer.Option(metavar="WHAT", help="new, random, another strategy, or a file of ids."),
    ] = "new",
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Tasks that the round has in all, blind ones too."),
    ] = None,
    round_name: Annotated[
        str | None,
        typer.Option("--round", metavar="NAME", help="Left out: the newest, or round-1."),
    ] = None,
    audit: Annotated[
        str, typer.Option(metavar="SHARE", help="Part that is annotated blind, such as 5%.")
    ] = "5%",
    overlap: Annotated[
        int, typer.Option(min=1, metavar="N", help="People who answer each task of a share.")
    ] = 1,
    overlap_share: Annotated[
        str, typer.Option(metavar="SHARE", help="Part of new tasks that N people answer.")
    ] = "20%",
    gold: Annotated[
        str,
        typer.Option(metavar="SHARE", help="Garments of known answer to mix in, such as 5%."),
    ] = "0%",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")
    ] = False,
    reset_form: Annotated[
        bool,
        typer.Option("--reset-form", help="Put our form back where it was edited in a browser."),
    ] = False,
    url: UrlOption = None,
) -> None:
    """Send garments to annotators, with everything filled in.

    Each garment is sent once: the same command again adds nothing, goes on
    where it was stopped, and brings nothing back that was skipped or deleted.
    What a new model or calibration proposes replaces the old pre-fill of tasks
    that nobody has touched. Part of the garments, chosen by a hash before any
    selection, goes to a project of its own without pre-fill and is answered
    twice: that gives the test data.

    With --select uncertain, diverse or uncertain-diverse the round's --limit
    are chosen as `curate select` does; with errors, garments whose label is
    contradicted go to one more person. A file has a garment id a line.

    For a team: with --overlap, N people answer the tasks of a share that is
    drawn by a hash, and none sees another's answer; `annotate report` tells how
    far they agree, `annotate adjudicate` settles the rest. With --gold,
    garments that a curator tagged `gold` come again, looking like all others,
    to everybody: they score people, and their labels stay as they are.

    Examples:

      garmentloop annotate push --dataset datasets/mine
      garmentloop annotate push -d datasets/mine --limit 200 --round week-2
      garmentloop annotate push -d datasets/mine --select ids.txt --dry-run
      garmentloop annotate push -d datasets/mine \\
          --select uncertain-diverse --limit 300 --round week-3
      garmentloop annotate push -d datasets/mine --overlap 2 --gold 5%
    """
    from annotate.studio.choose import PushOptions
    from annotate.studio.client import connect
    from annotate.studio.push import plan
    from annotate.studio.push import push as send
    from garmentloop.progress import follow_pushing
    from garments.dataset import Dataset

    options = PushOptions(
        select,
        limit,
        round_name,
        share(audit),
        reset_form,
        overlap,
        share(overlap_share, "--overlap-share"),
        share(gold, "--gold"),
    )
    data = Dataset.open(dataset)
    with err.status("asking Label Studio"):
        studio = connect(data, url)
    if dry_run:
        with err.status("comparing"), TemporaryDirectory() as scratch:
            path = Path(scratch) / "selected.txt"
            options, again = with_chosen(data, options, path)
            foreseen = plan(data, studio, options)
        out.print(str(foreseen), markup=False)
        _tell_again(again)
        _tell_left(foreseen, options)
        return
    with err.status("choosing"):
        options, again = with_chosen(data, options)
    events = awaited(send(data, studio, options), "comparing with what is there")
    if end := follow_pushing(events, err):
        out.print(str(end), markup=False)
        _tell_again(again)
        _tell_left(end.plan, options)


def with_chosen(
    data: "Dataset", options: "PushOptions", path: Path | None = None
) -> "tuple[PushOptions, int]":
    """The options with a file of garments for a strategy that ranks them, and second looks.

    For `errors` the garments that were answered before are given to one more person: that many.
    The file is the data set's newest selection; with a `path` it is that, and nothing changes.
    `BadSetting` where there is no limit to choose for.
    """
    from annotate.studio.second_look import ask_one_more
    from curate.select.choose import SelectOptions, select
    from curate.select.keep import selected_file, write_selected
    from curate.select.strategies import STRATEGIES
    from garments.errors import BadSetting

    name = options.select
    if name in ("new", "random") or name not in STRATEGIES:
        return options, 0  # what a push knows by itself, or a file
    if options.limit is None:
        raise BadSetting(
            f"expected --limit beside --select {name}, which ranks all garments, but got none; "
            "give --limit N for as many as annotators shall see"
        )
    wanted = SelectOptions(name, options.limit, audit=options.audit, seed=options.round or "push")
    chosen = list(select(data, wanted).picked.garments)
    file = write_selected(path or selected_file(data), chosen, wanted.about)
    again = set[str]()
    if STRATEGIES[name].again:
        again = ask_one_more(data, chosen, dry_run=path is not None)
        fresh = [garment for garment in chosen if garment not in again]
        file = write_selected(file.with_name(f"{name}-unsent.txt"), fresh, wanted.about)
    return replace(options, select=str(file)), len(again)


def share(text: str, option: str = "--audit") -> float:
    """A share in [0, 1], written as `5%`, `5 %` or `0.05`."""
    from garments.errors import BadSetting

    number, percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    try:
        found = float(number) / (100 if percent else 1)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise BadSetting(f"expected a share like 5% or 0.05 for {option}, but got {text!r}")
    return found


def _tell_again(count: int) -> None:
    if count:
        err.print(
            f"second looks: {count} garments go to somebody who has not seen them", markup=False
        )


def _tell_left(foreseen: "PushPlan", options: "PushOptions") -> None:
    """Why some garments are not sent, which gold is missing, and what leaks out of the slice."""
    for reason, count in foreseen.reasons.items():
        err.print(f"not sent: {count} {reason}", markup=False)
    if foreseen.unshown:
        err.print(f"not sent: {foreseen.unshown} whose crop is not there", markup=False)
    if foreseen.full:
        err.print(
            f"{foreseen.round} has its {options.limit} tasks; name another with --round to send "
            "more",
            markup=False,
        )
    if foreseen.lacking_gold:
        err.print(
            f"note: {foreseen.lacking_gold} gold tasks fewer than asked for; tag more labelled "
            "garments `gold`: garmentloop curate open",
            markup=False,
        )
    if foreseen.note:
        err.print(f"note: {foreseen.note}", markup=False)
