"""What of a project is on the server now, and what of it somebody has touched."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.studio.client import Studio
from annotate.studio.project import Project
from annotate.studio.tasks import task_key

_PAGE = 1000


@dataclass(frozen=True)
class Listed:
    """One task on the server. `touched`: answered, skipped, or begun by anybody.

    `overlap` is how many people are to answer it, `answers` how many have.
    """

    id: int
    data: dict[str, Any]
    touched: bool
    overlap: int = 1
    answers: int = 0

    @property
    def garment_id(self) -> str:
        """Empty for a task that is not ours."""
        return str(self.data.get("garment_id") or "")

    @property
    def name(self) -> str:
        """What it is called among ours: a `task_key`; empty for a task that is not ours."""
        return task_key(self.garment_id, str(self.data.get("again") or ""))


def list_tasks(
    studio: Studio, project: Project, among: Sequence[int] | None = None
) -> list[Listed]:
    """All tasks of a project, oldest first; `among` (ids in any order) limits them."""
    begun = {row["id"] for row in _pages(studio, project, among, begun=True)}
    return [
        Listed(
            row["id"],
            row["data"],
            row["id"] in begun or _answered(row),
            int(row.get("overlap") or 1),
            int(row.get("total_annotations") or 0),
        )
        for row in _pages(studio, project, among)
    ]


def one_each(listed: Sequence[Listed]) -> tuple[dict[str, Listed], list[Listed]]:
    """By name the task that counts, the oldest that somebody touched; and all others.

    Tasks that are not ours are in neither; nor are others that somebody touched too.
    """
    chosen: dict[str, Listed] = {}
    counts = Counter(task.name for task in listed)
    for task in sorted(listed, key=lambda task: (not task.touched, task.id)):
        if task.garment_id:
            chosen.setdefault(task.name, task)
    spare = [
        task for task in listed if counts[task.name] > 1 and task.garment_id and not task.touched
    ]
    return chosen, [task for task in spare if chosen[task.name] is not task]


def _answered(row: dict[str, Any]) -> bool:
    return bool(row.get("total_annotations") or row.get("cancelled_annotations"))


def _pages(
    studio: Studio, project: Project, among: Sequence[int] | None, begun: bool = False
) -> Iterator[dict[str, Any]]:
    """Rows without their answers, by id; with `begun` those for which there is a draft.

    Drafts of others are in no row, so they are asked for by themselves.
    """
    if among is not None and not among:
        return
    wanted = None if among is None else set(among)
    last, end = (min(wanted) - 1, max(wanted)) if wanted else (0, None)
    while True:
        items = [_item("id", "greater", "Number", last)]
        if end is not None:
            items.append(_item("id", "less_or_equal", "Number", end))
        if begun:
            items.append(_item("draft_exists", "equal", "Boolean", True))
        query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
        params: dict[str, str | int] = {
            "project": project.id,
            "fields": "task_only",
            "page_size": _PAGE,
            "resolve_uri": "false",
            "query": json.dumps(query),
        }
        rows = studio.request("GET", "/api/tasks/", params=params)["tasks"]
        yield from (row for row in rows if wanted is None or row["id"] in wanted)
        if len(rows) < _PAGE:
            return
        last = rows[-1]["id"]


def _item(column: str, operator: str, kind: str, value: object) -> dict[str, object]:
    return {
        "filter": f"filter:tasks:{column}",
        "operator": operator,
        "type": kind,
        "value": value,
    }
