"""`garmentloop import`."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.console import err, out
from garmentloop.options import DatasetOption, DeviceOption, LimitOption

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from curate.imports.options import ImportOptions, ImportProgress
    from garments.dataset import Dataset

    Start = Callable[[Dataset], Iterator[ImportProgress]]

MOST_WORDS = 8
"""So many words of a kind are listed, the commonest first."""


def import_set(
    name: Annotated[
        str,
        typer.Argument(
            metavar="SET",
            help="ccp, ccp-tags, clothing, fashion-products, persons (COCO) or imaterialist.",
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The set's folder.")],
    dataset: DatasetOption,
    limit: LimitOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    regions: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="What is cut of outfits, such as upper,lower,feet."),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact", help="Leave out words that may stand for several values (outwear)."
        ),
    ] = False,
    device: DeviceOption = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Threads that decode and cut.")
    ] = None,
) -> None:
    """Take a public data set in: photos, people, garments and labels, by the taxonomy's mappings.

    The data set is made where there is none. Photos stay where they are;
    previews and crops are made. Labels are of kind import: whatever people say
    goes before them. Stop it at any time: the same command goes on from there,
    and importing again changes nothing, unless the set has changed. Words that
    did not become labels are counted. Layouts: datasets/recipes.

    ccp-tags has no masks: its photos are cut by the data set's models, and
    only what an outfit's tags leave no doubt about is labelled.

    Examples:

      garmentloop import ccp ../ccp --dataset datasets/ccp
      garmentloop import ccp ../ccp -d datasets/ccp --regions upper,lower,feet
      garmentloop import fashion-products ../products -d datasets/shop --dry-run
      garmentloop import persons ../coco -d datasets/coco --limit 1000
    """
    from curate.imports.names import set_name
    from curate.imports.options import ImportOptions
    from garments.dataset import Dataset

    chosen = set_name(name)
    options = ImportOptions(
        limit=limit,
        regions=tuple(regions.replace(" ", "").split(",")) if regions else None,
        exact=exact,
        dry_run=dry_run,
        device=device,
        workers=workers,
    )
    if (dataset / "dataset.toml").exists():
        data = Dataset.open(dataset)
        _import(data, _ready(data, chosen, folder, options), options)
    else:
        Dataset.expect_new(dataset)
        # Made elsewhere at first: nothing is left behind by a dry run, or where the set is no set.
        with tempfile.TemporaryDirectory() as scratch:
            trial: Dataset = Dataset.create(Path(scratch) / dataset.resolve().name)
            start = _ready(trial, chosen, folder, options)
            if dry_run:
                out.print(f"would make data set {dataset}", markup=False)
                _import(trial, start, options)
        if not dry_run:
            err.print(f"Making data set {dataset}.", markup=False)
            _import(Dataset.open_or_create(dataset), start, options)
    if chosen == "ccp" and (folder / "image_tags.csv").is_file():
        out.print(
            "Photos with image-level tags only are a set of their own: "
            f"garmentloop import ccp-tags {folder} -d {dataset}",
            markup=False,
        )


def _ready(dataset: "Dataset", name: str, folder: Path, options: "ImportOptions") -> "Start":
    """What imports a set whose tables were read, so that a wrong folder is told at once."""
    from curate.imports.names import CCP_TAGS, open_set
    from curate.imports.run import run
    from curate.imports.tags import read_tagged, run_tags

    with err.status(f"reading {folder}"):
        if name == CCP_TAGS:
            options.settings(dataset)
            tagged = read_tagged(folder)
            return lambda data: run_tags(data, tagged, options)
        chosen = open_set(name, folder, dataset, options)
    return lambda data: run(data, chosen, options)


def _import(dataset: "Dataset", start: "Start", options: "ImportOptions") -> None:
    from curate.imports.options import ImportProgress
    from extract.report import write_report
    from garmentloop.progress import follow_importing

    end = follow_importing(start(dataset), err) or ImportProgress()
    _tell(end, options.dry_run)
    if not options.dry_run and (end.photos or end.labels):
        with err.status("writing the report"):
            page = write_report(dataset)
        out.print(f"Contact sheet: {page}", markup=False)


def _tell(end: "ImportProgress", dry_run: bool) -> None:
    """Say what became of the photos, and of the words."""
    from garmentloop.progress import imported_sentence

    verb = "would be imported" if dry_run else "imported"
    photos = "photo" if end.photos == 1 else "photos"
    out.print(f"{end.photos:,} {photos} {verb}: {imported_sentence(end)}", markup=False)
    for reason in end.reasons:
        err.print(f"left out: {reason}", markup=False, emoji=False)
    if end.unreadable > len(end.reasons):
        err.print(f"and {end.unreadable - len(end.reasons):,} more", markup=False)
    words = end.words
    _list("in no mapping, so no label", words.unknown)
    _list("not in this data set's taxonomy, so no label", words.foreign)
    _list("left out on purpose", words.left_out)
    _list("may stand for several values", words.coarse)


def _list(what: str, words: "Counter[str]") -> None:
    if not words:
        return
    shown = ", ".join(f"{word} {count:,}" for word, count in words.most_common(MOST_WORDS))
    more = f", and {len(words) - MOST_WORDS} more" if len(words) > MOST_WORDS else ""
    said = "word" if words.total() == 1 else "words"
    out.print(f"{words.total():,} {said} {what}: {shown}{more}", markup=False, emoji=False)
