"""One round: its steps one after the other, each recorded when it is done, so that any end is a
place to go on from.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING

from garmentloop.loop.context import Context, Step
from garmentloop.loop.options import LoopOptions
from garmentloop.loop.select import strategy
from garments.catalog.lock import exclusive
from garments.errors import BadSetting, CatalogError, DatasetError
from garments.references import Reference
from garments.rounds import (
    BEGIN,
    END,
    Details,
    Round,
    checked_name,
    next_name,
    record,
    rounds,
    unfinished,
)

if TYPE_CHECKING:
    from garments.dataset import Dataset

PATIENCE = 2.0
"""Seconds to wait for another loop that is about to end."""


@dataclass(frozen=True)
class StepEvent:
    """What became of a step: `begun`, `done`, `skipped` (done before) or `waiting` (for people)."""

    step: str
    state: str
    details: Details = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """The round that a loop works on, and whether it was begun before."""

    name: str
    options: LoopOptions
    done: Mapping[str, Details] = field(default_factory=dict)
    resumed: bool = False


def find_turn(dataset: "Dataset", options: LoopOptions, name: str | None = None) -> Turn:
    """The round that has not ended, with the options it was begun with; else a new one.

    `BadSetting` where `name` is that of a round that ended, or another one has not, where a new
    round's release is there already, and for a strategy, attribute (`BadTaxonomy`) or backbone
    (`UnknownModel`) that is none.
    """
    known = {found.name: found for found in rounds(dataset)}
    open_ = next((one for one in reversed(known.values()) if not one.finished), None)
    if open_ is None:
        _expect_sound(dataset, options)
        return Turn(_new_name(dataset, name, known), options)
    if name not in (None, open_.name):
        raise BadSetting(
            f"expected no --round or {open_.name}, which is not finished, but got {name!r}; finish "
            f"it with `garmentloop loop --dataset {dataset.folder}` first"
        )
    return Turn(open_.name, LoopOptions.of(open_.begun), open_.done, True)


def _new_name(dataset: "Dataset", name: str | None, known: Mapping[str, Round]) -> str:
    if name is None:
        return next_name(dataset)
    if name in known:
        raise BadSetting(f"expected a new round, but {name} has ended; give another --round")
    return checked_name(name)


def _expect_sound(dataset: "Dataset", options: LoopOptions) -> None:
    """Tell before a round begins what it could only stumble over later."""
    strategy(options.select)
    for attribute in options.attributes:
        dataset.taxonomy.attribute(attribute)
    Reference.parse(options.backbone)
    name = options.release
    if name is not None and (dataset.releases / name).exists():
        raise BadSetting(
            f"expected the name of a new release, but {name} is there already; give another "
            "--release, or train on that one with `garmentloop finetune tagger`"
        )


def run_round(context: Context, steps: Mapping[str, Step]) -> Iterator[StepEvent]:
    """Do what is not done of the round's steps, telling before and after each.

    It ends early, with a step that is `waiting`, where people have to answer first; the same call
    goes on from there. Raises whatever a step raises: what was finished before it counts.
    """
    with _alone(context.dataset):
        _begin(context)
        try:
            yield from _go(context, steps)
        finally:
            context.close()


def _go(context: Context, steps: Mapping[str, Step]) -> Iterator[StepEvent]:
    for name, step in steps.items():
        if name in context.done:
            yield StepEvent(name, "skipped", context.done[name])
            continue
        yield StepEvent(name, "begun")
        started = time.monotonic()
        details = step(context)
        if details is None:
            yield StepEvent(name, "waiting")
            return
        seconds = round(time.monotonic() - started, 2)
        context.done[name] = {**details, "seconds": seconds}
        record(context.dataset, context.round, name, context.done[name])
        yield StepEvent(name, "done", context.done[name])
    record(context.dataset, context.round, END, {})


def end_early(dataset: "Dataset") -> str:
    """End the round that has not ended, as it is; its name. `BadSetting` where there is none."""
    found = unfinished(dataset)
    if found is None:
        raise BadSetting(
            f"expected a round of {dataset.folder} that has not ended, but there is none; "
            f"`garmentloop loop --dataset {dataset.folder}` begins one"
        )
    with _alone(dataset):
        record(dataset, found.name, END, {"abandoned": True})
    return found.name


def _begin(context: Context) -> None:
    """Keep how the round is begun; what it was begun with before stays."""
    details = {
        **context.options.as_details(),
        "software": metadata.version("garmentloop"),
        "taxonomy": context.dataset.taxonomy.hash,
    }
    record(context.dataset, context.round, BEGIN, details)
    known = next(one for one in rounds(context.dataset) if one.name == context.round)
    context.options = LoopOptions.of(known.begun)
    context.done = dict(known.done)


@contextmanager
def _alone(dataset: "Dataset") -> Iterator[None]:
    dataset.run.mkdir(parents=True, exist_ok=True)
    path = dataset.run / "loop.lock"
    held = False
    try:
        with exclusive(path, PATIENCE):
            held = True
            yield
    except CatalogError as error:
        if held:
            raise
        raise DatasetError(
            f"expected no other loop for {dataset.folder}, but one is at work (it holds {path}); "
            "wait for it or stop it, then run this again"
        ) from error
