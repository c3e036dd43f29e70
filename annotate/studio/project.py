"""Which Label Studio projects belong to a data set: marks, and what is kept about them.

A data set has up to three projects: `main` (pre-filled), `audit` (blind, every task twice) and
`adjudication` (what annotators disagree about, each question once). Each has a UUID of our own,
written into the project's description as `garmentloop:<uuid>:<kind>` and kept in
DIR/run/labelstudio/projects.json. The UUID, never the server's address, goes into the ids of
labels, so that a server may move.
"""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError, canonicalize

from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import NotOurProject, StudioError
from garments.ids import content_id
from garments.whole import write_whole

MARK = re.compile(r"garmentloop:(?P<uuid>[0-9a-f-]{36}):(?P<kind>main|audit|adjudication)")
PROJECTS_FILE = "projects.json"


class Kind(StrEnum):
    """Which of a data set's projects."""

    MAIN = "main"
    AUDIT = "audit"
    ADJUDICATION = "adjudication"

    @property
    def overlap(self) -> int:
        """How many people answer each task, where the task itself does not say."""
        return 2 if self is Kind.AUDIT else 1


LABELLING = (Kind.MAIN, Kind.AUDIT)
"""Projects to which garments are pushed to be labelled."""


@dataclass(frozen=True)
class ProjectRecord:
    """What the data set knows about one of its projects.

    `server` and `project_id` are empty and 0 until the project is made; `cursor` is how far its
    answers have been pulled (None: never); `forms` are the hashes of the forms that we sent last.
    """

    uuid: str
    kind: Kind
    server: str = ""
    project_id: int = 0
    cursor: str | None = None
    forms: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """The text in the project's description by which it is known."""
        return f"garmentloop:{self.uuid}:{self.kind}"


@dataclass(frozen=True)
class Project:
    """One of our projects, as the server has it now."""

    id: int
    kind: Kind
    uuid: str
    url: str
    """Its page in a browser."""
    title: str
    label_config: str
    model_version: str
    """The version whose predictions are shown, empty where there is none."""
    tasks: int
    """How many tasks it holds."""


def studio_folder(dataset: Dataset) -> Path:
    """Where state, data and logs of Label Studio are kept, made where it is not there."""
    folder = dataset.run / "labelstudio"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudioError(
            f"expected a folder for Label Studio at {folder}, but {error}; make room or rights"
        ) from error
    return folder


def project_title(dataset: Dataset, kind: Kind) -> str:
    """What a project is called in Label Studio: at most 50 characters."""
    ending = "" if kind is Kind.MAIN else f" ({kind})"
    return dataset.settings.name.strip()[: 50 - len(ending)].ljust(3, "_") + ending


def mark_of(description: str | None) -> tuple[str, Kind] | None:
    """UUID and kind in a project's description; None where it is not one of garmentloop's."""
    found = MARK.search(description or "")
    return (found["uuid"], Kind(found["kind"])) if found else None


def xml_hash(xml: str) -> str:
    """Hash of a form that does not depend on how its XML is laid out."""
    try:
        return content_id(canonicalize(xml, strip_text=True).encode())
    except ParseError:
        return content_id(xml.encode())


def find_record(dataset: Dataset, kind: Kind) -> ProjectRecord | None:
    """What is kept about the project of that kind, None before the first push."""
    return _read(studio_folder(dataset) / PROJECTS_FILE).get(kind)


def record_of(dataset: Dataset, kind: Kind) -> ProjectRecord:
    """What is kept about the project of that kind; its UUID is made now where there is none."""
    if found := find_record(dataset, kind):
        return found
    with _records(dataset) as records:
        return records.setdefault(kind, ProjectRecord(str(uuid.uuid4()), kind))


def change_record(dataset: Dataset, kind: Kind, **changes: Any) -> ProjectRecord:
    """Keep other values of `server`, `cursor` and the like; the others stay as they are."""
    with _records(dataset) as records:
        before = records.get(kind) or ProjectRecord(str(uuid.uuid4()), kind)
        records[kind] = replace(before, **changes)
        return records[kind]


def gone(dataset: Dataset, record: ProjectRecord, url: str) -> NotOurProject:
    """The error for a project that is not where it was, or was never, with what can be done."""
    file = studio_folder(dataset) / PROJECTS_FILE
    if record.server != url:
        return NotOurProject(
            f"expected the {record.kind} project of {dataset.folder} at {url}, but "
            f"it is at {record.server}; give that address with --url, or to begin anew here "
            f'take "{record.kind}" out of {file}'
        )
    return NotOurProject(
        f"expected project {record.project_id} at {url}, but it is gone; labels that "
        f"were pulled are kept. Restore it, or to begin a new one take "
        f'"{record.kind}" out of {file}'
    )


@contextmanager
def _records(dataset: Dataset) -> Iterator[dict[Kind, ProjectRecord]]:
    """The records, to be changed by one process at a time; replaced as a whole at the end."""
    folder = studio_folder(dataset)
    with exclusive(folder / "projects.lock"):
        records = _read(folder / PROJECTS_FILE)
        yield records
        text = json.dumps({str(k): asdict(v) for k, v in sorted(records.items())}, indent=2)
        write_whole(folder / PROJECTS_FILE, text + "\n")


def _read(path: Path) -> dict[Kind, ProjectRecord]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {Kind(kind): _record(values) for kind, values in data.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise StudioError(
            f"expected the projects of this data set in {path}, but {error}; mend the file, or "
            "restore it from a backup: without it answers cannot be told apart from others'"
        ) from error


def _record(values: dict[str, Any]) -> ProjectRecord:
    names = {field.name for field in fields(ProjectRecord)}
    if set(values) - names:
        raise ValueError(f"it has the unknown keys {sorted(set(values) - names)}")
    known = {"kind": Kind(values["kind"]), "forms": tuple(values.get("forms", ()))}
    return ProjectRecord(**{**values, **known})
