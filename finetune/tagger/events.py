"""A long call that tells how far it is, as an iterator of events."""

import queue
import threading
from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

from finetune.tagger.options import TrainingProgress

T = TypeVar("T")

Tell = Callable[[int, int, float | None, Mapping[str, float]], None]


class Stopped(BaseException):
    """Raised inside the call where nobody listens any more."""


def as_events(
    call: Callable[[Tell], T], what: str, minutes: Callable[[], float]
) -> Generator[TrainingProgress, None, T]:
    """Yield what `call` tells while it runs in a thread of its own; returns what it returns.

    Its error is raised here. Where the consumer stops, the call is stopped at its next word.
    """
    told: queue.SimpleQueue[TrainingProgress | None] = queue.SimpleQueue()
    stop, result, errors = threading.Event(), list[T](), list[BaseException]()

    def tell(done: int, total: int, loss: float | None, figures: Mapping[str, float]) -> None:
        if stop.is_set():
            raise Stopped
        told.put(TrainingProgress(what, done, total, minutes(), loss, dict(figures)))

    def run() -> None:
        try:
            result.append(call(tell))
        except BaseException as error:  # handed to the consumer, whatever it is
            errors.append(error)
        told.put(None)

    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    try:
        while (event := told.get()) is not None:
            yield event
    finally:
        stop.set()
        thread.join()
    if errors:
        raise errors[0]
    return result[0]
