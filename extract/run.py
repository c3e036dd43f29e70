"""`extract` itself: sources in, people and garment crops out, resumable.

find sources -> read and decode (threads) -> detect, judge, parse (batches) -> masks and crops
(threads) -> catalogue (groups). Every step draws from the one before only when it has room, so
memory does not grow with the number of photos.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import islice

from extract.ahead import ahead, in_batches
from extract.base import Detector, Parser
from extract.files import Writer
from extract.finish import Bench, finish, finish_product, see
from extract.options import Plan, Progress, RunOptions, config_hash, product_config_hash
from extract.plan import foretell
from extract.prepare import Claims, Fate, Outcome, Prepared, prepare
from extract.provenance import Provenance, write_provenance
from extract.record import Recorder
from extract.roles import Roles
from extract.sources import Found, find_sources
from garments.atwork import at_work
from garments.dataset import Dataset
from garments.errors import DatasetError
from garments.records import Verdict
from garments.settings import Settings
from garments.withdrawals import Withdrawals

__all__ = ["Plan", "Progress", "RunOptions", "plan", "run"]


def run(
    dataset: Dataset,
    inputs: Sequence[str],
    options: RunOptions | None = None,
    *,
    detector: Detector | None = None,
    parser: Parser | None = None,
) -> Iterator[Progress]:
    """Extract `inputs` (see `extract.sources`) into `dataset`, telling after each source.

    Models are loaded by the options' or the data set's references unless `detector` and `parser`
    are given. Photos that were extracted with the same models and settings are skipped. What was
    finished when the consumer stops, or when an error is raised, is kept.
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
        yield from _run(inputs, options, bench, roles, recorder)


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
    inputs: Sequence[str], options: RunOptions, bench: Bench, roles: Roles, recorder: Recorder
) -> Iterator[Progress]:
    pool = ThreadPoolExecutor(bench.settings.extract.workers, "extract")
    founds = islice(find_sources(inputs), options.limit)
    total = _Total(inputs, options.limit)
    progress = Progress()
    try:
        refused = Withdrawals(bench.dataset).refused()
        claims = Claims(recorder.done, recorder.fetched(), refused)
        prepared = _prepared(founds, claims, bench, pool)
        outcomes = _products if options.as_crops else partial(_outcomes, roles=roles)
        for outcome in outcomes(prepared, bench, pool):
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
        pool.shutdown(wait=True, cancel_futures=True)
    yield replace(progress, total=progress.done)


def _prepared(
    founds: Iterator[Found], claims: Claims, bench: Bench, pool: ThreadPoolExecutor
) -> Iterator[Prepared | Outcome]:
    chosen = bench.settings.extract
    work = partial(prepare, claims=claims, longest=chosen.working_longest)
    return ahead(pool, work, founds, chosen.batch + chosen.workers)


def _outcomes(
    prepared: Iterator[Prepared | Outcome], bench: Bench, pool: ThreadPoolExecutor, roles: Roles
) -> Iterator[Outcome]:
    """The chain of steps behind preparation; drawing from its end drives all of them."""
    size = bench.settings.extract.batch
    batches = in_batches(prepared, lambda item: isinstance(item, Prepared), size, 8 * size)
    seen = see(batches, roles, bench.settings.framing)
    return ahead(pool, partial(finish, bench=bench), seen, size)


def _products(
    prepared: Iterator[Prepared | Outcome], bench: Bench, pool: ThreadPoolExecutor
) -> Iterator[Outcome]:
    """The same for product shots."""
    work = partial(finish_product, bench=bench)
    return ahead(pool, work, prepared, bench.settings.extract.batch)


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
