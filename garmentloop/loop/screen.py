"""A round on the screen: a line for each step, bars for long ones, a table at the end."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from garmentloop.console import err, out, table

if TYPE_CHECKING:
    from annotate.studio.client import Studio
    from garmentloop.loop.context import Context
    from garmentloop.loop.round import StepEvent, Turn
    from garments.dataset import Dataset

T = TypeVar("T")


def make_context(data: "Dataset", turn: "Turn", studio: "Callable[[], Studio]") -> "Context":
    """The context of a round that is shown on the screen."""
    from garmentloop.loop.context import Context

    return Context(
        data,
        turn.name,
        turn.options,
        studio,
        follow=follow,
        say=lambda text: err.print(text, markup=False),
    )


def go_round(context: "Context") -> bool:
    """Do a round and tell how it goes; whether it ended."""
    from garmentloop.loop.round import run_round
    from garmentloop.loop.steps import STEPS

    for event in run_round(context, STEPS):
        tell_step(event)
        if event.state == "waiting":
            _tell_waiting(context)
            return False
    tell_end(context)
    return True


def tell_step(event: "StepEvent") -> None:
    """One line a step that was done now."""
    from garmentloop.loop.standing import step_text

    if event.state == "begun":
        err.print(f"{event.step} ...", style="dim", markup=False)
    elif event.state == "done":
        took = f"{event.details.get('seconds', 0):.1f} s"
        out.print(f"{event.step:>9}  {step_text(event.step, event.details)} ({took})", markup=False)
    elif event.state == "skipped":
        out.print(f"{event.step:>9}  done before", style="dim", markup=False)


def tell_end(context: "Context") -> None:
    """What the rounds brought, what was decided, and what comes next."""
    from garmentloop.loop.standing import ROUND_COLUMNS, next_thing, round_rows, verdict_text
    from garments.rounds import rounds
    from garments.status import status

    known = rounds(context.dataset)
    out.print()
    table(ROUND_COLUMNS, round_rows(known))
    if verdict := verdict_text(known[-1]):
        out.print(f"{known[-1].name}: {verdict}", markup=False)
    page = context.dataset.folder / context.of("report", "page", "")
    out.print(f"Page: {page}", markup=False)
    out.print(f"Next: {next_thing(status(context.dataset))}", markup=False)


def follow(events: Iterable[T], kind: str) -> T | None:
    """Show the events of a long step with the bar that suits it."""
    from garmentloop import progress
    from garmentloop.training_progress import follow_training

    shown: dict[str, Callable[[Any], Any]] = {
        "tagging": lambda some: progress.follow_tagging(some, err),
        "pushing": lambda some: progress.follow_pushing(some, err),
        "pulling": lambda some: progress.follow_pulling(some, err),
        "syncing": lambda some: progress.follow_syncing(some, err),
        "extracting": lambda some: progress.follow(some, err),
        "looking": lambda some: progress.follow_plainly(some, err, "garments"),
        "answering": lambda some: progress.follow_plainly(some, err, "answers"),
        "waiting": lambda some: progress.follow_plainly(some, err, "tasks"),
        "releasing": lambda some: progress.follow_plainly(some, err, "garments"),
        "training": lambda some: follow_training(some, err),
    }
    found: T | None = shown[kind](events)
    return found


def _tell_waiting(context: "Context") -> None:
    folder = context.dataset.folder
    out.print(
        f"{context.round} waits for annotators: garmentloop annotate open --dataset {folder}\n"
        f"When they are done, the same command goes on: garmentloop loop --dataset {folder}\n"
        "(--wait stays until then, --enough goes on with what is answered by now)",
        markup=False,
    )
