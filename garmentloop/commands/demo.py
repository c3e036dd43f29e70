"""`garmentloop demo`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out, table

if TYPE_CHECKING:
    from garmentloop.demo import Demo
    from garmentloop.demo_labels import Score
    from garments.dataset import Dataset

SHOWN = {
    "people_ap50": "people found (AP at IoU 0.5)",
    "accepted_recall": "people who show enough, accepted",
    "accepted_precision": "of those accepted, rightly",
    "garment_found": "garments found (IoU at least 0.5)",
    "garment_box_iou": "garment boxes, mean IoU",
}

LABEL_COLUMNS = ("labels against what was drawn", "right", "commonest", "given", "given and right")


def demo(
    to: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="The data set that is made.")
    ] = Path("datasets/demo"),
    count: Annotated[int, typer.Option(min=1, metavar="N", help="How many pictures.")] = 24,
    opened: Annotated[
        bool, typer.Option("--open", help="Then leave Label Studio and FiftyOne open on it.")
    ] = False,
) -> None:
    """See it work, without a photo and without a network.

    Draws a street of dressed people, finds them, turns down those that show
    too little, cuts out their garments, proposes labels for them, and compares
    all that with what was drawn. Then labels them as they were drawn and
    freezes a release. Takes a few minutes on two cores.

    With --open, Label Studio and FiftyOne are left running with the garments
    in them: correct labels in a browser, and they are in the catalogue seconds
    later; browse, tag and choose in the other.

    Examples:

      garmentloop demo
      garmentloop demo --count 100 --out runs/demo
      garmentloop demo --open
    """
    from garmentloop.demo import Show, demonstrate, draw
    from garmentloop.progress import follow, follow_tagging, sentence, tagged_sentence

    street = to.with_name(f"{to.name}-street")
    with err.status("drawing") as status:
        for done in draw(street, count):
            status.update(f"drawing a street: {done}/{count} pictures")
    show = Show(lambda events: follow(events, err), lambda events: follow_tagging(events, err))
    shown = demonstrate(street, to, show)
    if shown.end is not None:
        out.print(f"{shown.end.photos} pictures: {sentence(shown.end)}", markup=False)
    if shown.labelled is not None:
        out.print(
            f"{shown.labelled.tagged} garments tagged: {tagged_sentence(shown.labelled)}",
            markup=False,
        )
    rows = [(words, shown.figures[key]) for key, words in SHOWN.items() if key in shown.figures]
    table(("measured on this street, of a look no model was trained on", ""), rows)
    out.print()
    table(LABEL_COLUMNS, map(_label_row, shown.labels))
    _tell_release(shown, to)
    out.print(f"Open in a browser: {shown.page.resolve()}", markup=False)
    if opened:
        _open(to)
    else:
        out.print("Correct and curate the labels in a browser: garmentloop demo --open")


def _tell_release(shown: "Demo", to: Path) -> None:
    """What was frozen, and how anybody reads it."""
    from garmentloop.demo_release import RELEASE

    if not shown.released:
        err.print(f"no release: {shown.unreleased}", markup=False)
        return
    parts = ", ".join(f"{count} {name}" for name, count in shown.released.items())
    folder = to / "releases" / RELEASE
    out.print(f"\nReleased {RELEASE}: {parts} garments, labelled as they were drawn", markup=False)
    out.print(f'Read it in Python:  datasets.load_dataset("{folder}")', markup=False)


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


def _label_row(score: "Score") -> tuple[object, ...]:
    return (
        f"{score.attribute}, proposed for {score.garments} garments",
        score.right,
        score.commonest,
        score.given,
        score.right_of_given,
    )
