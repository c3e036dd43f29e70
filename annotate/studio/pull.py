"""Answers from Label Studio to the catalogue: every one, each once, whatever crashes.

The cursor of a project is a time of the server's clock. Tasks that changed since a little before
it are read again, and what they say is compared with what is known; labels are written first, then
the cursor. So a pull that is cut off, or done twice, changes nothing that is right.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from annotate.studio.aside import SetAside
from annotate.studio.client import Studio
from annotate.studio.hear import moment
from annotate.studio.intake import Intake
from annotate.studio.project import (
    Kind,
    Project,
    ProjectRecord,
    change_record,
    find_record,
    studio_folder,
)
from annotate.studio.vocabularies import keep_taxonomy
from garments.catalog.lock import exclusive
from garments.dataset import TAXONOMY_FILE, Dataset
from garments.errors import CatalogError, DatasetError, StudioBusy
from garments.migration.history import History, settle
from garments.migration.record import expect_settled

LOOK_BACK = timedelta(seconds=60)
"""Before the cursor: changes may become visible later than others that bear a later time."""

_SKEW = timedelta(seconds=2)
"""The server tells its time in whole seconds."""

_BATCH = 250
"""Tasks in one request, and between two commits."""

_PATIENCE = 60.0
"""Seconds to wait for another pull that is about to end."""

COMPACT_EVERY, COMPACT_AT_END = 100, 10
"""Commits after which the catalogue's tables are made compact."""

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class PullProgress:
    """How far a pull has come: tasks read, and what was new in them.

    `annotations` are those that were new or changed; `withdrawn` counts labels and decisions of
    annotations that were changed or deleted; `set_aside` what could not be taken. Of the labels
    `migrated` were given in words of an earlier taxonomy, and brought to those of now.
    """

    done: int = 0
    total: int | None = None
    annotations: int = 0
    labels: int = 0
    withdrawn: int = 0
    bad_crops: int = 0
    notes: int = 0
    skips: int = 0
    set_aside: int = 0
    migrated: int = 0
    skipped: int = 0

    @property
    def changes(self) -> int:
        """How many things were new."""
        return (
            self.labels + self.withdrawn + self.bad_crops + self.notes + self.skips + self.set_aside
        )

    def __str__(self) -> str:
        if not self.changes:
            return "nothing new"
        text = f"{self.annotations} annotations: {self.labels} labels"
        more = {
            "bad crops": self.bad_crops,
            "notes": self.notes,
            "withdrawn": self.withdrawn,
            "tasks skipped": self.skips,
            "in words of an earlier taxonomy, brought to those of now": self.migrated,
            "set aside": self.set_aside,
        }
        return text + "".join(f", {count} {name}" for name, count in more.items() if count)


def pull(
    dataset: Dataset, studio: Studio, *, everything: bool = False, dry_run: bool = False
) -> Iterator[PullProgress]:
    """Read what people answered since the last pull, and tell how far it has come.

    With `everything` all tasks are read again, whatever the cursor says; with `dry_run` nothing is
    written. Raises `StudioError` where the server fails, the project is not ours, or another pull
    is at work; what was read until then counts.
    """
    puller = Puller(dataset, studio, dry_run=dry_run)
    yield from puller.run(everything)
    puller.close()


class Puller:
    """Pulls again and again; tasks that look as they did a moment ago are passed over."""

    def __init__(self, dataset: Dataset, studio: Studio, *, dry_run: bool = False) -> None:
        self.dataset, self.studio, self.dry_run = dataset, studio, dry_run
        self._aside = SetAside(dataset)
        self._seen: dict[tuple[Kind, int], object] = {}
        self._commits = 0
        self._taxonomy_version: tuple[int, int] | None = None

    def run(self, everything: bool = False) -> Iterator[PullProgress]:
        """One pull of both projects; what is told is in the catalogue."""
        state = PullProgress()
        with one_pull(self.dataset):
            self._reopen()
            for project, record in self._projects():
                for counts in self._project(project, record, everything):
                    state = _sum(state, counts)
                    yield state
        yield state

    def _reopen(self) -> None:
        """Read the taxonomy again where it was changed meanwhile.

        What others wrote in old words, as they did not know of a migration yet, is brought to new
        ones. Raises `StudioBusy` where a migration was cut off: whoever watches waits for its end.
        """
        try:
            expect_settled(self.dataset.folder)
        except DatasetError as error:
            raise StudioBusy(str(error)) from error
        status = (self.dataset.folder / TAXONOMY_FILE).stat()
        version = (status.st_mtime_ns, status.st_ino)
        if version != self._taxonomy_version:
            self.dataset = Dataset.open(self.dataset.folder)
            self._taxonomy_version = version
            self._seen.clear()
            if not self.dry_run:
                settle(self.dataset, History.of(self.dataset.folder))
        if not self.dry_run:
            keep_taxonomy(self.dataset)

    def close(self) -> None:
        """Leave the catalogue quick to read."""
        self._compact(COMPACT_AT_END)

    def _projects(self) -> Iterator[tuple[Project, ProjectRecord]]:
        records = [find_record(self.dataset, kind) for kind in Kind]
        made = [record for record in records if record and record.project_id]
        if not made:
            self.studio.project(Kind.MAIN)  # raises, saying what to do
        for record in made:
            yield self.studio.project(record.kind), record

    def _project(
        self, project: Project, record: ProjectRecord, everything: bool
    ) -> Iterator[PullProgress]:
        """Changed tasks in the order in which they changed; the cursor follows each batch."""
        now, cursor = self._server_time(), moment(record.cursor) if record.cursor else None
        since = None if everything else _since(cursor, now)
        intake = Intake(self.dataset, self.studio, project, self._aside)
        found = self.studio.tasks(project, _text(since) if since else None, page_size=_BATCH)
        while batch := list(islice(found, _BATCH)):
            fresh = [raw for raw in batch if not self._is_seen(project, raw)]
            counts = intake.take(fresh, self.dry_run)
            if not self.dry_run:
                self._advance(project, moment(batch[-1]["updated_at"]), now)
                self._remember(project, fresh, any(counts.values()))
            yield PullProgress(done=len(batch), **counts)

    def _is_seen(self, project: Project, raw: Raw) -> bool:
        return self._seen.get((project.kind, raw["id"])) == _look(raw)

    def _server_time(self) -> datetime | None:
        """What the server's clock said with its last answer."""
        text = self.studio.connection.server_date
        try:
            return parsedate_to_datetime(text).astimezone(UTC) if text else None
        except ValueError:
            return None

    def _advance(self, project: Project, seen: datetime, now: datetime | None) -> None:
        """Move the cursor on, though never beyond the server's clock, in case it was set back."""
        record = find_record(self.dataset, project.kind)
        if record is None or record.uuid != project.uuid:
            return  # somebody began anew meanwhile
        cursor = min(seen, now) if now else seen
        if record.cursor != (text := _text(cursor)):
            change_record(self.dataset, project.kind, cursor=text)

    def _remember(self, project: Project, fresh: Sequence[Raw], changed: bool) -> None:
        self._seen |= {(project.kind, raw["id"]): _look(raw) for raw in fresh}
        self._commits += changed
        self._compact(COMPACT_EVERY)

    def _compact(self, after: int) -> None:
        if self._commits >= after:
            self.dataset.catalog.optimize()
            self._commits = 0


@contextmanager
def one_pull(dataset: Dataset) -> Iterator[None]:
    """Keep other pulls of this data set out, so that none writes what it read before another."""
    path = studio_folder(dataset) / "pull.lock"
    held = False
    try:
        with exclusive(path, _PATIENCE):
            held = True
            yield
    except CatalogError as error:
        if held:
            raise
        raise StudioBusy(
            f"expected no other pull for {dataset.folder}, but one is at work (it holds {path}); "
            "wait for it or stop it, then run this again"
        ) from error


def _since(cursor: datetime | None, now: datetime | None) -> datetime | None:
    """From when on tasks are to be read, None for all.

    A cursor in the server's future means that its clock was set back: what changed since then
    bears times that were seen before, so only looking at everything finds it.
    """
    if cursor is None or (now is not None and now < cursor - _SKEW):
        return None
    return cursor - LOOK_BACK


def _text(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _look(raw: Raw) -> object:
    """What changes whenever somebody does something to a task."""
    answers = ((a["id"], a["updated_at"], a["was_cancelled"]) for a in raw["annotations"])
    return raw["updated_at"], tuple(answers)


def _sum(one: PullProgress, other: PullProgress) -> PullProgress:
    names = [found.name for found in fields(one) if found.name != "total"]
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})
