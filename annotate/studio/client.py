"""Label Studio for one data set: our projects there, their forms, pictures and webhooks.

What is done with tasks and predictions is in `annotate.studio.exchange`, from which `Studio`
inherits. Everything goes through `Studio.request`: it waits and tries again on lost connections
and 5xx, and turns every other failure into a `StudioError` that says what to do.
"""

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from annotate.studio.exchange import Exchange
from annotate.studio.http import Connection, pause
from annotate.studio.pictures import expect_no_link, serve_folder, upload_all
from annotate.studio.project import (
    Kind,
    Project,
    ProjectRecord,
    change_record,
    find_record,
    gone,
    mark_of,
    project_title,
    record_of,
    xml_hash,
)
from annotate.studio.server import running
from annotate.studio.view import add_view
from garments.dataset import Dataset
from garments.errors import NotOurProject, StudioDenied, StudioDown, StudioRefused

URL_VARIABLE, TOKEN_VARIABLE = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
SERVED = ("crops", "run/studio-media")
"""Folders of a data set that a server on this machine may serve."""
DEFAULT_FORM = "<View></View>"
WEBHOOK_ACTIONS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED")


class Studio(Exchange):
    """A Label Studio server that accepts our token, local or remote, for one data set."""

    def __init__(
        self,
        url: str,
        token: str,
        dataset: Dataset,
        *,
        root: Path | None = None,
        attempts: int = 6,
        timeout: float = 60.0,
    ) -> None:
        """`token` is a legacy or a personal access token; nothing is sent before the first call.

        `root` is the folder whose files the server reads by itself, None for a remote one.
        """
        super().__init__(Connection(url, token, attempts, timeout))
        self.url, self.dataset, self.root = url.rstrip("/"), dataset, root

    @property
    def local(self) -> bool:
        """Whether the server reads this data set's files by itself (it runs on this machine)."""
        return self.root is not None

    def check(self) -> str:
        """Version of Label Studio, after a look at address and token; raises `StudioError`."""
        version = self.connection.version()
        self.request("GET", "/api/current-user/whoami")
        return version

    def project(self, kind: Kind | str, xml: str | None = None) -> Project:
        """Our project of that kind: found by its mark, or made with the form `xml`.

        Without `xml` it must be there already. Raises `NotOurProject`, changing nothing, where it
        is gone, has another mark, or lies on another server. An old form stays: `update_config`.
        """
        kind = Kind(kind)
        record = find_record(self.dataset, kind) if xml is None else record_of(self.dataset, kind)
        if record is None:
            raise NotOurProject(
                f"expected the {kind} project of {self.dataset.folder}, but there is none yet; "
                f"make it with `garmentloop annotate {_maker(kind)} -d {self.dataset.folder}`"
            )
        found = self._known(record) or self._marked(record)
        if found is None and record.project_id:
            raise gone(self.dataset, record, self.url)
        if found is None:
            found = self._make(record, xml or DEFAULT_FORM)
            add_view(self.request, found["id"])
        if (record.server, record.project_id) != (self.url, found["id"]):
            change_record(self.dataset, kind, server=self.url, project_id=found["id"])
        return self._described(found, record)

    def was_deleted(self, record: ProjectRecord) -> bool:
        """Whether our project was on this very server and is there no more, nor its tasks."""
        here = self.local or record.server == self.url
        return here and self._known(record) is None and self._marked(record) is None

    def _known(self, record: ProjectRecord) -> dict[str, Any] | None:
        """The project by its number; None where the server has none of that number."""
        if not record.project_id or record.server != self.url:
            return None
        try:
            found: dict[str, Any] = self.request("GET", f"/api/projects/{record.project_id}/")
        except StudioRefused:
            return None
        if mark_of(found.get("description")) == (record.uuid, record.kind):
            return found
        if self._marked(record):
            return None
        raise NotOurProject(
            f"expected {record.mark} in the description of project {record.project_id} at "
            f"{self.url}, but it has {found.get('description')!r}; put that text back in the "
            "project's settings, if it is ours. Nothing was changed"
        )

    def _marked(self, record: ProjectRecord) -> dict[str, Any] | None:
        """The project by its mark."""
        for found in self._projects():
            if mark_of(found.get("description")) == (record.uuid, record.kind):
                return found
        return None

    def _projects(self) -> Iterator[dict[str, Any]]:
        page: int | None = 1
        while page:
            answer = self.request("GET", "/api/projects/", params={"page": page, "page_size": 100})
            yield from answer["results"]
            page = page + 1 if answer.get("next") else None

    def _make(self, record: ProjectRecord, xml: str) -> dict[str, Any]:
        """Make the project; where the answer is lost, look first whether it is there."""
        change_record(self.dataset, record.kind, forms=(xml_hash(xml),))
        wanted = {
            "title": project_title(self.dataset, record.kind),
            "description": f"Made by garmentloop. Keep this line: {record.mark}",
            "label_config": xml,
            "maximum_annotations": record.kind.overlap,
            "show_collab_predictions": record.kind is Kind.MAIN,
            "show_skip_button": True,
            "enable_empty_annotation": False,
            "sampling": "Sequential sampling",
        }
        for attempt in range(self.connection.attempts):
            try:
                made: dict[str, Any] = self.request(
                    "POST", "/api/projects/", json=wanted, replay=False
                )
                return made
            except StudioDown:
                if attempt == self.connection.attempts - 1:
                    raise
                pause(attempt)
                if found := self._marked(record):
                    return found
        raise AssertionError("attempts is at least 1")

    def _described(self, found: Mapping[str, Any], record: ProjectRecord) -> Project:
        return Project(
            id=found["id"],
            kind=record.kind,
            uuid=record.uuid,
            url=f"{self.url}/projects/{found['id']}",
            title=found.get("title") or "",
            label_config=found.get("label_config") or "",
            model_version=found.get("model_version") or "",
            tasks=found.get("task_number") or 0,
        )

    def form_is_ours(self, project: Project) -> bool:
        """Whether the project's form is one that we sent: nobody edited it in the browser."""
        record = find_record(self.dataset, project.kind)
        return record is not None and xml_hash(project.label_config) in record.forms

    def update_config(self, project: Project, xml: str, *, force: bool = False) -> Project:
        """Give the project another form; nothing is sent where it has that form already.

        A form that was edited in the browser is replaced with `force` only.
        """
        new, there = xml_hash(xml), xml_hash(project.label_config)
        if new == there:
            change_record(self.dataset, project.kind, forms=(new,))
            return project
        if not force and not self.form_is_ours(project):
            raise StudioRefused(
                f"expected the form of project {project.title!r} as it was sent, but somebody "
                f"edited it in the browser ({project.url}/settings/labeling); undo that there, or "
                "put ours back with `garmentloop annotate push --reset-form`. Nothing was changed"
            )
        change_record(self.dataset, project.kind, forms=(there, new))  # whichever it will be
        updated = self.update_project(project, label_config=xml)
        change_record(self.dataset, project.kind, forms=(new,))
        return updated

    def update_project(self, project: Project, **settings: object) -> Project:
        """Set other fields of the project, such as expert_instruction."""
        found = self.request("PATCH", f"/api/projects/{project.id}/", json=settings)
        return self._described(found, record_of(self.dataset, project.kind))

    def file_url(self, path: Path) -> str:
        """Address of a file of the data set for a task's data; the server must be local."""
        root = self.root or self.dataset.folder.resolve()
        place = _resolved(path.parent) / path.name
        return f"/data/local-files/?d={place.relative_to(root).as_posix()}"

    def local_storage(self, project: Project, folder: Path) -> None:
        """Let the server serve the files below `folder` (inside the data set); once is enough.

        Raises `StudioError` where the folder is reached by a symbolic link: the server follows
        links, and would show whatever they lead to.
        """
        expect_no_link(folder, self.dataset.folder)
        serve_folder(self.connection, project.id, folder.resolve())

    def upload(self, project: Project, files: Mapping[str, Path]) -> dict[str, str]:
        """Upload pictures by name (like `ab12.jpg`, unique for ever); their URLs for task data.

        What was uploaded under that name before is not sent again.
        """
        return upload_all(self.connection, project.id, files)

    def register_webhook(self, project: Project, url: str) -> int:
        """Ask to be told at `url` of every change of annotations; id of the webhook."""
        for row in self.request("GET", "/api/webhooks/", params={"project": project.id}):
            if row["url"] == url and row["is_active"]:
                return int(row["id"])
        wanted = {
            "project": project.id,
            "url": url,
            "send_payload": False,
            "send_for_all_actions": False,
            "actions": WEBHOOK_ACTIONS,
        }
        return int(self.request("POST", "/api/webhooks/", json=wanted)["id"])

    def remove_webhook(self, webhook_id: int) -> None:
        """No longer be told; silent where the webhook is gone."""
        try:
            self.request("DELETE", f"/api/webhooks/{webhook_id}/")
        except StudioRefused:
            return

    def invitation(self) -> str:
        """Where other people make an account of their own."""
        return self.url + str(self.request("GET", "/api/invite")["invite_url"])

    def annotation_members(self) -> dict[int, str]:
        """E-mail address of every user of the organisation by id."""
        return {
            int(user["id"]): user.get("email") or user.get("username") or f"user-{user['id']}"
            for user in self.request("GET", "/api/users/")
        }


@lru_cache(4096)
def _resolved(folder: Path) -> Path:
    """Looked up once for all the pictures in it."""
    return folder.resolve()


def serve_again(studio: Studio) -> None:
    """Let a local server show pictures also where the data set's folder was moved meanwhile."""
    for kind in Kind:
        if find_record(studio.dataset, kind) is None:
            continue
        try:
            project = studio.project(kind)
        except NotOurProject:
            continue  # push and pull tell what can be done
        for name in SERVED:
            if (studio.dataset.folder / name).is_dir():
                studio.local_storage(project, studio.dataset.folder / name)


def _maker(kind: Kind) -> str:
    """The command that makes a project of that kind."""
    return "adjudicate" if kind is Kind.ADJUDICATION else "push"


def connect(dataset: Dataset, url: str | None = None, token: str | None = None) -> Studio:
    """The server at `url` or LABEL_STUDIO_URL, else the one that runs for this data set.

    The token is `token`, else LABEL_STUDIO_API_KEY (legacy or personal access token), else the
    running server's own. Raises `StudioError` where none runs, or it does not accept the token.
    """
    state = running(dataset)
    url = (url or os.environ.get(URL_VARIABLE) or (state.url if state else "")).rstrip("/")
    if not url:
        raise StudioDown(
            f"expected a running Label Studio for {dataset.folder}, but there is none; start it "
            f"with `garmentloop annotate up -d {dataset.folder}`, or give --url"
        )
    token = token or os.environ.get(TOKEN_VARIABLE)
    own = state is not None and state.url == url
    if state and own:
        token = token or state.token
    if not token:
        raise StudioDenied(
            f"expected the token for {url} in {TOKEN_VARIABLE}, but that is empty; copy it from "
            "Account & Settings in Label Studio"
        )
    studio = Studio(url, token, dataset, root=Path(state.root) if state and own else None)
    studio.check()
    return studio
