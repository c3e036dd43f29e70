"""`garmentloop simulate`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.loop import BackboneOption, ModeOption, SeedOption, SelectOption
from garmentloop.console import err, out, table
from garmentloop.options import DeviceOption

if TYPE_CHECKING:
    from annotate.studio.client import Studio
    from garmentloop.simulate.options import SimulateOptions
    from garmentloop.simulate.summary import Summary
    from garments.dataset import Dataset


def simulate(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A set whose truth is known.")],
    to: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="The data set that is made.")
    ],
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="Rounds of the loop.")] = 3,
    budget: Annotated[int, typer.Option(min=1, metavar="N", help="Garments a round.")] = 300,
    error_rate: Annotated[
        float, typer.Option(min=0, max=0.99, metavar="P", help="How often an answer is wrong.")
    ] = 0.0,
    backbone: BackboneOption = "starter",
    mode: ModeOption = "probe",
    select: SelectOption = "new",
    photos: Annotated[
        int | None, typer.Option(min=10, metavar="N", help="Use so many photos of the set only.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(metavar="N", help="Each training ends after so long.")
    ] = None,
    studio: Annotated[
        bool,
        typer.Option(
            "--studio/--no-studio",
            help="Answer in a real Label Studio, or directly in the catalogue, which is quick.",
        ),
    ] = True,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """Rehearse the loop with an annotator who knows the answers.

    DATA is laid out like the set clothing, or a street of the look `unseen`.
    It becomes a data set of its own, in which simulated answers count as
    people's. What the set holds out (of clothing its validation split, else
    every fifth picture) is answered blind before the first round: edit rate
    and F1 are measured on that. Then come rounds of the real loop, with a
    Label Studio that is started for it and answered by its API. Attributes
    whose truth nobody knows are accepted as proposed and are not counted. A
    backbone that was trained on the set is refused. The same command again
    goes on where it was stopped.

    Examples:

      garmentloop simulate downloads/clothing --out runs/rehearsal
      garmentloop street runs/unseen --count 300 --look unseen
      garmentloop simulate runs/unseen -o runs/rehearsal --rounds 2 \\
          --budget 100 --no-studio --error-rate 0.05
    """
    from garmentloop.simulate.options import SimulateOptions

    options = SimulateOptions.of(
        {
            "rounds": rounds,
            "budget": budget,
            "seed": seed,
            "error_rate": error_rate,
            "backbone": backbone,
            "mode": mode,
            "select": select,
            "photos": photos,
            "minutes": minutes,
            "device": device,
        }
    )
    summary = rehearse(data, to, options, studio)
    tell(summary, to, device)


def rehearse(
    data: Path, to: Path, options: "SimulateOptions", studio: bool, keep: bool = False
) -> "Summary":
    """Run a rehearsal on the screen; what it found. A server is stopped at the end, or kept."""
    from garmentloop.loop.screen import follow, tell_step
    from garmentloop.simulate.run import Rehearsal, Show
    from garmentloop.simulate.summary import summarize

    servers = Servers(keep)
    show = Show(follow, lambda text: err.print(text, markup=False))
    rehearsal = Rehearsal(data, to, options, servers.reach if studio else None, show)
    out.print(f"Rehearsal on {rehearsal.set.name}: the annotator is simulated", markup=False)
    with servers.open():
        held_out = rehearsal.prepare()
        out.print(f"{held_out:,} garments are held out, answered blind", markup=False)
        last = ""
        for name, event in rehearsal.rounds():
            if name != last:
                out.print(f"\n{name}", markup=False)
                last = name
            tell_step(event)
    return summarize(rehearsal, held_out, studio)


class Servers:
    """Label Studio of a rehearsal: started when it is first needed, stopped at the end."""

    def __init__(self, keep: bool = False) -> None:
        self._started: Dataset | None = None
        self._keep = keep

    def reach(self, dataset: "Dataset") -> "Studio":
        """The server of a data set; another one's has to be stopped before."""
        from annotate.studio.client import connect
        from garmentloop.commands.annotate.server import bring_up

        if self._started is None:
            _, started = bring_up(dataset, 0, pulling=False)
            self._started = dataset if started else None
        return connect(dataset)

    def stop(self) -> None:
        """Stop what was started here."""
        from annotate.studio.server import stop

        if self._started is not None and not self._keep:
            stop(self._started)
            self._started = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Stop it in the end, whatever happens."""
        try:
            yield
        finally:
            self.stop()


def tell(summary: "Summary", to: Path, device: str = "auto") -> Path:
    """Print what a rehearsal found, and write its record and its page, which is returned."""
    from garmentloop.simulate.failures import failures
    from garmentloop.simulate.page import write_record
    from garmentloop.simulate.summary import COLUMNS, table_rows
    from garments.dataset import Dataset

    out.print()
    table(COLUMNS, table_rows(summary))
    attributes = tuple(one.attribute for one in summary.results)
    failed = failures(Dataset.open(to), attributes, device)
    record, page = write_record(summary, to / "report", failed)
    out.print(f"Record: {record}", markup=False)
    out.print(f"Page: {page}", markup=False)
    return page
