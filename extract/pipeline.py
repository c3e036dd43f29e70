"""Pipelines: the steps that items go through, one and the same in threads here or on a cluster.

A step works on a list of items and returns a list. What holds models is given whole batches and is
kept; the other steps may be given any number of items and run in several places at once.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from extract.ahead import ahead, in_batches

MOST = 8
"""A batch has at most so many times its size in items, however many of them do not count."""


def _always(item: object) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """One step of a pipeline.

    `work` pickles, so that it can be done in another process; what it loads it loads at its first
    batch there. With `models` it is done where the accelerators are, by few who keep what they
    loaded. `counts` tells which items fill a batch: those that are settled only pass through.
    """

    work: Callable[[list[Any]], list[Any]]
    models: bool = False
    counts: Callable[[Any], bool] = _always


class Workers(Protocol):
    """Who does the steps of a pipeline; `elsewhere` if that is in other processes."""

    elsewhere: bool

    def run(
        self, items: Iterable[Any], steps: Sequence[Step], batch: int
    ) -> Generator[Any, None, None]:
        """What comes out of the last step, in the order of `items`, each item done once.

        Steps with models are given `batch` items at once. Memory does not grow with the number of
        items. To be closed by whoever stops early.
        """
        ...


class Threads:
    """Workers in this process: threads; steps with models are done by whoever draws."""

    elsewhere = False

    def __init__(self, count: int) -> None:
        """Have so many threads for each pipeline."""
        self._count = count

    def run(
        self, items: Iterable[Any], steps: Sequence[Step], batch: int
    ) -> Generator[Any, None, None]:
        """See `Workers`. Every step draws from the one before only when it has room."""
        pool = ThreadPoolExecutor(self._count, "worker")
        flow = iter(items)
        try:
            for step in steps:
                through = _in_batches if step.models else partial(self._in_threads, pool)
                flow = through(flow, step, batch)
            yield from flow
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _in_threads(
        self, pool: ThreadPoolExecutor, flow: Iterator[Any], step: Step, batch: int
    ) -> Iterator[Any]:
        for done in ahead(pool, lambda item: step.work([item]), flow, batch + self._count):
            yield from done


def _in_batches(flow: Iterator[Any], step: Step, batch: int) -> Iterator[Any]:
    for some in in_batches(flow, step.counts, batch, MOST * batch):
        yield from step.work(some)
