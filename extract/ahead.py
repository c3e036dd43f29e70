"""Work done ahead of the consumer, in threads, with a bound on what is in flight."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(pool: Executor, work: Callable[[T], R], items: Iterable[T], depth: int) -> Iterator[R]:
    """Results of `work` on each of `items`, in order, at most `depth` of them in flight.

    `items` is only drawn from when there is room, so a chain of these keeps memory bounded. An
    error of `items` is raised after the results of those that came before it.
    """
    flying: deque[Future[R]] = deque()
    trouble: list[Exception] = []
    for item in _until(items, trouble):
        flying.append(pool.submit(work, item))
        if len(flying) >= depth:
            yield flying.popleft().result()
    while flying:
        yield flying.popleft().result()
    if trouble:
        raise trouble[0]


def _until(items: Iterable[T], trouble: list[Exception]) -> Iterator[T]:
    """`items` up to an error, which goes to `trouble`."""
    try:
        yield from items
    except Exception as error:
        trouble.append(error)


def in_batches(
    items: Iterable[T], counts: Callable[[T], bool], size: int, most: int
) -> Iterator[list[T]]:
    """Lists with `size` items that count, or `most` items in all; the last may have fewer."""
    batch: list[T] = []
    counted = 0
    for item in items:
        batch.append(item)
        counted += counts(item)
        if counted >= size or len(batch) >= most:
            yield batch
            batch, counted = [], 0
    if batch:
        yield batch
