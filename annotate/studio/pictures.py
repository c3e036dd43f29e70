"""Pictures that tasks show: folders that a server on this machine serves, or uploads by name."""

import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from annotate.studio.http import Connection, pause
from garments.errors import StudioDown, StudioError, StudioRefused
from garments.files import read_bytes

BATCH = 50
"""Files in one request; Label Studio takes at most 100."""


def upload_all(connection: Connection, project: int, files: Mapping[str, Path]) -> dict[str, str]:
    """URLs of `files` by name, after sending those that the project does not have yet."""
    there = _uploaded(connection, project)
    missing = iter([name for name in files if name not in there])
    while batch := list(itertools.islice(missing, BATCH)):
        _send(connection, project, {name: files[name] for name in batch})
    there = _uploaded(connection, project)
    if lost := [name for name in files if name not in there]:
        raise StudioError(
            f"expected {len(files)} pictures on the server, but {len(lost)} are missing, such as "
            f"{lost[0]}; run this again"
        )
    return {name: there[name] for name in files}


def _send(connection: Connection, project: int, files: Mapping[str, Path]) -> None:
    body = {
        f"file{number}": (name, _picture(path), "image/jpeg")
        for number, (name, path) in enumerate(files.items())
    }
    try:
        connection.request(
            "POST",
            f"/api/projects/{project}/import",
            params={"commit_to_project": "false"},
            files=body,
        )
    except StudioRefused as error:
        # Forms with two pictures get "more than one data key" here, after all files were kept:
        # what counts is the list of files, which is read afterwards.
        if "data key" not in str(error):
            raise


def _picture(path: Path) -> bytes:
    if path.is_symlink():
        raise StudioError(f"expected a picture, but {path} is a symbolic link; put the file there")
    return read_bytes(path)


def _uploaded(connection: Connection, project: int) -> dict[str, str]:
    """URL by the name under which a file was sent; the server puts 8 hex digits before it."""
    rows: Iterable[Mapping[str, Any]] = connection.request(
        "GET", f"/api/projects/{project}/file-uploads", params={"all": "true"}
    )
    names = {}
    for row in rows:
        path = str(row["file"])
        names[path.rpartition("/")[2].partition("-")[2]] = f"/data/{path}"
    return names


def serve_folder(connection: Connection, project: int, folder: Path) -> None:
    """Let the server serve the files below `folder`, where it does not yet."""
    path = "/api/storages/localfiles/"
    wanted = {"project": project, "path": str(folder), "title": folder.name, "use_blob_urls": True}
    for attempt in range(connection.attempts):
        there = connection.request("GET", path, params={"project": project})
        if any(os.path.normpath(row.get("path") or "") == str(folder) for row in there):
            return
        try:
            connection.request("POST", path, json=wanted, replay=False)
            return
        except StudioDown:
            if attempt == connection.attempts - 1:
                raise
            pause(attempt)  # and look whether it is there now


def expect_no_link(folder: Path, top: Path) -> None:
    """Raise `StudioError` where `folder` is reached by a link, or is not inside `top`."""
    place = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow the link
    if not place.is_relative_to(os.path.abspath(top)):  # noqa: PTH100
        raise StudioError(f"expected a folder inside {top}, but got {folder}")
    while place != Path(os.path.abspath(top)):  # noqa: PTH100
        if place.is_symlink():
            raise StudioError(
                f"expected a folder, but {place} is a symbolic link, and Label Studio would serve "
                "whatever it leads to; put the files themselves there"
            )
        place = place.parent
