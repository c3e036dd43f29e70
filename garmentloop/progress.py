"""Shows a run of `extract` as it goes: a bar with photos/s and time left, or lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

LOG_EVERY = 15.0
"""Seconds between two lines where the output is no terminal."""


class Counts(Protocol):
    """What a run tells about itself; `done` and `total` are photos, total None while unknown."""

    @property
    def done(self) -> int: ...  # noqa: D102
    @property
    def total(self) -> int | None: ...  # noqa: D102
    @property
    def people(self) -> int: ...  # noqa: D102
    @property
    def accepted(self) -> int: ...  # noqa: D102
    @property
    def garments(self) -> int: ...  # noqa: D102
    @property
    def unreadable(self) -> int: ...  # noqa: D102
    @property
    def skipped(self) -> int: ...  # noqa: D102


class Pace:
    """Photos/s since the first event, without the photos that were skipped as already done."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()

    def rate(self, counts: Counts) -> float:
        """Photos worked on per second so far; 0 before the first."""
        elapsed = self._clock() - self._start
        worked = counts.done - counts.skipped
        return worked / elapsed if elapsed > 0 and worked > 0 else 0.0

    def left(self, counts: Counts) -> float | None:
        """Seconds until the end at this pace; None while pace or total are unknown."""
        rate = self.rate(counts)
        if counts.total is None or rate == 0:
            return None
        return max(0, counts.total - counts.done) / rate


def sentence(counts: Counts) -> str:
    """What was found, in words."""
    text = f"{counts.people} people, {counts.accepted} accepted, {counts.garments} garments"
    if counts.unreadable:
        text += f", {counts.unreadable} unreadable"
    if counts.skipped:
        text += f", {counts.skipped} done before"
    return text


def clock_time(seconds: float | None) -> str:
    """Seconds as h:mm:ss, or dashes where they are unknown."""
    if seconds is None:
        return "-:--:--"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def line(counts: Counts, pace: Pace) -> str:
    """One line for a log: how far, how fast, how long still, and what was found."""
    total = "?" if counts.total is None else f"{counts.total}"
    return (
        f"{counts.done}/{total} photos, {pace.rate(counts):.1f} photos/s, "
        f"{clock_time(pace.left(counts))} left: {sentence(counts)}"
    )


C = TypeVar("C", bound=Counts)


def follow(events: Iterable[C], console: Console) -> C | None:
    """Show `events` on `console` until they end; return the last one, None if there was none."""
    return _bar(events, console) if console.is_terminal else _log(events, console)


def _log(events: Iterable[C], console: Console) -> C | None:
    last, pace, printed = None, Pace(), time.monotonic()
    for last in events:
        if time.monotonic() - printed >= LOG_EVERY:
            console.print(line(last, pace), markup=False)
            printed = time.monotonic()
    return last


def _bar(events: Iterable[C], console: Console) -> C | None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    last, pace = None, Pace()
    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(
            "photos  {task.fields[rate]:.1f}/s  {task.fields[left]} left  {task.description}"
        ),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, rate=0.0, left=clock_time(None))
        for last in events:
            bar.update(
                task,
                completed=last.done,
                total=last.total,
                rate=pace.rate(last),
                left=clock_time(pace.left(last)),
                description=sentence(last),
            )
    return last
