"""Independent streams: threads that each run a network with one thread of torch's.

Two cores that take a photo each do more than two that share every layer of one photo: a third more
with the starter models (`docs/speed.md`).
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from extract.ahead import ahead

MOST_STREAMS = 8
"""Streams at most: each keeps the activations of one batch, a gigabyte for large networks."""

T = TypeVar("T")
R = TypeVar("R")


def stream_count() -> int:
    """As many streams as torch would use threads, within bounds."""
    return min(torch.get_num_threads(), MOST_STREAMS)


class Streams:
    """So many streams as `stream_count` says when they are made."""

    def __init__(self) -> None:
        """Start them; with one core there are none, and the caller's thread does the work."""
        self.count = stream_count()
        self._pool = self._started(self.count) if self.count > 1 else None

    def map(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Results of `work` on each of `items`, in order, one item a stream at a time."""
        if self._pool is None:
            return [work(item) for item in items]
        return list(ahead(self._pool, work, items, 2 * self.count))

    def _started(self, count: int) -> ThreadPoolExecutor:
        threads = torch.get_num_threads()
        pool = ThreadPoolExecutor(count, "stream", _alone)
        all_there = threading.Barrier(count)
        for _ in pool.map(lambda _: all_there.wait(), range(count)):
            pass
        # what a thread sets is its own, but threads that start later take over the last one's
        torch.set_num_threads(threads)
        return pool


def _alone() -> None:
    """Give this thread one of torch's; it takes over what others set when it is first asked."""
    torch.get_num_threads()
    torch.set_num_threads(1)
