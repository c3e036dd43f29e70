"""`garmentloop extract`."""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out
from garmentloop.options import (
    DatasetOption,
    DetectorOption,
    DeviceOption,
    EngineOption,
    LimitOption,
    ParserOption,
    PrecisionOption,
    WorkersChoice,
    WorkersOption,
)

if TYPE_CHECKING:
    from extract.run import RunOptions


class Background(StrEnum):
    """What a garment crop shows around the garment."""

    KEEP = "keep"
    BLUR = "blur"
    WHITE = "white"


def extract(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCES",
            help="Photos, folders, globs, a manifest (.csv, .jsonl), a list of URLs (.txt), "
            "a downloaded profile folder.",
        ),
    ],
    dataset: DatasetOption,
    limit: LimitOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    device: DeviceOption = "auto",
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    workers: WorkersOption = None,
    detector: DetectorOption = None,
    parser: ParserOption = None,
    as_crops: Annotated[
        bool,
        typer.Option(
            "--as-crops", help="Each photo already shows one garment (shop picture, flat lay)."
        ),
    ] = False,
    regions: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="What is cut, such as upper,lower,whole,feet.",
        ),
    ] = None,
    background: Annotated[
        Background | None, typer.Option(help="What crops show around the garment.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Photos given to a model at once.")
    ] = None,
    prelabel: Annotated[
        bool,
        typer.Option("--prelabel", help="Then propose labels for crops that no tagger saw yet."),
    ] = False,
) -> None:
    """Find people in photos, turn down those that show too little, cut out their garments.

    The data set is made where there is none. Stop it at any time: what was
    finished is kept, and the same command goes on from there. Unreadable
    photos are recorded with the reason. Options that are left out are taken
    from the data set's settings, DIR/dataset.toml.

    Examples:

      garmentloop extract photos/ --dataset datasets/mine
      garmentloop extract "may/*.jpg" list.csv -d datasets/mine --limit 100
      garmentloop extract photos/ -d datasets/mine --dry-run
      garmentloop extract photos/ -d datasets/mine --prelabel
      garmentloop extract shop/ -d datasets/shop --as-crops
      garmentloop extract photos/ -d datasets/fine \\
          --detector hf:facebook/detr-resnet-50 \\
          --parser hf:mattmdjaga/segformer_b2_clothes
    """
    from extract.run import RunOptions

    options = RunOptions(
        limit=limit,
        dry_run=dry_run,
        device=device,
        engine=engine,
        precision=precision,
        workers=workers.threads if workers else None,
        detector=detector,
        parser=parser,
        as_crops=as_crops,
        regions=tuple(regions.replace(" ", "").split(",")) if regions else None,
        background=background.value if background else None,
        batch=batch,
    )
    if dry_run:
        _foretell(dataset, sources, options)
    else:
        _extract(dataset, sources, options, prelabel, workers)


def _extract(
    folder: Path,
    sources: list[str],
    options: "RunOptions",
    prelabel: bool,
    chosen: WorkersChoice | None,
) -> None:
    from extract.report import write_report
    from extract.run import run
    from garmentloop.commands.prelabel import proposer
    from garmentloop.progress import follow, sentence
    from garmentloop.workers.cluster import open_workers
    from garments.dataset import Dataset

    if not (folder / "dataset.toml").exists():
        err.print(f"Making data set {folder}.", markup=False)
    dataset = Dataset.open_or_create(folder)
    with open_workers(chosen, options.device) as workers:
        propose = proposer(dataset, options, workers) if prelabel else None
        end = follow(run(dataset, sources, options, workers=workers), err)
        if end is None or end.done == 0:
            err.print(f"No photo found in {', '.join(sources)}", markup=False)
            return
        out.print(f"{end.photos} photos extracted: {sentence(end)}", markup=False)
        proposals = propose() if propose else 0
    page = dataset.reports / "index.html"
    if end.photos or proposals or not page.exists():
        page = write_report(dataset)
    out.print(f"Contact sheet: {page}", markup=False)


def _foretell(folder: Path, sources: list[str], options: "RunOptions") -> None:
    from extract.run import plan
    from garments.dataset import Dataset

    if (folder / "dataset.toml").exists():
        _print_plan(plan(Dataset.open(folder), sources, options))
        return
    # A dry run writes nothing, so a data set that is yet to be made is made elsewhere.
    with tempfile.TemporaryDirectory() as scratch:
        dataset: Dataset = Dataset.create(Path(scratch) / folder.resolve().name)
        out.print(f"would make data set {folder}", markup=False)
        _print_plan(plan(dataset, sources, options))


def _print_plan(plan: object) -> None:
    out.print(str(plan), markup=False)
