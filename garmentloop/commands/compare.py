"""`garmentloop compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.loop import BackboneOption, names
from garmentloop.console import err, out, table
from garmentloop.options import DeviceOption

if TYPE_CHECKING:
    from garmentloop.simulate.compare import CompareEvent, Comparison


def compare(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A set whose truth is known.")],
    to: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where runs and the page go.")
    ],
    strategies: Annotated[
        str, typer.Option("--strategies", "-s", metavar="LIST", help="See curate select.")
    ] = "random,uncertain,diverse,uncertain-diverse",
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Runs of each strategy: seeds 0 to N - 1.")
    ] = 5,
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="Rounds of a run.")] = 8,
    budget: Annotated[int, typer.Option(min=1, metavar="N", help="Garments a round.")] = 100,
    studio: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="The first N seeds go through a real Label Studio."),
    ] = 0,
    error_rate: Annotated[
        float, typer.Option(min=0, max=0.99, metavar="P", help="How often an answer is wrong.")
    ] = 0.0,
    backbone: BackboneOption = "starter",
    photos: Annotated[
        int | None, typer.Option(min=10, metavar="N", help="Use so many photos of the set only.")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Find out whether clever selection saves labels on pictures like yours.

    Goes through the loop with each strategy and seed on a set whose truth is
    known (laid out like `simulate` wants it): choose, have a simulated
    annotator answer, train a probe on all labels so far, measure it on the
    garments that are held out. The page shows F1 against labels, with 95 %
    intervals over the seeds, and how many labels reach what random choice has
    in the end. Every new tagger is used for the next choice, better or not.
    What is the same for all runs is done once; the same command again goes on
    where it was stopped, and more --seeds or --strategies add to it.

    Examples:

      garmentloop compare downloads/clothing --out runs/compared
      garmentloop compare downloads/clothing -o runs/compared --studio 1
      garmentloop street runs/unseen --count 300 --look unseen
      garmentloop compare runs/unseen -o runs/street --seeds 3 --budget 40 \\
          --strategies random,uncertain-diverse
    """
    from garmentloop.commands.simulate import Servers
    from garmentloop.loop.screen import follow
    from garmentloop.simulate.compare import CompareOptions, Comparison
    from garmentloop.simulate.run import Show

    options = CompareOptions(
        names(strategies), seeds, rounds, budget, error_rate, backbone, photos, studio, device
    )
    servers = Servers()
    show = Show(follow, lambda text: err.print(text, markup=False))
    reach = servers.reach if studio else None
    comparison = Comparison(data, to, options, reach, servers.stop, show)
    out.print(f"Strategies on {comparison.base.set.name}: annotators are simulated", markup=False)
    held_out = comparison.prepare()
    out.print(f"{held_out:,} garments are held out, answered blind", markup=False)
    with servers.open():
        for event in comparison.runs():
            _tell(event)
    tell(comparison, held_out)


def _tell(event: "CompareEvent") -> None:
    where = f"{event.run} of {event.runs}, {event.what}"
    if event.done:
        ends = ", ".join(f"{name} {f1[-1]:.3f}" for name, f1 in event.done.f1.items())
        out.print(f"{where}: F1 {ends} with {event.done.labels[-1]:,} labels", markup=False)
    elif event.event is None:
        err.print(f"{where} ...", markup=False)
    elif (event.event.step, event.event.state) == ("report", "done"):
        f1 = ", ".join(f"{name} {one:.3f}" for name, one in event.event.details["f1"].items())
        err.print(f"{where}: F1 {f1}", style="dim", markup=False)


def tell(comparison: "Comparison", held_out: int) -> Path:
    """Print what a comparison found so far, and write its record and its page, which is returned.

    `held_out` is how many garments it was measured on.
    """
    from garmentloop.simulate.compare_page import write_comparison
    from garmentloop.simulate.curve import COLUMNS, table_rows

    runs = comparison.finished()
    out.print()
    table(COLUMNS, table_rows(runs))
    record, page = write_comparison(comparison, runs, held_out)
    out.print(f"Record: {record}", markup=False)
    out.print(f"Page: {page}", markup=False)
    return page
