"""`garmentloop curate suspects` and `garmentloop curate duplicates`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out, table
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from curate.findings.duplicates import Group
    from curate.findings.suspects import Suspects

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="FILE", help="Ends in .csv (a table) or .txt (ids, for push)."
    ),
]
PageOption = Annotated[bool, typer.Option("--page", help="Also write a page with the crops.")]

SHOWN = 20


def suspects(
    dataset: DatasetOption,
    attribute: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only labels of this one.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="The first N, however suspicious they are."),
    ] = None,
    to: OutOption = None,
    page: PageOption = False,
) -> None:
    """List labels by people that are probably wrong, the most suspicious first.

    What all other labels make of a crop, and how labels of this attribute
    usually go wrong (cleanlab's confident learning), say how probably each is
    wrong. That is the same scale for all attributes, so they are in one list.
    A suspect is a question, not an error. To act on it, look at the saved view
    `suspects` and correct there, or have garments that were never sent, such as
    imported ones, labelled: the .txt file is for `annotate push --select`.

    Examples:

      garmentloop curate suspects --dataset datasets/mine
      garmentloop curate suspects -d datasets/mine --attribute color --page
      garmentloop curate suspects -d datasets/mine --limit 200 --out ids.txt
      garmentloop curate open -d datasets/mine --view suspects
    """
    from curate.findings.files import expect_ending, write_findings
    from curate.findings.page import write_suspects_page
    from curate.findings.suspects import COLUMNS, list_suspects, rows
    from curate.suspects import SUSPICIOUS
    from garments.dataset import Dataset

    if to is not None:
        expect_ending(to)
    data = Dataset.open(dataset)
    with err.status("judging labels"):
        found = list_suspects(data, attribute, SUSPICIOUS if limit is None else 0.0)
    listed = found.listed[:limit]
    shown = rows(listed[: limit or SHOWN])
    header = ("garment", "attribute", "people said", "likely", "score", "who")
    table(header, [(*row[:4], f"{float(row[4]):.2f}", row[5]) for row in shown])
    _tell_unjudged(found)
    if to is not None:
        count = write_findings(to, COLUMNS, rows(listed))
        err.print(f"{count:,} lines in {to}", markup=False)
    if page:
        out.print(f"Open in a browser: {write_suspects_page(data, listed)}", markup=False)
    judged = sum(found.judged.values())
    out.print(f"{len(listed):,} of {judged:,} labels that were judged are listed", markup=False)
    if len(shown) < len(listed):
        err.print(f"the first {len(shown)} are shown; --out and --page have all", markup=False)


def duplicates(
    dataset: DatasetOption,
    near: Annotated[
        bool, typer.Option("--near", help="Also garments that are only very much alike.")
    ] = False,
    to: OutOption = None,
    page: PageOption = False,
) -> None:
    """List pictures that are there more than once, in groups.

    Photos with a similar perceptual hash and crops with a similar embedding are
    laid over each other; what shows the same is one group, across photos. It
    finds what was compressed, made smaller or brighter, or trimmed by a few per
    cent; it does not find mirrored, rotated or far more cropped pictures as
    copies. In a shop's catalogue one cut in several colors passes for copies,
    so a contradiction is a question. Groups that have one come first. Copies
    stay together in train, val and test; this says where they do not.

    Examples:

      garmentloop curate duplicates --dataset datasets/mine
      garmentloop curate duplicates -d datasets/mine --near --page
      garmentloop curate duplicates -d datasets/mine --out copies.csv
      garmentloop curate open -d datasets/mine --view near-duplicates
    """
    from curate.findings.duplicates import COLUMNS, duplicate_report, rows
    from curate.findings.files import expect_ending, write_findings
    from curate.findings.page import write_duplicates_page
    from garments.dataset import Dataset

    if to is not None:
        expect_ending(to)
    data = Dataset.open(dataset)
    with err.status("looking for copies"):
        found = duplicate_report(data, near)
    _show(found)
    if to is not None:
        count = write_findings(to, COLUMNS, rows(found))
        err.print(f"{count:,} lines in {to}", markup=False)
    if page:
        out.print(f"Open in a browser: {write_duplicates_page(data, found)}", markup=False)
    _tell_split(found)


def _tell_unjudged(found: "Suspects") -> None:
    """Which attributes are not judged and why, and how many labels of the others."""
    for name, why in found.unjudged.items():
        err.print(f"not judged: {name}: {why}", markup=False)
    for name, judged in found.judged.items():
        if 0 < judged < found.labels[name]:
            err.print(
                f"not judged: {found.labels[name] - judged:,} labels of {name}, with a rare value "
                "or without an embedding",
                markup=False,
            )


def _show(found: Sequence["Group"]) -> None:
    """The first groups, and what their labels contradict each other in."""
    header = ("group", "kind", "garments", "photos", "parts", "contradictions")
    lines = [
        (
            group.name,
            group.kind,
            len(group.garments),
            len(group.photos),
            ", ".join(sorted(set(group.parts.values()))),
            "; ".join(map(str, group.contradictions)),
        )
        for group in found[:SHOWN]
    ]
    table(header, lines)
    if len(found) > SHOWN:
        err.print(f"the first {SHOWN} groups are shown; --out and --page have all", markup=False)


def _tell_split(found: Sequence["Group"]) -> None:
    from curate.findings.duplicates import COPIES

    for kind in dict.fromkeys((COPIES, *(group.kind for group in found))):
        mine = [group for group in found if group.kind == kind]
        photos = len({photo for group in mine for photo in group.photos})
        differ = sum(bool(group.contradictions) for group in mine)
        out.print(
            f"{kind}: {len(mine):,} groups on {photos:,} photos, {differ:,} with labels that "
            "contradict each other",
            markup=False,
        )
        crossing = [group.name for group in mine if group.crossing]
        if not any(group.parts for group in mine):
            out.print(f"{kind}: none of them is in the split yet", markup=False)
        elif not crossing:
            out.print(f"{kind}: none lies in two parts of the split", markup=False)
        elif kind == COPIES:
            err.print(
                f"warning: {len(crossing):,} groups of copies lie in two parts of the split, first "
                f"{crossing[0]}; `garmentloop curate split` puts the train side into quarantine",
                markup=False,
            )
        else:
            err.print(
                f"note: {len(crossing):,} groups that are only alike lie in two parts of the "
                "split; the split keeps copies together, not what is alike",
                markup=False,
            )
