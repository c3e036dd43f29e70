"""Tasks and predictions: sent so that nothing is there twice, read so that nothing is missed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from annotate.studio.http import Connection, Files, pause
from annotate.studio.project import Project
from garments.errors import NotOurProject, StudioDown, StudioError, StudioRefused

BATCH = 500
"""Tasks or predictions in one request, unless the caller sends fewer."""

Row = dict[str, Any]


class Exchange:
    """What goes to and fro between us and one server."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str | int] | None = None,
        files: Files | None = None,
        replay: bool = True,
    ) -> Any:
        """The JSON that the server answers to `method` `path` (like `/api/tasks/`); None for 204.

        With `replay=False` a lost connection or 5xx is not tried again, but raises `StudioDown`:
        for what must not happen twice.
        """
        return self.connection.request(
            method, path, json=json, params=params, files=files, replay=replay
        )

    def import_tasks(self, project: Project, tasks: Sequence[Mapping[str, Any]]) -> int:
        """Create tasks (`{"data": {...}, "predictions": [...]}`); how many were created.

        Each needs data.garment_id and data.crop_sha. The server knows no unique key: where its
        answer is lost, only tasks that are not there are sent again.
        """
        return sum(self._import(project, batch) for batch in _batches(tasks))

    def _import(self, project: Project, tasks: Sequence[Mapping[str, Any]]) -> int:
        left = list(tasks)
        for attempt in range(self.connection.attempts):
            try:
                answer = self.request(
                    "POST", f"/api/projects/{project.id}/import", json=left, replay=False
                )
            except StudioDown:
                if attempt == self.connection.attempts - 1:
                    raise
                pause(attempt)
                there = {_key(task) for task in self._by_id(project)}
                left = [task for task in left if _key(task) not in there]
                if not left:
                    return len(tasks)
            except StudioRefused as error:
                raise self._gone_or(project, error) from error
            else:
                _expect_all(answer.get("task_count"), len(left), "tasks")
                return len(tasks)
        raise AssertionError("attempts is at least 1")

    def _gone_or(self, project: Project, error: StudioRefused) -> StudioError:
        if "said 404" not in str(error):
            return error
        return NotOurProject(
            f"expected project {project.id} at {self.connection.url}, but it is gone; run the "
            "same command again to hear what can be done"
        )

    def tasks(
        self,
        project: Project,
        updated_after: str | None = None,
        *,
        page_size: int = BATCH,
        fields: str = "all",
    ) -> Iterator[Row]:
        """Raw tasks with annotations, predictions and drafts, the least recently updated first.

        `updated_after` is a time as the server writes it (UTC); tasks of exactly that time are
        left out. `fields="task_only"` leaves out annotations, predictions and drafts. A task that
        is updated meanwhile may come again, with its new state; none is passed over. But a
        transaction may end after a later one: ask again from a little before the last time seen.
        """
        since, operator, seen = _moment(updated_after), "greater", set[int]()
        while True:
            page = self._page(project, fields, page_size, "updated_at", operator, "Datetime", since)
            fresh = [task for task in page if task["id"] not in seen]
            yield from fresh
            if len(page) < page_size:
                return
            # The next page begins with the tasks of the very moment at which this one ended.
            # Page numbers would not do: an update in between moves a task across their border.
            last = _moment(page[-1]["updated_at"])
            seen = {task["id"] for task in page if _moment(task["updated_at"]) == last}
            if last == since:
                page_size *= 2  # more tasks of one moment than fit
            since, operator = last, "greater_or_equal"

    def _page(
        self,
        project: Project,
        fields: str,
        size: int,
        column: str,
        operator: str,
        kind: str,
        value: str | int,
    ) -> list[Row]:
        """At most `size` tasks whose `column` is greater than `value`, in its order."""
        item = {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind}
        query = {
            "filters": {"conjunction": "and", "items": [{**item, "value": value}]},
            "ordering": [f"tasks:{column}"],
        }
        params: dict[str, str | int] = {
            "project": project.id,
            "fields": fields,
            "page_size": size,
            "resolve_uri": "false",
            "query": json.dumps(query),
        }
        try:
            rows: list[Row] = self.request("GET", "/api/tasks/", params=params)["tasks"]
        except StudioRefused as error:
            raise self._gone_or(project, error) from error
        return rows

    def task_keys(self, project: Project) -> dict[tuple[str, str], list[int]]:
        """Ids of all tasks by (garment_id, crop_sha), oldest first."""
        keys: dict[tuple[str, str], list[int]] = {}
        for task in self._by_id(project):
            keys.setdefault(_key(task)[:2], []).append(task["id"])
        return keys

    def task_ids_by_garment(self, project: Project) -> dict[str, int]:
        """Id of every garment's task; where a garment has several, the newest."""
        return {
            garment: max(ids)
            for (garment, _), ids in sorted(
                self.task_keys(project).items(), key=lambda item: max(item[1])
            )
        }

    def _by_id(self, project: Project) -> Iterator[Row]:
        """All tasks without what was answered, by id."""
        last = 0
        while page := self._page(project, "task_only", 1000, "id", "greater", "Number", last):
            yield from page
            last = page[-1]["id"]

    def update_task(self, task_id: int, data: Mapping[str, Any]) -> None:
        """Replace the data of one task as a whole."""
        self.request("PATCH", f"/api/tasks/{task_id}/", json={"data": data})

    def set_overlap(self, task_id: int, people: int, answers: int) -> None:
        """Ask that many people about one task, of whom `answers` have answered it by now.

        The server does not open a task again by itself that it took for done.
        """
        body = {"overlap": people, "is_labeled": answers >= people}
        self.request("PATCH", f"/api/tasks/{task_id}/", json=body)

    def delete_tasks(self, project: Project, ids: Sequence[int]) -> int:
        """Delete tasks with all that was answered there; how many."""
        return sum(self._act(project, "delete_tasks", batch) for batch in _batches(ids))

    def replace_predictions(
        self, project: Project, model_version: str, rows: Sequence[Mapping[str, Any]]
    ) -> int:
        """Give tasks one prediction each in place of all they have; how many were made.

        A row has `task` (its id), `result` and `score`. The project is set to show
        `model_version`, as only its predictions are pre-filled.
        """
        made = [{**row, "model_version": model_version} for row in rows]
        count = sum(self._replace(project, batch) for batch in _batches(made))
        if count:
            self.show_version(project, model_version)
        return count

    def _replace(self, project: Project, rows: Sequence[Mapping[str, Any]]) -> int:
        for attempt in range(self.connection.attempts):
            try:
                self.delete_predictions(project, task_ids=[row["task"] for row in rows])
                path = f"/api/projects/{project.id}/import/predictions"
                answer = self.request("POST", path, json=rows, replay=False)
            except StudioDown:
                if attempt == self.connection.attempts - 1:
                    raise
                pause(attempt)  # and delete again: some may have been made
            else:
                _expect_all(answer.get("created"), len(rows), "predictions")
                return len(rows)
        raise AssertionError("attempts is at least 1")

    def show_version(self, project: Project, model_version: str) -> None:
        """Pre-fill from the predictions of that version, of which there must be one at least."""
        self.request(
            "PATCH",
            f"/api/projects/{project.id}/",
            json={"model_version": model_version, "show_collab_predictions": True},
        )

    def delete_predictions(
        self,
        project: Project,
        *,
        task_ids: Sequence[int] | None = None,
        model_version: str | None = None,
    ) -> None:
        """Delete all predictions of these tasks, or all of one version."""
        for batch in _batches(task_ids or ()):
            self._act(project, "delete_tasks_predictions", batch)
        if model_version is not None:
            path = f"/api/projects/{project.id}/model-versions/"
            self.request("DELETE", path, json={"model_version": model_version})

    def _act(self, project: Project, action: str, ids: Sequence[int]) -> int:
        """Do something with tasks by id; how many things it was done to."""
        answer = self.request(
            "POST",
            "/api/dm/actions/",
            params={"id": action, "project": project.id},
            json={"selectedItems": {"all": False, "included": list(ids)}},
        )
        return int(answer["processed_items"])


def _batches(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def _key(task: Mapping[str, Any]) -> tuple[str, str, str]:
    """What a task asks: a garment's crop, and because of which migration once more."""
    data = task["data"]
    again = str(data.get("again") or "")
    return str(data.get("garment_id", "")), str(data.get("crop_sha", "")), again


def _expect_all(made: object, sent: int, what: str) -> None:
    if made != sent:
        raise StudioError(
            f"expected the server to make {sent} {what}, but it made {made} and dropped the rest "
            "without a word; run this again"
        )


def _moment(text: str | None) -> str:
    """A time as filters want it: with microseconds, which the server leaves out when they are 0."""
    if text is None:
        return "1970-01-01T00:00:00.000000Z"
    return text if "." in text else text.replace("Z", ".000000Z")
