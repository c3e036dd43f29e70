"""`garmentloop prelabel`."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out
from garmentloop.options import (
    DatasetOption,
    DeviceOption,
    EngineOption,
    PrecisionOption,
    TaggerOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from annotate.hearing import Panel
    from annotate.options import PrelabelOptions, PrelabelProgress
    from extract.options import RunOptions
    from extract.pipeline import Workers
    from garments.dataset import Dataset


class Surroundings(StrEnum):
    """What a tagger sees beside the garment."""

    KEEP = "keep"
    GREY = "grey"
    BLUR = "blur"
    WHITE = "white"


def prelabel(
    dataset: DatasetOption,
    model: TaggerOption = None,
    attributes: Annotated[
        str | None, typer.Option(metavar="LIST", help="Of which attributes, such as color,style.")
    ] = None,
    only_new: Annotated[
        bool,
        typer.Option(
            "--only-new/--again",
            help="Only crops that this tagger never saw, or also those that an earlier version "
            "of it saw.",
        ),
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after this many garments.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    device: DeviceOption = "auto",
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    workers: WorkersOption = None,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Crops given to a tagger at once.")
    ] = None,
    background: Annotated[
        Surroundings | None, typer.Option(help="What a tagger sees beside the garment.")
    ] = None,
) -> None:
    """Propose labels for every garment: category, color, pattern and the like.

    Asks the data set's tagger (models.tagger in DIR/dataset.toml) and those
    of prelabel.second_opinion. What they say is kept raw; how sure that is,
    and when it is a "don't know", is decided on reading. The same version of a
    tagger never proposes twice for the same crop, so stop it at any time: the
    same command goes on from there. Garments whose crop cannot be read are
    left out and listed in DIR/run/prelabel.log.

    Examples:

      garmentloop prelabel --dataset datasets/mine
      garmentloop prelabel -d datasets/mine --model hf:patrickjohncyh/fashion-clip
      garmentloop prelabel -d datasets/mine --attributes color,pattern --only-new
    """
    from annotate.options import PrelabelOptions
    from garmentloop.workers.cluster import open_workers
    from garments.dataset import Dataset

    options = PrelabelOptions(
        model=model,
        attributes=tuple(attributes.replace(" ", "").split(",")) if attributes else None,
        only_new=only_new,
        limit=limit,
        device=device,
        engine=engine,
        precision=precision,
        batch=batch,
        background=background.value if background else None,
        dry_run=dry_run,
    )
    data = Dataset.open(dataset)
    if dry_run:
        _foretell(data, options)
        return
    if not data.catalog.active_garments(columns=["garment_id"]).num_rows:
        out.print(
            f"{dataset} has no garments yet; cut some out with `garmentloop extract PHOTOS "
            f"--dataset {dataset}`",
            markup=False,
        )
        return
    with open_workers(workers, device) as chosen:
        made = _propose(data, options, chosen).proposals
    if made:
        _refresh_report(data)


def proposer(
    dataset: "Dataset", extraction: "RunOptions", workers: "Workers | None"
) -> Callable[[], int]:
    """What proposes for all crops that are new by then; it returns how many proposals it made.

    Models run as in the extraction. The taggers are loaded at once, so that a wrong name is told
    before a long extraction.
    """
    from annotate.options import PrelabelOptions

    options = PrelabelOptions(
        only_new=True,
        device=extraction.device,
        engine=extraction.engine,
        precision=extraction.precision,
    )
    panel = _panel(dataset, options)
    return lambda: _propose(dataset, options, workers, panel).proposals


def _panel(dataset: "Dataset", options: "PrelabelOptions") -> "Panel":
    from annotate.prelabel import load_panel

    with err.status("loading taggers"):
        return load_panel(dataset, options)


def _propose(
    dataset: "Dataset",
    options: "PrelabelOptions",
    workers: "Workers | None",
    panel: "Panel | None" = None,
) -> "PrelabelProgress":
    """Run `prelabel` with progress, and say what it did."""
    from annotate.options import PrelabelProgress
    from annotate.prelabel import prelabel as run
    from garmentloop.progress import follow_tagging

    panel = panel or _panel(dataset, options)
    told = run(dataset, options, panel, workers)
    end = follow_tagging(told, err) or PrelabelProgress()
    _tell(dataset, end)
    return end


def _tell(dataset: "Dataset", end: "PrelabelProgress") -> None:
    """Say what a run did, and why garments were left out."""
    from garmentloop.progress import tagged_sentence

    out.print(f"{end.tagged} garments tagged: {tagged_sentence(end)}", markup=False)
    for reason in end.reasons:
        err.print(f"left out: {reason}", markup=False)
    if end.failed > len(end.reasons):
        err.print(f"all of them: {dataset.run / 'prelabel.log'}", markup=False)


def _foretell(dataset: "Dataset", options: "PrelabelOptions") -> None:
    from annotate.prelabel import plan

    with err.status("comparing"):
        foreseen = plan(dataset, options)
    out.print(str(foreseen), markup=False)


def _refresh_report(dataset: "Dataset") -> Path:
    from extract.report import write_report

    with err.status("writing the report"):
        page = write_report(dataset)
    out.print(f"Contact sheet: {page}", markup=False)
    return page
