"""One of a data set's projects, and what a push is to do there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from annotate.studio.listing import Listed
from annotate.studio.project import Kind, Project
from annotate.studio.tasks import Task, task_key

CREATED, DELETED, WITHDRAWN = "created", "deleted", "withdrawn"
"""States of tasks that a push gives: sent, deleted on the server by somebody, and taken back by us
as nobody needs to answer it any more."""

DONE, SKIPPED = "done", "skipped"
"""States of tasks that a pull gives."""

_PREDICTED = ("task_id", "shown", "form_hash")
"""What of a row cannot change without the prediction."""

Row = Mapping[str, Any]


def name_of(row: Row) -> str:
    """What a row of `tasks` or `checks` calls its garment on the server."""
    return str(row.get("name") or task_key(row["garment_id"], row.get("again")))


def table_of(row: Row) -> str:
    """The table that a row belongs to, `tasks` or `checks`."""
    return "checks" if row.get("purpose") else "tasks"


@dataclass(frozen=True)
class Update:
    """A task that nobody has touched and that no longer shows what holds now.

    `unsure`: a push was cut off while it updated this one.
    """

    before: Row
    listed: Listed
    task: Task
    unsure: bool = False

    @property
    def changes(self) -> bool:
        """Whether what is written around the pre-fill has to change."""
        return _without_link(self.task.data) != _without_link(self.listed.data)

    @property
    def predicts(self) -> bool:
        """Whether its pre-fill has to change, beside what is written around it."""
        after = self.task.row()
        changed = any(self.before[name] != after[name] for name in _PREDICTED)
        return not self.task.blind and (self.unsure or changed)


@dataclass
class Side:
    """One project: its rows and the tasks there by name, and what is to be done.

    Garments go by the name that they have on the server (`name_of`). `doubled` are tasks beside the
    one that counts. `create` has names with their rounds, `gone` rows of tasks that somebody
    deleted on the server, `needless` those that may be taken back.
    """

    kind: Kind
    project: Project | None = None
    rows: dict[str, Row] = field(default_factory=dict)
    there: dict[str, Listed] = field(default_factory=dict)
    doubled: list[Listed] = field(default_factory=list)
    create: dict[str, str] = field(default_factory=dict)
    update: list[Update] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    needless: list[Row] = field(default_factory=list)


def _without_link(data: Mapping[str, Any]) -> dict[str, Any]:
    """The form has the link to the guidelines too, so a new one alone makes no task stale."""
    return {key: value for key, value in data.items() if key != "guidelines"}
