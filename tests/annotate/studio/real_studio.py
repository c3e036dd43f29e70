"""A real Label Studio for tests: its people, its data, and how it is killed."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from annotate.studio import server
from annotate.studio.project import studio_folder
from annotate.studio.state import PID_FILE, STATE_FILE, ServerState
from garments.dataset import Dataset

SECOND_USER, SECOND_PASSWORD = "second@localhost.test", "Second-Annotator-1"
START_SECONDS = 600.0
"""A first start takes 40 s on an idle core, and several minutes on a very busy one."""


@dataclass(frozen=True)
class Person:
    """Somebody who can log in."""

    email: str
    password: str
    token: str


@dataclass(frozen=True)
class StudioServer:
    """The server of this test session."""

    home: Dataset
    """The data set that it was started for; others lie below its folder."""
    template: Path
    """Data of a server that nothing was sent to yet."""
    state: ServerState
    first: Person
    second: Person

    @property
    def url(self) -> str:
        return self.state.url


def make_template(template: Path, home: Dataset) -> None:
    """Start a server from nothing, and keep its database with two people for other sessions."""
    state, _ = server.start(home, 0, timeout=START_SECONDS)
    token = sign_up(state, SECOND_USER, SECOND_PASSWORD)
    (template / "second_token").write_text(token, encoding="utf-8")
    shutil.rmtree(template / "data", ignore_errors=True)
    copy_data(studio_folder(home) / "data", template / "data")
    shutil.copy(studio_folder(home) / STATE_FILE, template)  # last: now it is complete


def kill_server(dataset: Dataset) -> None:
    """End the server at once, as if the machine had lost its power."""
    state = server.running(dataset)
    if state:
        os.kill(state.pid, signal.SIGKILL)
        while server.running(dataset):
            time.sleep(0.01)


def borrow(dataset: Dataset, owner: Dataset) -> None:
    """Let the owner's running server count as the data set's own."""
    theirs, ours = studio_folder(owner), studio_folder(dataset)
    for name in (PID_FILE, STATE_FILE):
        os.link(theirs / name, ours / name)  # the lock is the file's, whatever its name


def copy_data(theirs: Path, ours: Path) -> None:
    """Copy Label Studio's data while it runs."""
    shutil.copytree(theirs, ours, ignore=shutil.ignore_patterns("*.sqlite3*"))
    name = "label_studio.sqlite3"
    with (
        contextlib.closing(sqlite3.connect(theirs / name)) as live,
        contextlib.closing(sqlite3.connect(ours / name)) as copy,
    ):
        live.backup(copy)


def log_in(state: ServerState, email: str, password: str) -> httpx.Client:
    """A client with a session, as a browser has it; its CSRF token goes along with every POST."""
    return _by_form(state, "/user/login/", email, password)


def sign_up(state: ServerState, email: str, password: str) -> str:
    """Make an account by the invitation link; its legacy token. (POST /api/users cannot log in.)"""
    header = {"Authorization": f"Token {state.token}"}
    invite = httpx.get(f"{state.url}/api/invite", headers=header, timeout=60).json()["invite_url"]
    with contextlib.closing(_by_form(state, invite, email, password)) as browser:
        token: str = browser.get("/api/current-user/token").json()["token"]
        return token


def _by_form(state: ServerState, path: str, email: str, password: str) -> httpx.Client:
    browser = httpx.Client(base_url=state.url, timeout=60, follow_redirects=True)
    page = browser.get(path).text
    csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert csrf, f"no form at {path}"
    answer = browser.post(
        path, data={"csrfmiddlewaretoken": csrf[1], "email": email, "password": password}
    )
    assert answer.status_code == 200, answer.text[:500]
    assert "sessionid" in browser.cookies, f"{email} was not let in"
    browser.headers["X-CSRFToken"] = browser.cookies["csrftoken"]
    return browser
