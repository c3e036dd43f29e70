"""Garments to Label Studio: as tasks with everything filled in, each once, whatever crashes.

Rows of `tasks`, with what is shown, are written before the tasks are sent, and a journal says which
ones are on their way; so a push that is killed goes on where it was, and a task that somebody
deleted or skipped never comes back. Garments and tasks are joined on `data.garment_id`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from annotate.guidelines import PAGE, keep_guidelines
from annotate.studio.choose import PushOptions
from annotate.studio.client import Studio
from annotate.studio.context import is_plain
from annotate.studio.exchange import BATCH
from annotate.studio.form import Form, form
from annotate.studio.journal import one_push, write_journal
from annotate.studio.listing import list_tasks, one_each
from annotate.studio.plan import PushPlan, Survey
from annotate.studio.prepare import Preparer
from annotate.studio.project import Kind, Project, studio_folder
from annotate.studio.side import DELETED, Side, Update
from annotate.studio.tasks import MODEL_VERSION, Task
from annotate.studio.vocabularies import keep_taxonomy
from garments.catalog.lock import exclusive
from garments.dataset import Dataset

__all__ = ["PushOptions", "PushPlan", "PushProgress", "plan", "push"]

_UPDATES = 100
"""Tasks that are updated at once: few, since they are looked at just before."""

_FIRST = 100
"""Tasks in the first batch of a project."""

_THREADS = 4

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PushProgress:
    """How far a push has come, in tasks; `total` counts those to create and to update.

    `blind` are those of `created` in the audit slice. `spared` were to be updated, but somebody
    began with them meanwhile. `removed` were on the server twice.
    """

    plan: PushPlan
    total: int | None = None
    created: int = 0
    blind: int = 0
    updated: int = 0
    spared: int = 0
    removed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        text = (
            f"{self.plan.round}: {self.created} tasks created ({self.blind} of them blind), "
            f"{self.updated} updated, {self.plan.left + self.spared} left as they are"
        )
        if self.plan.deleted:
            text += f", {self.plan.deleted} deleted in Label Studio"
        return text + (f", {self.removed} doubles removed" if self.removed else "")

    @property
    def done(self) -> int:
        """Tasks that are dealt with."""
        return self.created + self.updated + self.spared


def plan(dataset: Dataset, studio: Studio, options: PushOptions | None = None) -> PushPlan:
    """What a push would do; nothing is changed, here or there."""
    url = guidelines_url(studio)
    return Survey(dataset, studio, options or PushOptions(), _form(studio, url), url).plan


def push(
    dataset: Dataset, studio: Studio, options: PushOptions | None = None
) -> Iterator[PushProgress]:
    """Send what is chosen, update what is stale, and tell how far it has come.

    Raises `StudioError` where another push is at work, the server fails, a project is not ours or
    its form was edited; what was sent until then counts, and the same call goes on from there.
    """
    options = options or PushOptions()
    with one_push(dataset):
        keep_taxonomy(dataset)  # by which a pull reads what was answered under it
        if studio.local:
            keep_guidelines(dataset)
        url = guidelines_url(studio)
        survey = Survey(dataset, studio, options, _form(studio, url), url)
        yield from _Push(survey).run()


def guidelines_url(studio: Studio) -> str:
    """Address of the annotators' page, empty where there is none that the server can show."""
    page = studio.dataset.folder / PAGE
    return studio.file_url(page) if studio.local and is_plain(page) else ""


def _form(studio: Studio, url: str) -> Form:
    return form(studio.dataset.taxonomy, url or None, one_key=studio.local)


class _Push:
    """Does what a survey found."""

    def __init__(self, survey: Survey) -> None:
        self.survey, self.dataset, self.studio = survey, survey.dataset, survey.studio
        self.plan = survey.plan
        self.state = PushProgress(self.plan, self.plan.created + self.plan.updated)
        self._shows = False

    def run(self) -> Iterator[PushProgress]:
        """Deleted ones first, then what is new, then what is stale; at the end look for doubles."""
        self._keep_deleted()
        self._keep_round()
        yield self.state
        sides = list(self.survey.sides.values())
        for side in sides:
            self._ready(side)
        yield from self._create(sides)
        for side in sides:
            yield from self._update(side)
        write_journal(self.dataset, frozenset())
        for side in sides:
            self._remove_doubles(side)
        yield self.state

    def _tell(self, **more: int) -> PushProgress:
        now = {name: getattr(self.state, name) + count for name, count in more.items()}
        self.state = replace(self.state, **now)
        return self.state

    def _keep_deleted(self) -> None:
        rows = [row for side in self.survey.sides.values() for row in side.gone]
        self._put({**row, "state": DELETED} for row in rows)

    def _keep_round(self) -> None:
        """Say in `rounds` how this round was chosen, when its first tasks are sent."""
        if self.plan.created:
            asked, options = self.survey.choice, self.survey.options
            details = json.dumps({"select": options.select, "limit": options.limit})
            row = {"round_id": asked.round, "kind": "push", "details": details}
            self.dataset.catalog.add("rounds", [row])

    def _ready(self, side: Side) -> None:
        """The project with its present form; made only when there is something to put into it."""
        if side.project is None and not side.create:
            return
        xml = self.survey.form.xml
        project = self.studio.project(side.kind, xml)
        reset = self.survey.options.reset_form
        side.project = self.studio.update_config(project, xml, force=reset)

    def _create(self, sides: Sequence[Side]) -> Iterator[PushProgress]:
        """Send new tasks in batches; the next one is prepared while the server works on one."""
        batches = self._prepared(sides)
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(next, batches, None)
            while ready := coming.result():
                coming = pool.submit(next, batches, None)
                project, tasks = ready
                self._send(project, tasks)
                blind = len(tasks) if project.kind is Kind.AUDIT else 0
                yield self._tell(created=len(tasks), blind=blind)

    def _prepared(self, sides: Sequence[Side]) -> Iterator[tuple[Project, list[Task]]]:
        for side in sides:
            if side.project is None or not side.create:
                continue
            garments = list(side.create)
            prepare = Preparer(self.survey, side, garments)
            for batch in _batches(garments):
                yield side.project, prepare(batch)

    def _send(self, project: Project, tasks: Sequence[Task]) -> None:
        write_journal(self.dataset, self.survey.journal | {task.task_id for task in tasks})
        self._put(task.row() for task in tasks)
        self.studio.import_tasks(project, [task.payload for task in tasks])
        write_journal(self.dataset, self.survey.journal)
        self._show(project)

    def _show(self, project: Project) -> None:
        """Let the project pre-fill from our predictions, of which there must be one by then."""
        if self._shows or project.kind is not Kind.MAIN:
            return
        if project.model_version != MODEL_VERSION:
            self.studio.show_version(project, MODEL_VERSION)
        self._shows = True

    def _update(self, side: Side) -> Iterator[PushProgress]:
        """Replace what stale tasks show, in small batches, sparing those that were begun."""
        if side.project is None:
            return
        for start in range(0, len(side.update), _UPDATES):
            batch = side.update[start : start + _UPDATES]
            stale = self._claim(side, batch)
            self._replace(side.project, stale)
            yield self._tell(updated=len(stale), spared=len(batch) - len(stale))

    def _claim(self, side: Side, batch: Sequence[Update]) -> list[Update]:
        """Those that are still untouched, after saying in the catalogue what they will show.

        Pulls wait meanwhile: what they write about tasks must not be overwritten.
        """
        assert side.project is not None
        ready = self._with_pictures(side, batch)
        with exclusive(studio_folder(self.dataset) / "pull.lock"):
            fresh = list_tasks(self.studio, side.project, [update.listed.id for update in ready])
            free = {task.id for task in fresh if not task.touched}
            stale = [update for update in ready if update.listed.id in free]
            ids = {update.task.task_id for update in stale}
            write_journal(self.dataset, self.survey.journal | ids)
            moved = [u for u in stale if u.before["task_id"] != u.task.task_id]
            self._put({**update.before, "state": DELETED} for update in moved)
            self._put(update.task.row() for update in stale)
        return stale

    def _replace(self, project: Project, updates: Sequence[Update]) -> None:
        changed = [update for update in updates if update.changes]
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(lambda u: self.studio.update_task(u.listed.id, u.task.data), changed))
        rows = [{"task": u.listed.id, **u.task.prediction} for u in updates if u.predicts]
        self.studio.replace_predictions(project, MODEL_VERSION, rows)
        write_journal(self.dataset, self.survey.journal)

    def _with_pictures(self, side: Side, updates: Sequence[Update]) -> list[Update]:
        """Those of garments that were cut anew get the pictures of the new crop."""
        moved = [u for u in updates if u.before["crop_sha"] != u.task.crop_sha]
        if not moved:
            return list(updates)
        names = [update.task.garment_id for update in moved]
        made = {task.garment_id: task for task in Preparer(self.survey, side, names)(names)}
        return [replace(u, task=made.get(u.task.garment_id, u.task)) for u in updates]

    def _remove_doubles(self, side: Side) -> None:
        """Of tasks that are there twice, because an answer got lost, keep one."""
        if side.project is None or not (side.create or side.doubled or self.survey.journal):
            return
        doubled = side.doubled
        expected = len(side.there) + len(side.create) + len(doubled)
        if self.studio.project(side.kind).tasks > expected:
            doubled = one_each(list_tasks(self.studio, side.project))[1]
        fresh = list_tasks(self.studio, side.project, [task.id for task in doubled])
        if spare := [task.id for task in fresh if not task.touched]:
            self._tell(removed=self.studio.delete_tasks(side.project, spare))

    def _put(self, rows: Any) -> None:
        known = self.dataset.catalog
        known.put("tasks", [{k: v for k, v in row.items() if k not in _OURS} for row in rows])


def _batches(garments: Sequence[str]) -> list[Sequence[str]]:
    """What is sent at once; the first is small, so that the server has something to do soon."""
    starts = [0, *range(_FIRST, len(garments), BATCH)]
    ends = [*starts[1:], len(garments)]
    return [garments[start:end] for start, end in zip(starts, ends, strict=True)]


_OURS = ("seq", "created_at")
"""Columns that the catalogue fills in."""
