"""Shows a run as it goes: a bar with photos/s (or garments/s) and time left, or lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

LOG_EVERY = 15.0
"""Seconds between two lines where the output is no terminal."""


class Steps(Protocol):
    """How far a run has come, in photos or garments; `total` is None while unknown.

    `skipped` are those of `done` that needed no work.
    """

    @property
    def done(self) -> int: ...  # noqa: D102
    @property
    def total(self) -> int | None: ...  # noqa: D102
    @property
    def skipped(self) -> int: ...  # noqa: D102


class Counts(Steps, Protocol):
    """What an extraction tells about itself."""

    @property
    def people(self) -> int: ...  # noqa: D102
    @property
    def accepted(self) -> int: ...  # noqa: D102
    @property
    def garments(self) -> int: ...  # noqa: D102
    @property
    def unreadable(self) -> int: ...  # noqa: D102
    @property
    def taken_down(self) -> int: ...  # noqa: D102


class Tagged(Steps, Protocol):
    """What a run of `prelabel` tells about itself."""

    @property
    def tagged(self) -> int: ...  # noqa: D102
    @property
    def proposals(self) -> int: ...  # noqa: D102
    @property
    def failed(self) -> int: ...  # noqa: D102


class Pushed(Steps, Protocol):
    """What `annotate push` tells about itself."""

    @property
    def created(self) -> int: ...  # noqa: D102
    @property
    def blind(self) -> int: ...  # noqa: D102
    @property
    def updated(self) -> int: ...  # noqa: D102


class Pulled(Steps, Protocol):
    """What `annotate pull` tells about itself."""

    @property
    def annotations(self) -> int: ...  # noqa: D102


class ImportCounts(Steps, Protocol):
    """What `import` tells about itself."""

    @property
    def people(self) -> int: ...  # noqa: D102
    @property
    def garments(self) -> int: ...  # noqa: D102
    @property
    def labels(self) -> int: ...  # noqa: D102
    @property
    def unreadable(self) -> int: ...  # noqa: D102
    @property
    def twice(self) -> int: ...  # noqa: D102
    @property
    def kept(self) -> int: ...  # noqa: D102
    @property
    def outside(self) -> int: ...  # noqa: D102
    @property
    def taken_down(self) -> int: ...  # noqa: D102
    @property
    def absent(self) -> int: ...  # noqa: D102


class Synced(Steps, Protocol):
    """What `curate sync` tells about itself."""

    @property
    def doing(self) -> str: ...  # noqa: D102


class Pace:
    """Photos/s since the start, without the photos that were skipped as already done."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()

    def rate(self, counts: Steps) -> float:
        """Photos, or what is counted, worked on per second so far; 0 before the first."""
        elapsed = self._clock() - self._start
        worked = counts.done - counts.skipped
        return worked / elapsed if elapsed > 0 and worked > 0 else 0.0

    def left(self, counts: Steps) -> float | None:
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
    if counts.taken_down:
        text += f", {counts.taken_down} refused: taken down before"
    return text


def tagged_sentence(counts: Tagged) -> str:
    """What was proposed, in words."""
    text = f"{counts.proposals} proposals"
    if counts.failed:
        text += f", {counts.failed} garments left out"
    if counts.skipped:
        text += f", {counts.skipped} done before"
    return text


def pushed_sentence(counts: Pushed) -> str:
    """What was sent, in words."""
    return f"{counts.created} created ({counts.blind} blind), {counts.updated} updated"


def pulled_sentence(counts: Pulled) -> str:
    """What was answered, in words."""
    return str(counts)


def imported_sentence(counts: ImportCounts) -> str:
    """What was imported, in words."""
    text = f"{counts.people:,} people, {counts.garments:,} garments, {counts.labels:,} labels"
    others = {
        "unreadable": counts.unreadable,
        "done before": counts.skipped - counts.twice,
        "the same photo under another name": counts.twice,
        "left as they were cut before": counts.kept,
        "outside the taxonomy": counts.outside,
        "refused: taken down before": counts.taken_down,
        "named but not there": counts.absent,
    }
    return text + "".join(f", {count:,} {what}" for what, count in others.items() if count)


def synced_sentence(counts: Synced) -> str:
    """What is being done."""
    return counts.doing


def clock_time(seconds: float | None) -> str:
    """Seconds as h:mm:ss, or dashes where they are unknown."""
    if seconds is None:
        return "-:--:--"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def line(counts: Steps, pace: Pace, found: str, unit: str = "photos") -> str:
    """One line for a log: how far, how fast, how long still, and what was found."""
    total = "?" if counts.total is None else f"{counts.total}"
    return (
        f"{counts.done}/{total} {unit}, {pace.rate(counts):.1f} {unit}/s, "
        f"{clock_time(pace.left(counts))} left: {found}"
    )


C = TypeVar("C", bound=Counts)
T = TypeVar("T", bound=Tagged)
P = TypeVar("P", bound=Pushed)
L = TypeVar("L", bound=Pulled)
M = TypeVar("M", bound=ImportCounts)
Y = TypeVar("Y", bound=Synced)
S = TypeVar("S", bound=Steps)


def follow(events: Iterable[C], console: Console) -> C | None:
    """Show an extraction on `console` until it ends; return the last event, None without any."""
    return _follow(events, console, sentence, "photos")


def follow_tagging(events: Iterable[T], console: Console) -> T | None:
    """The same for a run of `prelabel`, in garments."""
    return _follow(events, console, tagged_sentence, "garments")


def follow_pushing(events: Iterable[P], console: Console) -> P | None:
    """The same for `annotate push`, in tasks."""
    return _follow(events, console, pushed_sentence, "tasks")


def follow_pulling(events: Iterable[L], console: Console) -> L | None:
    """The same for `annotate pull`, in tasks."""
    return _follow(events, console, pulled_sentence, "tasks")


def follow_importing(events: Iterable[M], console: Console) -> M | None:
    """The same for `import`, in photos."""
    return _follow(events, console, imported_sentence, "photos")


def follow_syncing(events: Iterable[Y], console: Console) -> Y | None:
    """The same for `curate sync`, in samples."""
    return _follow(events, console, synced_sentence, "samples")


def follow_plainly(events: Iterable[S], console: Console, unit: str) -> S | None:
    """The same for what says no more than how far it is."""
    return _follow(events, console, lambda _: "", unit)


def _follow(events: Iterable[S], console: Console, tell: Callable[[S], str], unit: str) -> S | None:
    show = _bar if console.is_terminal else _log
    return show(events, console, tell, unit)


def _log(events: Iterable[S], console: Console, tell: Callable[[S], str], unit: str) -> S | None:
    last, pace, printed = None, Pace(), time.monotonic()
    for last in events:
        if time.monotonic() - printed >= LOG_EVERY:
            console.print(line(last, pace, tell(last), unit), markup=False)
            printed = time.monotonic()
    return last


def _bar(events: Iterable[S], console: Console, tell: Callable[[S], str], unit: str) -> S | None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    last, pace = None, Pace()
    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(
            unit + "  {task.fields[rate]:.1f}/s  {task.fields[left]} left  {task.description}"
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
                description=tell(last),
            )
    return last
