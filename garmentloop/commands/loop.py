"""`garmentloop loop`."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.annotate.options import UrlOption
from garmentloop.console import err, out
from garmentloop.options import DatasetOption, DeviceOption

if TYPE_CHECKING:
    from annotate.studio.client import Studio
    from garmentloop.loop.options import LoopOptions
    from garmentloop.loop.round import Turn
    from garments.dataset import Dataset

ModeOption = Annotated[
    str, typer.Option(metavar="MODE", help="How the tagger is trained: probe, lora or full.")
]
BackboneOption = Annotated[
    str, typer.Option(metavar="REF", help="What it is trained on: starter, hf:OWNER/NAME, ...")
]
SelectOption = Annotated[
    str,
    typer.Option(
        metavar="WHAT", help="new, random, uncertain, diverse or uncertain-diverse (curate select)."
    ),
]
AttributesOption = Annotated[
    str | None,
    typer.Option(metavar="LIST", help="Only these count for --select, such as category,color."),
]
SeedOption = Annotated[int, typer.Option(metavar="N", help="Of selection and training.")]


def loop(
    dataset: DatasetOption,
    budget: Annotated[
        int, typer.Option(min=1, metavar="N", help="Garments that people are asked about.")
    ] = 300,
    select: SelectOption = "new",
    attributes: AttributesOption = None,
    audit: Annotated[
        str, typer.Option(metavar="SHARE", help="Part that is annotated blind, such as 5%.")
    ] = "5%",
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until people have answered everything.")
    ] = False,
    enough: Annotated[
        bool, typer.Option("--enough", help="Go on with what is answered by now.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="End a round that cannot go on, as it is.")
    ] = False,
    release: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the release; left out: the round's.")
    ] = None,
    mode: ModeOption = "probe",
    backbone: BackboneOption = "starter",
    minutes: Annotated[
        float | None, typer.Option(metavar="N", help="Training ends after so long.")
    ] = None,
    round_name: Annotated[
        str | None, typer.Option("--round", metavar="NAME", help="Left out: the next round-N.")
    ] = None,
    fiftyone: Annotated[
        bool, typer.Option("--fiftyone/--no-fiftyone", help="Bring FiftyOne in step too.")
    ] = True,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")
    ] = False,
    url: UrlOption = None,
) -> None:
    """Go round once: annotate, release, train, and promote what is better.

    Chooses garments, sends them to Label Studio (which it starts where none
    runs), takes the answers in, draws the split, freezes a release, trains a
    tagger on it, compares that with the taggers in force on the blind slice,
    promotes it where it is better, and lets it propose for everything that
    waits. While people have to answer it ends, or stays with --wait; the same
    command goes on from there, and also where it was stopped or killed: what
    is done of a round is skipped. A round keeps the options it was begun with.
    Each step has a command of its own too. Where a round cannot go on, say for
    want of labels, --abandon ends it; what it brought is kept.

    Examples:

      garmentloop loop --dataset datasets/mine
      garmentloop loop -d datasets/mine --budget 500 --wait
      garmentloop loop -d datasets/mine --select uncertain-diverse
      garmentloop loop -d datasets/mine --enough
      garmentloop loop -d datasets/mine --abandon
      garmentloop loop -d datasets/mine --mode full --minutes 30 --dry-run
    """
    from garmentloop.commands.annotate.push import share
    from garmentloop.loop.options import LoopOptions
    from garmentloop.loop.round import end_early, find_turn
    from garmentloop.loop.screen import go_round, make_context
    from garments.dataset import Dataset

    options = LoopOptions.of(
        {
            "budget": budget,
            "select": select,
            "attributes": names(attributes),
            "audit": share(audit),
            "release": release,
            "mode": mode,
            "backbone": backbone,
            "minutes": minutes,
            "seed": seed,
            "device": device,
            "fiftyone": fiftyone,
        }
    )
    data = Dataset.open(dataset)
    if abandon:
        out.print(f"{end_early(data)} is ended as it is", markup=False)
        return
    turn = find_turn(data, options, round_name)
    if dry_run:
        _foretell(data, turn)
        return
    if turn.resumed:
        out.print(f"Going on with {turn.name}, as it was begun", markup=False)
        _tell_differences(options, turn.options)
    else:
        out.print(f"Beginning {turn.name}", markup=False)
    context = make_context(data, turn, lambda: reach(data, url))
    context.patient, context.enough = wait, enough
    go_round(context)


def names(text: str | None) -> tuple[str, ...]:
    """The names in a list with commas; none where there is none."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def reach(data: "Dataset", url: str | None) -> "Studio":
    """Label Studio: at `url`, or the data set's own, started where it is not up."""
    from annotate.studio.client import URL_VARIABLE, connect
    from garmentloop.commands.annotate.server import bring_up, tell_access
    from garments.errors import StudioDown

    try:
        return connect(data, url)
    except StudioDown:
        if url or os.environ.get(URL_VARIABLE):
            raise
        state, _ = bring_up(data)
        out.print(f"Label Studio is up: {state.url}", markup=False)
        tell_access(data, state)
        return connect(data, state.url, state.token)


def _foretell(data: "Dataset", turn: "Turn") -> None:
    from garmentloop.loop import ORDER
    from garmentloop.loop.select import select

    left = [name for name in ORDER if name not in turn.done]
    out.print(f"would {'go on with' if turn.resumed else 'begin'} {turn.name}", markup=False)
    if "select" in left:
        found = select(data, turn.options, turn.name)
        out.print(f"would choose {len(found):,} garments ({turn.options.select})", markup=False)
    out.print(f"would do: {', '.join(left)}", markup=False)


def _tell_differences(asked: "LoopOptions", kept: "LoopOptions") -> None:
    """Options that were asked for and do not hold, since the round was begun with others."""
    default = type(asked)().as_details()
    other = [
        f"{name} {kept.as_details()[name]}"
        for name, value in asked.as_details().items()
        if value not in (default[name], kept.as_details()[name])
    ]
    if other:
        err.print(f"note: this round was begun with {', '.join(other)}", markup=False)
