"""`prelabel` itself: garments in, every tagger's raw logits and embeddings out, resumable.

find what is lacking -> read crops and masks (threads) -> ask the taggers (batches) -> catalogue
(groups). What a version has said about a crop is never asked again.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from annotate.crops import CropLoader
from annotate.failures import Failures
from annotate.options import Plan, PrelabelOptions, PrelabelProgress
from annotate.pending import Pending, find_pending
from annotate.record import Recorder
from extract.ahead import ahead, in_batches
from garments.atwork import at_work
from garments.calibrate import record_model_calibrations
from garments.catalog import one_of
from garments.dataset import Dataset
from garments.errors import BadInput, ModelError
from garments.migration.history import History
from garments.settings import Settings
from garments.tagger import Crop, Tagger, Tags

__all__ = ["Plan", "PrelabelOptions", "PrelabelProgress", "load_taggers", "plan", "prelabel"]

_ROWS_AT_ONCE = 1024
"""Garments whose rows, masks among them, are read together."""


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A garment (its position among all) and its crop, or why there is none."""

    position: int
    garment_id: str
    crop_sha: str
    crop: Crop | None
    reason: str = ""


def prelabel(
    dataset: Dataset,
    options: PrelabelOptions | None = None,
    taggers: Sequence[Tagger] | None = None,
) -> Iterator[PrelabelProgress]:
    """Ask the taggers about every garment that lacks their word, telling after each batch.

    Taggers are loaded as `load_taggers` says unless they are given. A garment whose crop or mask
    cannot be used is left out, counted, and written to `run/prelabel.log`. What was finished when
    the consumer stops, or when an error is raised, is kept.
    """
    options = options or PrelabelOptions()
    attributes = options.wanted(dataset)
    if not _has_garments(dataset):
        yield PrelabelProgress(total=0)
        return
    taggers = load_taggers(dataset, options) if taggers is None else taggers
    with nullcontext() if options.dry_run else at_work(dataset):
        pending = find_pending(dataset, taggers, attributes, options.only_new, options.limit)
        total = pending.complete + len(pending.chosen)
        progress = PrelabelProgress(skipped=pending.complete, total=total)
        yield progress
        if options.dry_run:
            return
        for tagger in taggers:
            record_model_calibrations(dataset, tagger)
        if len(pending.chosen):
            yield from _run(dataset, options, taggers, pending, progress)


def plan(
    dataset: Dataset,
    options: PrelabelOptions | None = None,
    taggers: Sequence[Tagger] | None = None,
) -> Plan:
    """What `prelabel` with the same arguments would do; writes nothing and opens no picture."""
    options = options or PrelabelOptions()
    attributes = options.wanted(dataset)
    if not _has_garments(dataset):
        return Plan()
    taggers = load_taggers(dataset, options) if taggers is None else taggers
    pending = find_pending(dataset, taggers, attributes, options.only_new, options.limit)
    return Plan(len(pending.chosen), pending.complete, pending.proposals)


def load_taggers(dataset: Dataset, options: PrelabelOptions | None = None) -> list[Tagger]:
    """The data set's tagger, those that were promoted, then second opinions that are of use.

    Promoted ones are asked what they were promoted for; where the options name a model, they are
    left out. Raises `UnknownModel`, `UnfitModel` or `ModelError`, each saying what to do.
    """
    from annotate.in_force import promoted_references, trained_models
    from annotate.taggers import load_tagger

    options = options or PrelabelOptions()
    settings, attributes = options.settings(dataset), options.wanted(dataset)
    load = partial(
        load_tagger,
        taxonomy=dataset.taxonomy,
        device=options.device,
        speed=settings.speed,
        background=settings.prelabel.background,
        cache=dataset.run / "texts",
        models=trained_models(dataset),
        history=History.of(dataset.folder),
    )
    promoted = {} if options.named else promoted_references(dataset)
    base = settings.models.base_tagger
    references = [base, *promoted, *settings.prelabel.second_opinion]
    everything = dict.fromkeys(references, attributes)
    for name in promoted.keys() - {base, *settings.prelabel.second_opinion}:
        everything[name] = tuple(a for a in attributes if a in promoted[name])
    # A rule knows the one attribute that it is named after.
    answered = {name: _answered(name, asked) for name, asked in everything.items()}
    return [load(name, attributes=known) for name, known in answered.items() if known]


def _answered(reference: str, attributes: Sequence[str]) -> Sequence[str]:
    source, _, name = reference.partition(":")
    return [a for a in attributes if a == name] if source == "rule" else attributes


def _has_garments(dataset: Dataset) -> bool:
    return bool(dataset.catalog.active_garments(columns=["garment_id"]).num_rows)


def _run(
    dataset: Dataset,
    options: PrelabelOptions,
    taggers: Sequence[Tagger],
    pending: Pending,
    progress: PrelabelProgress,
) -> Iterator[PrelabelProgress]:
    settings = options.settings(dataset)
    recorder = Recorder(dataset.catalog, options.commit_seconds)
    failures = Failures(dataset)
    pool = ThreadPoolExecutor(settings.extract.workers, "prelabel")
    try:
        for batch in _batches(dataset, pending, settings, pool):
            good = [one for one in batch if one.crop is not None]
            bad = [one for one in batch if one.crop is None]
            made = _ask(dataset, taggers, pending, good, recorder)
            recorder.flush_if_due()
            failures.add((one.garment_id, one.reason) for one in bad)
            progress = replace(
                progress,
                tagged=progress.tagged + len(good),
                proposals=progress.proposals + made,
                failed=progress.failed + len(bad),
                reasons=failures.first,
            )
            yield progress
        recorder.close()
    except BaseException:
        # Keep what is finished. Where the disk is full this fails too: the first error tells more.
        with suppress(Exception):
            recorder.flush()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _batches(
    dataset: Dataset, pending: Pending, settings: Settings, pool: ThreadPoolExecutor
) -> Iterator[list[_Loaded]]:
    size = settings.prelabel.batch
    load = partial(_load, loader=CropLoader(dataset))
    loaded = ahead(pool, load, _rows(dataset, pending), size + settings.extract.workers)
    return in_batches(loaded, lambda one: one.crop is not None, size, 4 * size)


def _rows(dataset: Dataset, pending: Pending) -> Iterator[tuple[int, dict[str, Any]]]:
    """Position and row of each garment that is chosen, read in groups."""
    for start in range(0, len(pending.chosen), _ROWS_AT_ONCE):
        positions = pending.chosen[start : start + _ROWS_AT_ONCE].tolist()
        ids = [pending.garment_ids[at] for at in positions]
        found = dataset.catalog.rows("garments", where=one_of("garment_id", ids)).to_pylist()
        rows = {row["garment_id"]: row for row in found}
        yield from ((at, rows[name]) for at, name in zip(positions, ids, strict=True))


def _load(item: tuple[int, dict[str, Any]], loader: CropLoader) -> _Loaded:
    position, row = item
    garment_id, crop_sha = row["garment_id"], row["crop_sha"]
    try:
        return _Loaded(position, garment_id, crop_sha, loader.load(row))
    except BadInput as error:
        return _Loaded(position, garment_id, crop_sha, None, str(error))


def _ask(
    dataset: Dataset,
    taggers: Sequence[Tagger],
    pending: Pending,
    batch: Iterable[_Loaded],
    recorder: Recorder,
) -> int:
    """Ask each tagger about those of the batch that lack its word; how many proposals came."""
    made = 0
    for tagger, lacking in zip(taggers, pending.lacking, strict=True):
        mine = [one for one in batch if any(mask[one.position] for mask in lacking.values())]
        if not mine:
            continue
        tags = tagger.tag([one.crop for one in mine if one.crop is not None])
        _check(dataset, tagger, tags, len(mine), lacking)
        crops = [(one.garment_id, one.crop_sha) for one in mine]
        at = np.array([one.position for one in mine])
        made += recorder.add(tagger, crops, tags, {name: m[at] for name, m in lacking.items()})
    return made


def _check(
    dataset: Dataset, tagger: Tagger, tags: Tags, crops: int, attributes: Iterable[str]
) -> None:
    """`ModelError` for logits that are not one number for each crop and value."""
    for name in attributes:
        expected = (crops, len(dataset.taxonomy.values(name)))
        shape = tags.logits[name].shape if name in tags.logits else None
        if shape != expected:
            raise ModelError(
                f"expected logits of shape {expected} for {name} from {tagger.reference}, but got "
                f"{shape}; was it made for another taxonomy? Load or train it again"
            )
