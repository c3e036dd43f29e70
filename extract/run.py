"""`extract` itself: sources in, people and garment crops out, resumable.

find sources -> read and decode (threads) -> detect, judge, parse (batches) -> masks and crops
(threads) -> files -> catalogue (groups). Every step draws from the one before only when it has
room, so memory does not grow with the number of photos. On a cluster the same steps are done there,
up to the files: it is always this process that writes.
"""

import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import islice

from extract.ahead import ahead
from extract.base import Detector, Parser
from extract.claims import Claims
from extract.files import Writer
from extract.finish import Bench
from extract.options import Plan, Progress, RunOptions, config_hash, product_config_hash
from extract.outcome import Fate, Outcome
from extract.pipeline import Threads, Workers
from extract.plan import foretell
from extract.prepare import admit, confirm
from extract.provenance import Provenance, write_provenance
from extract.record import Recorder
from extract.roles import Roles
from extract.sources import Found, find_sources
from extract.steps import Finished, extraction
from garments.atwork import at_work
from garments.dataset import Dataset
from garments.errors import DatasetError
from garments.records import Verdict
from garments.settings import Settings
from garments.withdrawals import Withdrawals

__all__ = ["Plan", "Progress", "RunOptions", "plan", "run"]

WRITERS = 2
"""Threads that write crops and previews."""


def run(
    dataset: Dataset,
    inputs: Sequence[str],
    options: RunOptions | None = None,
    *,
    detector: Detector | None = None,
    parser: Parser | None = None,
    workers: Workers | None = None,
) -> Iterator[Progress]:
    """Extract `inputs` (see `extract.sources`) into `dataset`, telling after each source.

    Models are loaded by the options' or the data set's references unless `detector` and `parser`
    are given. `workers` do the work, threads of this process unless given. Photos that were
    extracted with the same models and settings are skipped. What was finished when the consumer
    stops, or when an error is raised, is kept.
    """
    options = options or RunOptions()
    if options.dry_run:
        foreseen = plan(dataset, inputs, options, detector=detector, parser=parser)
        skipped = foreseen.done + foreseen.duplicates
        yield Progress(
            skipped=skipped,
            unreadable=foreseen.unreadable,
            taken_down=foreseen.taken_down,
            total=foreseen.found,
        )
        return
    settings = options.settings(dataset)
    roles = Roles(settings, options.device, detector, parser)
    config = _config(settings, options, roles)
    with _disk_trouble(dataset), at_work(dataset):
        when = options.commit_photos, options.commit_seconds
        recorder = Recorder(dataset.catalog, config, *when)
        bench = Bench(dataset, settings, Writer(dataset.run / "scratch"))
        write_provenance(dataset, _provenance(settings, options, roles, config), bench.writer)
        yield from _run(inputs, options, bench, roles, recorder, workers)


def plan(
    dataset: Dataset,
    inputs: Sequence[str],
    options: RunOptions | None = None,
    *,
    detector: Detector | None = None,
    parser: Parser | None = None,
) -> Plan:
    """What `run` with the same arguments would do; reads files, writes and fetches nothing."""
    options = options or RunOptions()
    settings = options.settings(dataset)
    roles = Roles(settings, options.device, detector, parser)
    recorder = Recorder(dataset.catalog, _config(settings, options, roles), 1, 0)
    claims = Claims(recorder.done, recorder.fetched(), Withdrawals(dataset).refused())
    return foretell(islice(find_sources(inputs), options.limit), claims)


def _config(settings: Settings, options: RunOptions, roles: Roles) -> str:
    if options.as_crops:
        return product_config_hash(settings)
    return config_hash(settings, roles.detector_identity, roles.parser_identity)


def _provenance(settings: Settings, options: RunOptions, roles: Roles, config: str) -> Provenance:
    crops = settings.crops.model_dump(mode="json")
    if options.as_crops:
        return Provenance(config, crops={"longest": crops["longest"]})
    return Provenance(
        config,
        roles.detector_reference,
        roles.detector_identity,
        roles.parser_reference,
        roles.parser_identity,
        settings.framing.model_dump(mode="json"),
        crops,
    )


def _run(
    inputs: Sequence[str],
    options: RunOptions,
    bench: Bench,
    roles: Roles,
    recorder: Recorder,
    workers: Workers | None,
) -> Iterator[Progress]:
    total = _Total(inputs, options.limit)
    progress = Progress()
    try:
        founds = islice(find_sources(inputs), options.limit)
        refused = Withdrawals(bench.dataset).refused()
        claims = Claims(recorder.done, recorder.fetched(), refused)
        with closing(_outcomes(founds, claims, options.as_crops, bench, roles, workers)) as done:
            for outcome in done:
                recorder.add(outcome)
                progress = replace(_counted(progress, outcome), total=total.count)
                yield progress
        recorder.close()
    except BaseException:
        # Keep what is finished. Where the disk is full this fails too: the first error tells more.
        with suppress(Exception):
            recorder.flush()
        raise
    finally:
        total.stop()
    yield replace(progress, total=progress.done)


def _outcomes(
    founds: Iterator[Found],
    claims: Claims,
    as_crops: bool,
    bench: Bench,
    roles: Roles,
    workers: Workers | None,
) -> Generator[Outcome, None, None]:
    """The chain of steps; drawing from its end drives all of them.

    Workers elsewhere claim nothing: here it is decided whose a photo is, and here all is written.
    """
    settings = bench.settings
    chosen = workers or Threads(settings.extract.workers)
    known = claims.elsewhere() if chosen.elsewhere else claims
    steps = extraction(settings, roles, known, as_crops)
    admitted = (admit(found, claims) for found in founds)
    pool = ThreadPoolExecutor(WRITERS, "write")
    try:
        with closing(chosen.run(admitted, steps, settings.extract.batch)) as finished:
            confirmed = (_confirmed(one, claims) for one in finished)
            yield from ahead(pool, partial(_keep, bench=bench), confirmed, settings.extract.batch)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _confirmed(finished: Finished, claims: Claims) -> Finished:
    outcome = confirm(finished.outcome, claims)
    return finished if outcome is finished.outcome else Finished(outcome, {})


def _keep(finished: Finished, bench: Bench) -> Outcome:
    """Write the crops and the preview of one photo; its outcome."""
    for name, data in finished.files.items():
        bench.writer.write(bench.dataset.folder / name, data)
    return finished.outcome


def _counted(progress: Progress, outcome: Outcome) -> Progress:
    if outcome.fate is Fate.UNREADABLE:
        return replace(progress, unreadable=progress.unreadable + 1)
    if outcome.fate is Fate.TAKEN_DOWN:
        return replace(progress, taken_down=progress.taken_down + 1)
    if outcome.fate is not Fate.EXTRACTED:
        return replace(progress, skipped=progress.skipped + 1)
    accepted = sum(person.verdict is Verdict.ACCEPTED for person in outcome.people)
    return replace(
        progress,
        photos=progress.photos + 1,
        people=progress.people + len(outcome.people),
        accepted=progress.accepted + accepted,
        garments=progress.garments + len(outcome.garments),
    )


class _Total:
    """Counts the sources in a thread, for the time left; `count` is None until it has ended."""

    def __init__(self, inputs: Sequence[str], limit: int | None) -> None:
        self.count: int | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(inputs, limit), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self, inputs: Sequence[str], limit: int | None) -> None:
        count = 0
        with suppress(Exception):  # the run itself meets the same error and reports it
            for _ in islice(find_sources(inputs), limit):
                count += 1
                if self._stopped.is_set():
                    return
            self.count = count


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
