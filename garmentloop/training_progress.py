"""Shows a training as it goes: what is done now, how far it is, the newest figures."""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from garmentloop.progress import LOG_EVERY

if TYPE_CHECKING:
    from rich.console import Console

    from finetune.tagger.options import TrainingProgress


def follow_training(
    events: "Iterable[TrainingProgress]", console: "Console"
) -> "TrainingProgress | None":
    """Show a training on `console` until it ends; its last event, None without any."""
    return _bar(events, console) if console.is_terminal else _log(events, console)


def told(event: "TrainingProgress") -> str:
    """One line: what, how far, for how long, the loss, and what was measured."""
    far = f" {event.done}/{event.total}" if event.total else ""
    loss = f", loss {event.loss:.3f}" if event.loss is not None else ""
    return f"{event.what}{far}, {event.minutes:.1f} min{loss}{_measured(event.metrics)}"


def _measured(metrics: Mapping[str, float]) -> str:
    """The mean accuracy and the held-out loss, where there are such."""
    known = {"accuracy": "accuracy", "loss": "held-out loss"}
    found = [f"{title} {metrics[name]:.3f}" for name, title in known.items() if name in metrics]
    return f", {', '.join(found)}" if found else ""


def _log(events: "Iterable[TrainingProgress]", console: "Console") -> "TrainingProgress | None":
    last, printed, what = None, 0.0, ""
    for last in events:
        due = time.monotonic() - printed >= LOG_EVERY
        if due or last.what != what or last.metrics:
            console.print(told(last), markup=False)
            printed, what = time.monotonic(), last.what
    return last


def _bar(events: "Iterable[TrainingProgress]", console: "Console") -> "TrainingProgress | None":
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    last, measured = None, ""
    columns = (BarColumn(bar_width=24), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task, what = bar.add_task("", total=None), ""
        for last in events:
            if last.what != what:
                bar.reset(task, total=last.total or None)
                what = last.what
            measured = _measured(last.metrics) or measured
            loss = "" if last.loss is None else f", loss {last.loss:.3f}"
            bar.update(task, completed=last.done, description=f"{what}{loss}{measured}")
    return last
