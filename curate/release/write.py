"""Making a release: everything is written beside its place and moved there when it is whole."""

import errno
import os
import shutil
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from curate.release import snapshot
from curate.release.card import card_text
from curate.release.checks import chosen, expect_some
from curate.release.choose import Choice, LeftOut
from curate.release.datasheet import datasheet_html
from curate.release.facts import Facts, cutters_and_sizes
from curate.release.figures import figures
from curate.release.gaps import gaps
from curate.release.manifest import FileEntry, Manifest, TableEntry, file_entry, files_in
from curate.release.names import MANIFEST, expect_new, release_names
from curate.release.shards import SHARD_BYTES, Written, write_shards
from curate.release.sources import LEFT_OUT, SOURCES, write_left_out, write_sources
from garments.atwork import at_work
from garments.catalog.lock import exclusive
from garments.dataset import TAXONOMY_FILE
from garments.errors import DatasetError

if TYPE_CHECKING:
    from garments.dataset import Dataset

CARD, DATASHEET = "README.md", "datasheet.html"

_UNFINISHED = ".new-"


@dataclass(frozen=True)
class ReleaseOptions:
    """`licences`: only photos under one of these. `shard_bytes`: where a file ends.

    `workers` are threads that read and decode; those of `extract` unless given.
    """

    note: str = ""
    licences: Sequence[str] = ()
    dry_run: bool = False
    workers: int | None = None
    shard_bytes: int = SHARD_BYTES


@dataclass(frozen=True)
class ReleaseProgress:
    """How far a release is, in garments. The last one tells what was made; no folder if dry."""

    done: int
    total: int
    splits: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[LeftOut, int] = field(default_factory=dict)
    folder: Path | None = None
    hash: str = ""
    skipped: int = 0


def release(
    dataset: "Dataset", name: str, options: ReleaseOptions | None = None
) -> Iterator[ReleaseProgress]:
    """Freeze what people hold of the data set as `releases/<name>/`; yields as it goes.

    The folder appears when it is whole. Whoever is stopped or killed before leaves nothing that
    counts, and runs the same again. Raises `BadSetting` for a name that cannot be, `DatasetError`
    for one that exists, when no garment is left, when splits share a photo, and when the disk is
    full.
    """
    options = options or ReleaseOptions()
    folder = expect_new(dataset, name)
    if options.dry_run:
        choice = chosen(dataset, options.licences)
        done = len(choice.items)
        yield ReleaseProgress(done, done, choice.counts(), choice.reasons())
        return
    with at_work(dataset), alone_with_releases(dataset):
        expect_new(dataset, name)  # another process may have been faster
        snapshot.forget_others(dataset, release_names(dataset))
        yield from _made(dataset, folder, options)


def _made(dataset: "Dataset", folder: Path, options: ReleaseOptions) -> Iterator[ReleaseProgress]:
    """Write the release into a folder of its own, then move that; on any failure nothing stays."""
    unfinished = folder.with_name(f"{_UNFINISHED}{folder.name}-{os.getpid()}")
    tag, whole = snapshot.tag_of(folder.name), False
    try:
        frozen = snapshot.freeze(dataset, tag)
        frozen.taxonomy = dataset.taxonomy
        last = yield from _written(frozen, folder.name, unfinished, options)
        to_disk(unfinished)
        unfinished.rename(folder)
        whole = True
        yield replace(last, folder=folder)
    except OSError as error:
        raise DatasetError(_failure(folder, error)) from error
    finally:
        if not whole:
            shutil.rmtree(unfinished, ignore_errors=True)
            with suppress(OSError, ValueError):  # the next release does it
                snapshot.unfreeze(dataset, tag)


def _written(
    dataset: "Dataset", name: str, folder: Path, options: ReleaseOptions
) -> Generator[ReleaseProgress, None, ReleaseProgress]:
    """Write all files of a release; returns its last event."""
    # 1. Pictures and labels.
    choice = chosen(dataset, options.licences)
    total, done, written = len(choice.items), 0, Written()
    workers = options.workers or dataset.settings.extract.workers
    for count in write_shards(
        dataset, choice, folder / "data", written, workers, options.shard_bytes
    ):
        done += count
        yield ReleaseProgress(done, total)
    choice = choice.without(written.unreadable)
    expect_some(choice)
    # 2. Where they come from, what is missing, and what the words mean.
    write_sources(folder / SOURCES, choice)
    write_left_out(folder / LEFT_OUT, choice.left_out)
    dataset.taxonomy.save(folder / TAXONOMY_FILE)
    # 3. What people read about it.
    facts = _facts(dataset, name, choice, written, options, _entries(folder))
    (folder / DATASHEET).write_text(datasheet_html(dataset, facts), encoding="utf-8")
    (folder / CARD).write_text(card_text(facts), encoding="utf-8")
    # 4. The hashes of all that.
    manifest = _manifest(dataset, facts, options, _entries(folder))
    (folder / MANIFEST).write_text(manifest.dumps(), encoding="utf-8")
    return ReleaseProgress(total, total, written.rows, choice.reasons(), hash=manifest.hash)


def _facts(
    dataset: "Dataset",
    name: str,
    choice: Choice,
    written: Written,
    options: ReleaseOptions,
    files: dict[str, FileEntry],
) -> Facts:
    found, left_out = figures(dataset, choice), choice.reasons()
    cutters, sizes = cutters_and_sizes(dataset, choice)
    return Facts(
        name=name,
        dataset=dataset.settings.name,
        created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        note=options.note.strip(),
        software=metadata.version("garmentloop"),
        simulated=dataset.settings.simulated,
        tag=snapshot.tag_of(name),
        choice=choice,
        written=written,
        figures=found,
        gaps=gaps(found, left_out, choice.outdated, dataset.settings.simulated),
        left_out=left_out,
        cutters=cutters,
        sizes=sizes,
        files=files,
        catalogue=_tables(dataset),
    )


def _manifest(
    dataset: "Dataset", facts: Facts, options: ReleaseOptions, files: dict[str, FileEntry]
) -> Manifest:
    taxonomy = dataset.taxonomy
    return Manifest(
        name=facts.name,
        dataset=facts.dataset,
        created_at=facts.created_at,
        note=facts.note,
        software=facts.software,
        simulated=facts.simulated,
        licences=tuple(options.licences),
        taxonomy=taxonomy.hash,
        attributes={a.id: taxonomy.vocabulary_hash(a.id) for a in taxonomy.attributes},
        split_versions=facts.choice.split_versions,
        tag=facts.tag,
        catalogue=dict(facts.catalogue),
        splits=facts.written.rows,
        photos=facts.figures.photos,
        left_out={str(reason): count for reason, count in facts.left_out.items()},
        files=files,
    )


def _tables(dataset: "Dataset") -> dict[str, TableEntry]:
    catalog = dataset.catalog
    versions = catalog.versions if isinstance(catalog, snapshot.FrozenCatalog) else {}
    return {
        table: TableEntry(version=version, rows=catalog.count(table))
        for table, version in versions.items()
    }


def _entries(folder: Path) -> dict[str, FileEntry]:
    return {path: file_entry(folder / path) for path in files_in(folder)}


@contextmanager
def alone_with_releases(dataset: "Dataset") -> Iterator[None]:
    """One release at a time; what a killed one left is cleared away."""
    try:
        dataset.releases.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(_failure(dataset.releases, error)) from error
    with exclusive(dataset.releases / ".lock"):
        for left in dataset.releases.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def to_disk(folder: Path) -> None:
    """Have the file system write it all, so that a power cut cannot leave a hollow release."""
    for path in [*(folder / name for name in files_in(folder)), folder / MANIFEST, folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _failure(folder: Path, error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
    advice = "free some disk space" if full else "mend what it says"
    return (
        f"expected to write {folder}, but {error.strerror or error}; {advice} and run the same "
        "command again: nothing half-written was kept"
    )
