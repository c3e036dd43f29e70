"""`garmentloop demo`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out, table
from garments.errors import GarmentLoopError

if TYPE_CHECKING:
    from garments.dataset import Dataset

SHOWN = {
    "people_ap50": "people found (AP at IoU 0.5)",
    "accepted_recall": "people who show enough, accepted",
    "accepted_precision": "of those accepted, rightly",
    "garment_found": "garments found (IoU at least 0.5)",
    "garment_box_iou": "garment boxes, mean IoU",
}


def demo(
    to: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="The data set that is made.")
    ] = Path("datasets/demo"),
    count: Annotated[int, typer.Option(min=1, metavar="N", help="How many pictures.")] = 300,
    studio: Annotated[
        bool,
        typer.Option(
            "--studio/--no-studio",
            help="Answer in a real Label Studio, or directly in the catalogue, which is quick.",
        ),
    ] = True,
    opened: Annotated[
        bool, typer.Option("--open", help="Then leave Label Studio and FiftyOne open on it.")
    ] = False,
) -> None:
    """See a whole round of the loop, without a photo and without a network.

    Draws a street of dressed people, finds them, cuts out their garments and
    proposes labels; sends them to a Label Studio of its own, where a simulated
    annotator corrects them as they were drawn; freezes a release, trains a
    tagger on it, compares that with the labeller in force on garments that
    were held out, promotes it where it is better and lets it propose anew.
    Ends with a page: how much was to be corrected before and after, and what
    is still wrong. Takes some minutes on two cores.

    With --open, Label Studio and FiftyOne are left running with the garments
    in them: correct labels in a browser, and they are in the catalogue seconds
    later; browse, tag and choose in the other.

    Examples:

      garmentloop demo
      garmentloop demo --count 40 --no-studio --out runs/demo
      garmentloop demo --open
    """
    from garmentloop.demo import draw, extraction_figures

    street = to.with_name(f"{to.name}-street")
    with err.status("drawing") as status:
        for done in draw(street, count):
            status.update(f"drawing a street: {done}/{count} pictures")
    out.print(f"A street of {count} pictures, of a look that no model was trained on.")
    try:
        page = _round(street, to, count, studio, opened)
    except GarmentLoopError as error:  # of a picture or two there is nothing to be learnt
        page = None
        err.print(f"no whole round: {error}", markup=False)
    with err.status("measuring extraction"):
        figures = extraction_figures(street)
    out.print()
    rows = [(words, figures[key]) for key, words in SHOWN.items() if key in figures]
    table(("extraction, against what was drawn", ""), rows)
    _tell_sheet(to)
    if opened:
        _open(to)
    else:
        out.print("Correct and curate the labels in a browser: garmentloop demo --open")
    if page:
        out.print(f"\nOpen in a browser: {page.resolve()}", markup=False)


def _round(street: Path, to: Path, count: int, studio: bool, opened: bool) -> Path:
    """A round of the loop; its page."""
    from garmentloop.commands.simulate import rehearse, tell
    from garmentloop.demo import LEFT, budget
    from garmentloop.simulate.options import SimulateOptions

    options = SimulateOptions(rounds=1, budget=budget(count), leave=LEFT)
    summary = rehearse(street, to, options, studio, keep=opened)
    page = tell(summary, to)
    if summary.rounds:
        _tell_release(to, summary.rounds[-1])
    return page


def _tell_release(to: Path, release: str) -> None:
    """What was frozen, and how anybody reads it."""
    from garmentloop.demo import read_back
    from garments.dataset import Dataset

    parts = read_back(Dataset.open(to), release)
    told = ", ".join(f"{count} {name}" for name, count in parts.items())
    folder = to / "releases" / release
    out.print(f"\nReleased {release}: {told} garments, labelled as they were drawn", markup=False)
    out.print(f'Read it in Python:  datasets.load_dataset("{folder}")', markup=False)


def _tell_sheet(to: Path) -> None:
    from extract.report import write_report
    from garments.dataset import Dataset

    sheet = write_report(Dataset.open(to))
    out.print(f"Contact sheet: {sheet}", markup=False)


def _open(to: Path) -> None:
    """Leave Label Studio and FiftyOne running with the garments of the demonstration in them."""
    from garmentloop.commands.curate.open import open_app
    from garments.dataset import Dataset

    page = _open_studio(Dataset.open(to))
    out.print()
    open_app(to, background=True)
    out.print(f"\nStop both: garmentloop annotate down -d {to}; garmentloop curate close -d {to}")
    out.print(f"Correct labels at {page}: they are in the catalogue seconds later.", markup=False)


def _open_studio(data: "Dataset") -> str:
    """Address of the labelling form."""
    from annotate.studio.client import connect
    from annotate.studio.project import Kind
    from annotate.studio.push import push
    from garmentloop.commands.annotate.server import bring_up, tell_access
    from garmentloop.progress import follow_pushing

    state, _ = bring_up(data)
    studio = connect(data, state.url, state.token)
    if sent := follow_pushing(push(data, studio), err):
        out.print(str(sent), markup=False)
    tell_access(data, state)
    return studio.project(Kind.MAIN).url
