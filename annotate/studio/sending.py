"""Does what a survey found: rows first, then the server, so that nothing is there twice.

Rows, with what is shown, are written before the tasks are sent, and a journal says which ones are
on their way; so whoever is killed goes on where it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from annotate.studio.exchange import BATCH
from annotate.studio.journal import write_journal
from annotate.studio.listing import list_tasks, one_each
from annotate.studio.overlap import differing, set_overlaps
from annotate.studio.prepare import Preparer
from annotate.studio.progress import PushProgress
from annotate.studio.project import Kind, Project, studio_folder
from annotate.studio.side import DELETED, WITHDRAWN, Side, Update, name_of, table_of
from annotate.studio.survey import Row, Survey
from annotate.studio.tasks import MODEL_VERSION, Task
from garments.catalog.lock import exclusive

_UPDATES = 100
"""Tasks that are updated at once: few, since they are looked at just before."""

_FIRST = 100
"""Tasks in the first batch of a project."""

_THREADS = 4


class Sending:
    """Does what a survey found."""

    def __init__(self, survey: Survey) -> None:
        self.survey, self.dataset, self.studio = survey, survey.dataset, survey.studio
        self.plan = survey.plan
        self.state = PushProgress(self.plan, self.plan.created + self.plan.updated)
        self._shows = False

    def run(self) -> Iterator[PushProgress]:
        """Deleted ones first, then what is new, then what is stale; at the end look for doubles.

        What is needed no more is taken back, and several people are asked where they are wanted.
        """
        self._keep_deleted()
        self._keep_round()
        yield self.state
        sides = list(self.survey.sides.values())
        for side in sides:
            self._ready(side)
        yield from self._create(sides)
        for side in sides:
            yield from self._update(side)
        self._journal(frozenset())
        for side in sides:
            self._remove_doubles(side)
            yield from self._ask_several(side)
            self._take_back(side)
        yield self.state

    def _tell(self, **more: int) -> PushProgress:
        now = {name: getattr(self.state, name) + count for name, count in more.items()}
        self.state = replace(self.state, **now)
        return self.state

    def _keep_deleted(self) -> None:
        rows = [row for side in self.survey.sides.values() for row in side.gone]
        self._put({**row, "state": DELETED} for row in rows)

    def _keep_round(self) -> None:
        """Say in `rounds` how each round was chosen, when its first tasks are sent."""
        self.dataset.catalog.add("rounds", self.survey.openings())

    def _journal(self, task_ids: frozenset[str]) -> None:
        """Say what is about to be sent or updated, beside what was before a push was cut off."""
        write_journal(self.dataset, task_ids, self.survey.journal_file)

    def _ready(self, side: Side) -> None:
        """The project with its present form; made only when there is something to put into it."""
        if side.project is None and not side.create:
            return
        xml = self.survey.form.xml
        project = self.studio.project(side.kind, xml)
        reset = self.survey.reset_form
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
            names = list(side.create)
            prepare = Preparer(self.survey, side, names)
            for batch in _batches(names):
                yield side.project, prepare(batch)

    def _send(self, project: Project, tasks: Sequence[Task]) -> None:
        self._journal(self.survey.journal | {task.task_id for task in tasks})
        self._put(task.row() for task in tasks)
        self.studio.import_tasks(project, [task.payload for task in tasks])
        self._journal(self.survey.journal)
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
            self._journal(self.survey.journal | ids)
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
        self._journal(self.survey.journal)

    def _with_pictures(self, side: Side, updates: Sequence[Update]) -> list[Update]:
        """Those of garments that were cut anew get the pictures of the new crop."""
        moved = [u for u in updates if u.before["crop_sha"] != u.task.crop_sha]
        if not moved:
            return list(updates)
        names = [update.task.name for update in moved]
        made = {task.name: task for task in Preparer(self.survey, side, names)(names)}
        return [replace(u, task=made.get(u.task.name, u.task)) for u in updates]

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

    def _ask_several(self, side: Side) -> Iterator[PushProgress]:
        """Ask as many people about each task as our own rows say; those are what counts."""
        if side.project is None:
            return
        names = [*side.rows, *side.create]
        wanted = {name: n for name in names if (n := self.survey.overlap(side, name)) is not None}
        new = side.create.keys() & wanted.keys()
        if not new and not differing(wanted, side.there):
            return
        there, _ = one_each(list_tasks(self.studio, side.project))
        for _ in set_overlaps(self.studio, differing(wanted, there)):
            yield self.state

    def _take_back(self, side: Side) -> None:
        """Delete what nobody has to answer any more, unless somebody has begun with it."""
        if side.project is None or not side.needless:
            return
        unsent = [row for row in side.needless if name_of(row) not in side.there]
        self._put({**row, "state": WITHDRAWN} for row in unsent)
        sent = [row for row in side.needless if name_of(row) in side.there]
        numbers = {side.there[name_of(row)].id: row for row in sent}
        with exclusive(studio_folder(self.dataset) / "pull.lock"):
            fresh = list_tasks(self.studio, side.project, list(numbers))
            free = [task.id for task in fresh if not task.touched]
            self._put({**numbers[number], "state": WITHDRAWN} for number in free)
            self.studio.delete_tasks(side.project, free)
        self._tell(withdrawn=len(free))

    def _put(self, rows: Iterable[Row]) -> None:
        """Write rows to the tables that they belong to."""
        tables: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            ours = {key: value for key, value in row.items() if key not in _OURS}
            tables.setdefault(table_of(row), []).append(ours)
        for table, some in tables.items():
            self.dataset.catalog.put(table, some)


def _batches(names: Sequence[str]) -> list[Sequence[str]]:
    """What is sent at once; the first is small, so that the server has something to do soon."""
    starts = [0, *range(_FIRST, len(names), BATCH)]
    ends = [*starts[1:], len(names)]
    return [names[start:end] for start, end in zip(starts, ends, strict=True)]


_OURS = ("seq", "created_at")
"""Columns that the catalogue fills in."""
