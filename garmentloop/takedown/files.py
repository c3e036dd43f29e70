"""Files of a data set that have something of a photo: pictures, pages, caches, lists, logs."""

import shutil
from collections.abc import Collection, Iterator
from time import time
from typing import TYPE_CHECKING

from extract.files import Writer, alive
from garmentloop.takedown.intent import Intent
from garmentloop.takedown.originals import drop_originals, originals_elsewhere, some_of
from garmentloop.takedown.walk import APART, walk
from garments.catalog.belongings import among, tables_with_crops
from garments.catalog.store import KEEP_VERSIONS
from garments.scrub import drop_lines
from garments.sqlite import databases, vacuum

if TYPE_CHECKING:
    from garments.dataset import Dataset

LISTS = {".txt", ".csv", ".tsv", ".jsonl", ".ndjson", ".log"}
"""Files with a thing a line."""


def clear_files(dataset: "Dataset", intent: Intent) -> list[str]:
    """Delete or thin out every file that has something of it; notes for the user."""
    notes = [
        *_pictures(dataset, intent),
        *_pages(dataset),
        *_caches(dataset, intent),
        *_originals(dataset, intent),
    ]
    for path in walk(dataset.folder, APART):
        if path.suffix.lower() in LISTS:
            drop_lines(path, intent.terms)
    _unfinished(dataset)
    for part in ("run", "models"):
        if (dataset.folder / part).is_dir():
            for path in databases(dataset.folder / part):
                if "labelstudio" not in path.parts and "fiftyone" not in path.parts:
                    vacuum(path)
    return notes


def _pictures(dataset: "Dataset", intent: Intent) -> Iterator[str]:
    """Previews, thumbnails and crops; where garments were cut again, also crops of nobody."""
    from annotate.studio.withdraw import withdraw_files

    what = intent.what
    for photo in what.photos:
        dataset.preview_path(photo).unlink(missing_ok=True)
    for sha in what.crops:
        dataset.crop_path(sha).unlink(missing_ok=True)
    withdraw_files(dataset, intent.terms)
    if intent.recut and (count := _drop_orphans(dataset)):
        yield f"{count:,} crops that no garment has any more were deleted with it"


def _drop_orphans(dataset: "Dataset") -> int:
    """Delete crops that nothing in the catalogue names and that nobody wrote just now; how many.

    They are left where garments are cut again, and nothing tells any more from which photo.
    """
    before = time() - KEEP_VERSIONS.total_seconds()
    used = set(dataset.catalog.rows("garments", ["crop_sha"]).column(0).to_pylist())
    files = {path.stem: path for path in (dataset.folder / "crops").glob("*/*.jpg")}
    lone = {sha for sha, path in files.items() if sha not in used and path.stat().st_mtime < before}
    for table in tables_with_crops(dataset.catalog):
        for where in among("crop_sha", lone):
            rows = dataset.catalog.rows(table, ["crop_sha"], where)
            lone -= set(rows.column(0).to_pylist())
    for sha in lone:
        files[sha].unlink(missing_ok=True)
    return len(lone)


def _pages(dataset: "Dataset") -> Iterator[str]:
    """Pages that show crops; all can be written again."""
    from annotate.guidelines import PAGE, keep_guidelines

    if dataset.reports.is_dir():
        shutil.rmtree(dataset.reports)
        yield (
            f"{dataset.reports} was deleted, as its pages show crops: `garmentloop report`, "
            "`annotate report`, `calibrate`, `similar` and `evaluate tagger --page` write them anew"
        )
    page = dataset.folder / PAGE
    if page.exists():
        page.unlink()
        keep_guidelines(dataset)
        yield f"{page} was written anew, with other examples"


def _caches(dataset: "Dataset", intent: Intent) -> Iterator[str]:
    """What taggers said and learnt from is computed again where it is needed."""
    run, releases = dataset.run, intent.entry.releases
    shutil.rmtree(run / "huggingface", ignore_errors=True)
    if (run / "features").is_dir():
        from finetune.tagger.features import forget_features

        forget_features(run / "features", intent.what.garments)
    if (run / "evaluations").is_dir():
        for name in _hashes(dataset, releases):
            shutil.rmtree(run / "evaluations" / name[:16], ignore_errors=True)
    if (run / "training").is_dir() and releases:
        from finetune.tagger.claim import forget_unfinished

        for name in forget_unfinished(dataset, releases):
            yield f"the training of model:{name}, which had not ended, has to begin anew"


def _hashes(dataset: "Dataset", releases: Collection[str]) -> Iterator[str]:
    """Hashes that some releases had before something was withdrawn."""
    from curate.release.manifest import read_manifest
    from curate.release.names import release_names

    for name in release_names(dataset):
        if name in releases:
            yield from read_manifest(dataset.releases / name).hashes[1:]


def _originals(dataset: "Dataset", intent: Intent) -> Iterator[str]:
    """The files that the photos were read from: those in the data set's folder go, others stay."""
    elsewhere = originals_elsewhere(dataset, intent.what)
    drop_originals(dataset.folder, intent.what)
    if elsewhere:
        yield f"{some_of(elsewhere)} outside of {dataset.folder} stay; delete them yourself"


def _unfinished(dataset: "Dataset") -> None:
    """What the dead left half-written."""
    if (dataset.run / "scratch").is_dir():
        Writer(dataset.run / "scratch")
    for path in walk(dataset.folder, ("crops", "previews")):
        writer = path.name.removeprefix(".new-").partition("-")[0]
        if path.name.startswith(".new-") and not alive(writer):
            path.unlink(missing_ok=True)
