"""Taking garments out of Label Studio: their tasks with all answers, uploads, exports, and logs.

What is deleted by the server's API stays in free pages of its database until that is packed. The
data set's own server may go on meanwhile; one that was stopped is started for it and stopped again.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from annotate.studio import server
from annotate.studio.aside import aside_path
from annotate.studio.client import Studio, connect
from annotate.studio.context import media_folder
from annotate.studio.journal import (
    DISPUTE_JOURNAL,
    PUSH_JOURNAL,
    read_journal,
    write_journal,
)
from annotate.studio.project import Kind, Project, ProjectRecord, find_record, studio_folder
from garments.dataset import Dataset
from garments.scrub import Terms, drop_lines, mask
from garments.sqlite import vacuum

_DATABASE = "label_studio.sqlite3"
_LOGS = ("server.log", "server.log.1", "pull.log")
_EXPORTED = ("export", "media/export", "media/upload")
"""Where Label Studio keeps what was exported and uploaded, below its own folder."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class StudioWithdrawn:
    """How many tasks and uploaded pictures were deleted; `elsewhere` is a server of others."""

    tasks: int = 0
    uploads: int = 0
    elsewhere: str = ""


def uses_studio(dataset: Dataset) -> bool:
    """Whether anything of the data set may be in a Label Studio."""
    return (dataset.run / "labelstudio").is_dir()


def withdraw_tasks(
    dataset: Dataset,
    garments: Collection[str],
    terms: Terms,
    *,
    url: str | None = None,
    tell: Tell = lambda text: None,
) -> StudioWithdrawn:
    """Delete the garments' tasks in both projects, and pack the database of our own server.

    `terms` are the names of what goes. Hold the locks of push and pull. Raises `StudioError` where
    the server cannot be reached or a project is not ours; what was deleted until then counts.
    """
    found = StudioWithdrawn()
    if not uses_studio(dataset):
        return found
    database = studio_folder(dataset) / "data" / _DATABASE
    records = [one for kind in Kind if (one := find_record(dataset, kind)) and one.project_id]
    if records:
        with _reached(dataset, records[0], database, url, tell) as studio:
            found = _delete(studio, records, garments, terms)
    if database.is_file():
        _clear_exports(database.parent, terms)
        _pack(database, terms)
    return found


def withdraw_files(dataset: Dataset, terms: Terms) -> int:
    """Delete what is kept beside the server of `terms`: pictures, notes, logs; how many."""
    gone = 0
    for path in media_folder(dataset).rglob("*"):
        if terms.within(path.name) and (path.is_symlink() or path.is_file()):
            path.unlink(missing_ok=True)
            gone += 1
    if uses_studio(dataset):
        drop_lines(aside_path(dataset), terms)
        for file in (PUSH_JOURNAL, DISPUTE_JOURNAL):
            left = (name for name in read_journal(dataset, file) if not terms.within(name))
            write_journal(dataset, frozenset(left), file)
        for name in _LOGS:
            mask(studio_folder(dataset) / name, terms)
    return gone


@contextmanager
def _reached(
    dataset: Dataset, record: ProjectRecord, database: Path, url: str | None, tell: Tell
) -> Iterator[Studio]:
    """The server that has our projects: the one asked for, our own, or where they were made."""
    started = False
    if url is None and not server.running(dataset) and database.is_file():
        _, started = server.start(dataset, tell=tell)
    try:
        own = url is None and server.running(dataset) is not None
        studio = connect(dataset, url if url or own else record.server)
        try:
            yield studio
        finally:
            studio.connection.close()
    finally:
        if started:
            server.stop(dataset)


def _delete(
    studio: Studio, records: Collection[ProjectRecord], garments: Collection[str], terms: Terms
) -> StudioWithdrawn:
    tasks = uploads = 0
    for record in records:
        if studio.was_deleted(record):
            continue
        project = studio.project(record.kind)
        keys = studio.task_keys(project)
        mine = [
            number
            for (garment, crop), ids in keys.items()
            if garment in garments or terms.within(f"{garment} {crop}")
            for number in ids
        ]
        tasks += studio.delete_tasks(project, mine)
        uploads += _delete_uploads(studio, project, terms)
    return StudioWithdrawn(tasks, uploads, "" if studio.local else studio.url)


def _delete_uploads(studio: Studio, project: Project, terms: Terms) -> int:
    """Pictures that were sent to a server that does not read our files."""
    path = f"/api/projects/{project.id}/file-uploads"
    rows = studio.request("GET", path, params={"all": "true"})
    mine = [int(row["id"]) for row in rows if terms.within(str(row["file"]))]
    for number in mine:
        studio.request("DELETE", f"/api/import/file-upload/{number}")
    return len(mine)


def _pack(database: Path, terms: Terms) -> None:
    """Pack it, again where a server that goes on was just deleting or writing one of `terms`."""
    for pause in (0.0, 1.0, 4.0):
        sleep(pause)
        vacuum(database)
        if not terms.within_file(database):
            return


def _clear_exports(data: Path, terms: Terms) -> None:
    """What annotators exported in the browser, and uploads that the server has forgotten."""
    for name in _EXPORTED:
        for path in (data / name).rglob("*"):
            if path.is_file() and (terms.within(path.name) or terms.within_file(path)):
                path.unlink(missing_ok=True)
