"""`garmentloop calibrate`."""

from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from garments.calibrate import Calibrated
    from garments.measured import Measured

ENOUGH = 1000
"""Labels from which a calibration error stands without its interval."""


def calibrate(
    dataset: DatasetOption,
    precision: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=0.99, metavar="P", help="Wished precision; by default the settings'."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Measure and print, but write nothing.")
    ] = False,
) -> None:
    """Fit the taggers' confidence to people's labels.

    A temperature per tagger and attribute makes confidence mean something, and
    a threshold says from where on a tagger is believed; below it, it says
    "don't know". Labels of the test split and the audit slice are never used.
    Where another tagger is right clearly more often than the one in force, it
    takes its place. A page with reliability diagrams goes into the reports.

    Examples:

      garmentloop calibrate --dataset datasets/mine
      garmentloop calibrate -d datasets/mine --precision 0.9 --dry-run
    """
    from garments.calibrate import calibrate as run
    from garments.calibration_page import write_calibration_page
    from garments.dataset import Dataset

    opened = Dataset.open(dataset)
    with err.status("reading labels") as status:
        found = run(opened, precision, dry_run, lambda attribute: status.update(attribute))
    _print(found, dry_run)
    if not dry_run:
        out.print(f"Page: {write_calibration_page(opened, found)}", markup=False)


def _print(found: "Calibrated", dry_run: bool) -> None:
    labels = found.labels
    out.print(
        f"{len(labels.garments):,} labelled garments; kept out: {labels.test:,} of the test split, "
        f"{labels.audit:,} of the audit slice",
        markup=False,
    )
    if not found.measured:
        out.print("Nothing to calibrate: no garment has both a label and a proposal to compare.")
        return
    out.print(f"Thresholds for a precision of {found.wished:g}:")
    for attribute, taggers in groupby(found.measured, key=lambda each: each.attribute):
        out.print(f"\n{attribute}", style="bold", markup=False)
        for each in taggers:
            out.print(_told(each), markup=False)
    out.print()
    for new in found.promoted:
        would = "would take" if dry_run else "takes"
        out.print(
            f"{new.speaker.model} {would} the place of {new.instead.model} for {new.attribute}: "
            f"right on {new.evidence['accuracy']:.1%} instead of "
            f"{new.evidence['accuracy_before']:.1%} of {new.evidence['labels']:,} labels",
            markup=False,
        )


def _told(each: "Measured") -> str:
    """Two lines about one tagger; a calibration error on few labels stands with its interval."""
    from garments.calibrate import FEWEST

    who = f"{each.speaker.model}{', in force' if each.in_force else ''}"
    first = f"  {who}: right on {each.accuracy:.1%} of {each.labels:,} labels\n    "
    if not each.after or not each.calibration:
        return first + f"too few labels to fit: it takes {FEWEST}"
    error = f"ECE {each.before.error:.3f} -> {each.after.error:.3f}"
    if each.labels < ENOUGH:
        error += f" ({each.after.low:.3f} to {each.after.high:.3f})"
    if isnan(each.precision):
        return first + f'{error}; always "don\'t know"'
    return first + (
        f"{error}; answers {each.coverage:.1%} from {each.calibration.threshold:.3f} on, "
        f"{each.precision:.1%} right"
    )
