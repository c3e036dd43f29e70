"""`garmentloop curate select`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.annotate.push import share
from garmentloop.commands.loop import AttributesOption, names
from garmentloop.console import err, out, table
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from curate.select.choose import Selection
    from garments.dataset import Dataset

SHOWN = 10
"""Garments that are printed."""


def select(
    dataset: DatasetOption,
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", metavar="NAME", help="How to choose; see above.")
    ] = "uncertain-diverse",
    budget: Annotated[int, typer.Option(min=1, metavar="N", help="Garments to choose.")] = 300,
    attributes: AttributesOption = None,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the ids here, a line each."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of whatever is drawn.")] = 0,
    audit: Annotated[
        str, typer.Option(metavar="SHARE", help="Part that is annotated blind, as in push.")
    ] = "5%",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be chosen; write nothing.")
    ] = False,
) -> None:
    """Choose what annotators are asked about next.

    Strategies: new (photos that nobody saw come first), random, uncertain
    (what the taggers in force are least sure of), diverse (what is least like
    anything labelled), uncertain-diverse (unsure, and standing for others)
    and errors: labels that the tagger or all other labels contradict, with
    advice whether second looks or new labels are worth more.
    Never chosen are the audit slice, what somebody turned down, and, but for
    errors, what was sent before. Of a photo one garment is chosen, and none
    of two copies, as long as there are others. The choice is kept in
    DIR/run/curate/selected.txt, and is FiftyOne's view `selected batch`.
    `annotate push --select` and `loop --select` take the same strategies.

    Examples:

      garmentloop curate select --dataset datasets/mine --budget 200
      garmentloop curate select -d datasets/mine -s uncertain --out ids.txt
      garmentloop curate select -d datasets/mine -s diverse --attributes color
      garmentloop curate select -d datasets/mine -s errors --dry-run
    """
    from curate.select.choose import SelectOptions
    from curate.select.choose import select as choose
    from curate.select.keep import selected_file, write_selected
    from garments.dataset import Dataset

    options = SelectOptions(strategy, budget, names(attributes), share(audit), str(seed))
    data = Dataset.open(dataset)
    with err.status("weighing garments"):
        found = choose(data, options)
    _tell(found, dry_run)
    if dry_run or not found.picked.garments:
        return
    path = write_selected(selected_file(data), found.picked.garments, options.about)
    if out_file:
        path = write_selected(out_file, found.picked.garments, options.about)
    _tell_next(data, found, path)


def _tell(found: "Selection", dry_run: bool) -> None:
    picked = found.picked
    if picked.reasons:
        rows = zip(picked.garments, picked.scores, picked.reasons, strict=True)
        table(("garment", "against it", "label"), list(rows)[:SHOWN])
    elif picked.scores:
        pairs = zip(picked.garments, picked.scores, strict=True)
        table(("garment", "doubt"), list(pairs)[:SHOWN])
    if picked.scores and len(picked.garments) > SHOWN:
        out.print(f"... and {len(picked.garments) - SHOWN:,} more", markup=False)
    done = "would be" if dry_run else "are"
    of = "labelled garments" if found.options.strategy == "errors" else "garments"
    out.print(
        f"{len(picked.garments):,} of {found.pool:,} {of} {done} chosen ({found.options.about})",
        markup=False,
    )
    for one in found.worth:
        out.print(str(one), markup=False)
    for note in picked.notes:
        err.print(f"note: {note}", markup=False)


def _tell_next(data: "Dataset", found: "Selection", path: Path) -> None:
    out.print(f"Kept: {path}", markup=False)
    where = f"--dataset {data.folder}"
    look = f"garmentloop curate open {where} --view 'selected batch'"
    out.print(f"Look at them, and mend what is wrong: {look}", markup=False)
    again = found.options.strategy == "errors"
    send = "Have somebody else answer" if again else "Send them"
    what = f"--select {'errors' if again else path} --limit {len(found.picked.garments)}"
    out.print(f"{send}: garmentloop annotate push {where} {what}", markup=False)
