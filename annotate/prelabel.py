"""`prelabel` itself: garments in, every tagger's raw logits and embeddings out, resumable.

find what is lacking -> read crops and masks (threads) -> ask the taggers (batches) -> catalogue
(groups). What a version has said about a crop is never asked again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from annotate.failures import Failures
from annotate.hearing import Heard, Panel, Wanted, proposing
from annotate.options import Plan, PrelabelOptions, PrelabelProgress
from annotate.pending import Pending, find_pending
from annotate.record import Recorder
from extract.pipeline import Threads, Workers
from garments.atwork import at_work
from garments.calibrate import record_model_calibrations
from garments.catalog import one_of
from garments.dataset import Dataset
from garments.errors import ModelError
from garments.migration.history import History
from garments.tagger import Tagger, Tags

__all__ = ["Plan", "PrelabelOptions", "PrelabelProgress", "load_taggers", "plan", "prelabel"]

_ROWS_AT_ONCE = 1024
"""Garments whose rows, masks among them, are read together."""


def prelabel(
    dataset: Dataset,
    options: PrelabelOptions | None = None,
    taggers: Sequence[Tagger] | Panel | None = None,
    workers: Workers | None = None,
) -> Iterator[PrelabelProgress]:
    """Ask the taggers about every garment that lacks their word, telling after each batch.

    Taggers are loaded as `load_taggers` says unless they are given. `workers` do the work, threads
    of this process unless given. A garment whose crop or mask
    cannot be used is left out, counted, and written to `run/prelabel.log`. What was finished when
    the consumer stops, or when an error is raised, is kept.
    """
    options = options or PrelabelOptions()
    attributes = options.wanted(dataset)
    if not _has_garments(dataset):
        yield PrelabelProgress(total=0)
        return
    panel = _panel(dataset, options, taggers)
    taggers = panel.taggers
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
            yield from _run(dataset, options, panel, pending, progress, workers)


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


def load_panel(dataset: Dataset, options: PrelabelOptions | None = None) -> Panel:
    """The taggers of `load_taggers`, which are loaded anew wherever they travel."""
    options = options or PrelabelOptions()
    return Panel(load_taggers(dataset, options), partial(_load_elsewhere, dataset.folder, options))


def _panel(
    dataset: Dataset, options: PrelabelOptions, taggers: Sequence[Tagger] | Panel | None
) -> Panel:
    if taggers is None:
        return load_panel(dataset, options)
    return taggers if isinstance(taggers, Panel) else Panel(taggers)


def _load_elsewhere(folder: Path, options: PrelabelOptions) -> list[Tagger]:
    return load_taggers(Dataset.open(folder), options)


def _run(
    dataset: Dataset,
    options: PrelabelOptions,
    panel: Panel,
    pending: Pending,
    progress: PrelabelProgress,
    workers: Workers | None,
) -> Iterator[PrelabelProgress]:
    settings = options.settings(dataset)
    recorder = Recorder(dataset.catalog, options.commit_seconds)
    failures = Failures(dataset)
    chosen = workers or Threads(settings.extract.workers)
    steps = proposing(dataset, panel)
    try:
        wanted = _wanted(dataset, pending)
        with closing(chosen.run(wanted, steps, settings.prelabel.batch)) as batches:
            for heard in batches:
                made = _record(dataset, panel.taggers, pending, heard, recorder)
                recorder.flush_if_due()
                failures.add(heard.bad)
                progress = replace(
                    progress,
                    tagged=progress.tagged + len(heard.good),
                    proposals=progress.proposals + made,
                    failed=progress.failed + len(heard.bad),
                    reasons=failures.first,
                )
                yield progress
        recorder.close()
    except BaseException:
        # Keep what is finished. Where the disk is full this fails too: the first error tells more.
        with suppress(Exception):
            recorder.flush()
        raise


def _wanted(dataset: Dataset, pending: Pending) -> Iterator[Wanted]:
    """Each garment that is chosen, its rows read in groups."""
    for start in range(0, len(pending.chosen), _ROWS_AT_ONCE):
        positions = pending.chosen[start : start + _ROWS_AT_ONCE].tolist()
        ids = [pending.garment_ids[at] for at in positions]
        found = dataset.catalog.rows("garments", where=one_of("garment_id", ids)).to_pylist()
        rows = {row["garment_id"]: row for row in found}
        for at, name in zip(positions, ids, strict=True):
            asked = (any(mask[at] for mask in masks.values()) for masks in pending.lacking)
            yield Wanted(at, rows[name], tuple(asked))


def _record(
    dataset: Dataset,
    taggers: Sequence[Tagger],
    pending: Pending,
    heard: Heard,
    recorder: Recorder,
) -> int:
    """Take what each tagger said about those that lacked its word; how many proposals came."""
    made = 0
    for tagger, lacking, (mine, tags) in zip(taggers, pending.lacking, heard.said, strict=True):
        if tags is None:
            continue
        _check(dataset, tagger, tags, len(mine), lacking)
        crops = [heard.good[at][1:] for at in mine]
        at = np.array([heard.good[at][0] for at in mine])
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
