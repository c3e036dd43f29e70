"""`import` itself: a public set in, photos with people, garment crops and labels out, resumable.

claim (one thread, in the set's order) -> decode, read labels, cut (threads) -> catalogue (groups).
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from curate.imports.cut import Claimed, Done, cut, foretell
from curate.imports.entries import Entry, PublicSet
from curate.imports.options import MOST_REASONS, ImportOptions, ImportProgress
from curate.imports.record import ImportRecorder, Kept
from extract.ahead import ahead
from extract.claims import Claims
from extract.files import Writer
from extract.finish import Bench
from extract.found import found_file
from extract.outcome import Fate, Outcome
from extract.provenance import Provenance, write_provenance
from garments.atwork import at_work
from garments.dataset import Dataset
from garments.errors import BadSource, DatasetError
from garments.files import read_bytes
from garments.ids import content_id, person_id, stable_id
from garments.mappings import mapping_names, mapping_text
from garments.records import PhotoState, Source
from garments.settings import Settings
from garments.withdrawals import Withdrawals

RECIPE = 1
"""Version of what an import does with a set; raise it when results change."""


def run(
    dataset: Dataset, chosen: PublicSet, options: ImportOptions | None = None
) -> Iterator[ImportProgress]:
    """Import `chosen` into `dataset`, telling after each photo.

    What was imported before with the same labels and settings is skipped. What was finished when
    the consumer stops, or when an error is raised, is kept. A dry run writes nothing.
    """
    options = options or ImportOptions()
    settings = options.settings(dataset)
    config = config_hash(dataset, chosen, settings, options.exact)
    alongside = nullcontext() if options.dry_run else at_work(dataset)
    with _disk_trouble(dataset), alongside:
        when = options.commit_photos, options.commit_seconds
        recorder = ImportRecorder(dataset, chosen.name, config, *when)
        if options.dry_run:
            bench = Bench(dataset, settings, _NoWriter())
        else:
            bench = Bench(dataset, settings, Writer(dataset.run / "scratch"))
            crops = settings.crops.model_dump(mode="json")
            who = f"import:{chosen.name}"
            provenance = Provenance(config, detector=who, parser=who, crops=crops)
            write_provenance(dataset, provenance, bench.writer)
        yield from _run(chosen, options, bench, recorder)


def config_hash(dataset: Dataset, chosen: PublicSet, settings: Settings, exact: bool) -> str:
    """Hash of all that decides what is imported: the set's labels, how they are read and cut."""
    crops = settings.crops.model_dump(mode="json")
    crops["regions"] = sorted(set(crops["regions"]))
    vocabulary = [dataset.taxonomy.vocabulary_hash(a.id) for a in dataset.taxonomy.attributes]
    mappings = [mapping_text(name) for name in mapping_names()]
    framing = "" if chosen.cuts else settings.framing
    parts = (chosen.name, chosen.edition, exact, crops, framing, vocabulary, mappings)
    return stable_id("import", RECIPE, *parts)


def _run(
    chosen: PublicSet, options: ImportOptions, bench: Bench, recorder: ImportRecorder
) -> Iterator[ImportProgress]:
    there = [entry for entry in chosen.entries if _exists(entry.path)]
    entries, absent = there[: options.limit], len(chosen.entries) - len(there)
    progress = ImportProgress(total=len(entries), absent=absent)
    pool = ThreadPoolExecutor(bench.settings.extract.workers, "import")
    work = foretell if options.dry_run else partial(cut, bench=bench)
    try:
        claimed = _claimed(chosen, entries, bench.dataset, recorder)
        for done in ahead(pool, work, claimed, 4 * bench.settings.extract.workers):
            progress = _counted(progress, done, options.dry_run)
            if not options.dry_run:
                if done.look is None or not done.look.outside:
                    recorder.add(done.outcome)
                progress = replace(progress, labels=recorder.labels)
            yield progress
        if not options.dry_run:
            recorder.close()
            yield replace(progress, labels=recorder.labels)
    except BaseException:
        # Keep what is finished. Where the disk is full this fails too: the first error tells more.
        if not options.dry_run:
            with suppress(Exception):
                recorder.flush()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _claimed(
    chosen: PublicSet, entries: Sequence[Entry], dataset: Dataset, recorder: ImportRecorder
) -> Iterator[Claimed | Outcome]:
    """Photos that are still to be imported, and what is settled already.

    Read here, one after the other: of the same picture under two names the first speaks, always.
    """
    kept = set() if chosen.cuts else {p for p in _extracted(dataset) if p not in recorder.done}
    claims = Claims(recorder.done, {}, Withdrawals(dataset).refused())
    for entry in entries:
        try:
            data = read_bytes(entry.path)
        except BadSource as error:
            yield Outcome(Fate.UNREADABLE, _source(chosen, entry, None, str(error)))
            continue
        photo_id = content_id(data)
        source = _source(chosen, entry, photo_id)
        fate = claims.claim(photo_id, source.origin)
        if photo_id in kept:
            yield Kept(Fate.DONE, source)
        elif fate:
            yield Outcome(fate, source)
        else:
            yield Claimed(entry, source, data)


def _exists(path: Path) -> bool:
    """Whether there is something, if only something that cannot be read."""
    return os.path.lexists(path)


def _extracted(dataset: Dataset) -> set[str]:
    """Photos that garments were cut out of."""
    return set(dataset.catalog.active_garments(columns=["photo_id"]).column(0).to_pylist())


def _source(chosen: PublicSet, entry: Entry, photo_id: str | None, problem: str = "") -> Source:
    """Where an entry's photo came from; a set that states otherwise later gets another record."""
    origin = found_file(entry.path).origin
    stated = (entry.split, entry.licence) if not problem else ("unreadable",)
    return Source(
        source_id=stable_id("import", chosen.name, origin, photo_id or "", *stated),
        origin=origin,
        photo_id=photo_id,
        licence=entry.licence,
        state=PhotoState.UNREADABLE if problem else PhotoState.OK,
        reason=problem,
        split=entry.split,
    )


def _counted(progress: ImportProgress, done: Done, dry_run: bool) -> ImportProgress:
    fate, look = done.outcome.fate, done.look
    if look is not None:
        progress.words.add(look.words)
    if fate is Fate.TAKEN_DOWN:
        return replace(progress, taken_down=progress.taken_down + 1)
    if fate is Fate.UNREADABLE:
        reasons = progress.reasons
        if len(reasons) < MOST_REASONS:
            source = done.outcome.source
            reasons = (*reasons, f"{source.origin}: {source.reason}")
        return replace(progress, unreadable=progress.unreadable + 1, reasons=reasons)
    if isinstance(done.outcome, Kept):
        return replace(progress, kept=progress.kept + 1)
    if look is None:
        twice = progress.twice + (fate is Fate.DUPLICATE)
        return replace(progress, skipped=progress.skipped + 1, twice=twice)
    if look.outside:
        return replace(progress, outside=progress.outside + 1)
    labels = sum(len(piece.values) for piece in look.pieces) if dry_run else 0
    # Two boxes within a few pixels are one person.
    people = {person_id("", figure.box) for figure in look.figures}
    return replace(
        progress,
        photos=progress.photos + 1,
        people=progress.people + len(people),
        garments=progress.garments + len(look.pieces),
        labels=progress.labels + labels,
    )


class _NoWriter(Writer):
    """For a dry run: nothing is written."""

    def __init__(self) -> None:
        """Nothing is made either."""


@contextmanager
def _disk_trouble(dataset: Dataset) -> Iterator[None]:
    """Turn what the file system says into advice."""
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"expected to write into {dataset.folder}, but {error.strerror or error}; what was "
            "finished is kept: make room there, then run the same command again"
        ) from error
