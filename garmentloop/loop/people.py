"""The steps of a round in which people have their say: select, push, wait, pull, measure, sync."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garmentloop.loop.context import Context, Follow, in_silence
from garmentloop.loop.edit_rate import edit_rates
from garmentloop.loop.select import select, write_selection
from garments.atwork import at_work
from garments.errors import DatasetError, FiftyOneError, StudioBusy
from garments.ids import content_id
from garments.migration.labels import as_said
from garments.rounds import Details
from garments.said import audit_slice

if TYPE_CHECKING:
    from annotate.studio.push import PushOptions, PushProgress

LOOK_EVERY = 5.0
"""Seconds between two looks for answers."""

OPEN = "created"
"""State of a task that nobody has dealt with."""


@dataclass(frozen=True)
class Waiting:
    """How far people are with a round: tasks in all, and those that nobody has dealt with.

    `blind` are those of `waiting` in the audit slice, which two people have to answer.
    """

    total: int
    waiting: int
    blind: int
    skipped: int = 0

    @property
    def done(self) -> int:
        """Tasks that are dealt with."""
        return self.total - self.waiting

    def __str__(self) -> str:
        blind = f", {self.blind} of them blind, for two people" if self.blind else ""
        return f"{self.waiting} of {self.total} tasks wait for an answer{blind}"


def select_step(context: Context) -> Details:
    """Choose garments that nobody was asked about, and keep the list."""
    path, count = _choose(context)
    return {
        "strategy": context.options.select,
        "garments": count,
        "file": path.relative_to(context.dataset.folder).as_posix(),
        "hash": content_id(path.read_bytes()),
    }


def _choose(context: Context) -> tuple[Path, int]:
    with at_work(context.dataset):
        chosen = select(context.dataset, context.options, context.round)
        return write_selection(context.dataset, context.round, chosen), len(chosen)


def push_step(context: Context) -> Details:
    """Send what was chosen, part of it blind; once, whatever crashes."""
    end = _push(context)
    sent = _tasks(context)
    if not sent:
        raise DatasetError(
            f"expected garments of {context.dataset.folder} to send to annotators, but all were "
            "sent or turned down before; extract more photos, then run this again"
        )
    blind = sum(bool(row["audit"]) for row in sent)
    return {"tasks": len(sent), "blind": blind, "updated": end.updated if end else 0}


def wait_step(context: Context) -> Details | None:
    """Look whether every task of the round is dealt with, again and again if that is wished."""
    _pull(context, context.follow)
    now = waiting(context)
    if context.patient and now.waiting and not context.enough:
        now = context.follow(_watched(context), "waiting") or now
    if now.waiting and not context.enough:
        context.say(f"{now}.")
        return None
    return {"total": now.total, "waiting": now.waiting, "blind": now.blind}


def _watched(context: Context) -> Iterator[Waiting]:
    """How far people are, every few seconds, until they are done."""
    while (now := waiting(context)).waiting:
        yield now
        time.sleep(LOOK_EVERY)
        _pull(context, in_silence)
    yield now


def waiting(context: Context) -> Waiting:
    """How far people are with the round."""
    rows = _tasks(context)
    left = [row for row in rows if row["state"] == OPEN]
    return Waiting(len(rows), len(left), sum(bool(row["audit"]) for row in left))


def pull_step(context: Context) -> Details:
    """Bring in what was answered last; all labels that are there by then."""
    _pull(context, context.follow)
    return labels_now(context)


def labels_now(context: Context) -> dict[str, Any]:
    """What people have said by now: labels by kind, garments, and a hash of all that.

    `blind` are those of `garments` that are in the audit slice.
    """
    columns = ["label_id", "kind", "garment_id", "withdraws", "migration"]
    rows = context.dataset.catalog.rows("labels", columns)
    said = [row for row in as_said(rows.to_pylist()) if not row["withdraws"]]
    ids = "\n".join(sorted(rows.column("label_id").to_pylist()))
    garments = {row["garment_id"] for row in said}
    return {
        "labels": dict(Counter(row["kind"] for row in said)),
        "garments": len(garments),
        "blind": len(garments & audit_slice(context.dataset)),
        "hash": content_id(ids.encode()),
    }


def measure_step(context: Context) -> Details:
    """The edit rate by the taggers that proposed in this round."""
    return edit_rates(context.dataset, alike=context.alike).as_details(context.round)


def sync_step(context: Context) -> Details:
    """Bring FiftyOne in step; a machine without it goes without."""
    if not context.options.fiftyone:
        return {"skipped": "--no-fiftyone"}
    try:
        from curate.fiftyone.sync import sync

        end = context.follow(sync(context.dataset), "syncing")
    except FiftyOneError as error:
        context.say(f"note: FiftyOne was not brought up to date: {error}")
        return {"skipped": str(error)}
    return {"garments": end.garments, "photos": end.photos} if end else {}


def refresh_step(context: Context) -> Details:
    """Give tasks that nobody touched what the taggers propose by now."""
    end = _push(context)
    return {"updated": end.updated if end else 0}


def _push(context: Context) -> "PushProgress | None":
    from annotate.studio.push import push

    return context.follow(push(context.dataset, context.server(), push_options(context)), "pushing")


def push_options(context: Context) -> "PushOptions":
    """What is pushed in a round: the list that was selected, and the round's blind ones."""
    from annotate.studio.push import PushOptions

    options = context.options
    path = context.dataset.folder / context.of("select", "file")
    if not path.exists():  # somebody cleared run/: others take the place of what was not sent
        path, _ = _choose(context)
    return PushOptions(str(path), options.budget, context.round, options.audit)


def _pull(context: Context, follow: Follow) -> None:
    from annotate.studio.pull import pull

    try:
        follow(pull(context.dataset, context.server()), "pulling")
    except StudioBusy:
        return  # the pull in the background brings the same


def _tasks(context: Context) -> list[Mapping[str, Any]]:
    """The round's rows of `tasks`."""
    columns = ["garment_id", "round", "audit", "state"]
    rows = context.dataset.catalog.rows("tasks", columns).to_pylist()
    return [row for row in rows if row["round"] == context.round]
