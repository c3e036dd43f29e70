"""What is kept about a data set's Label Studio server, and whether it lives.

A server holds a lock on `server.pid` for as long as it lives, however it dies: a pid of before is
never taken for it.
"""

import fcntl
import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from annotate.studio.project import studio_folder
from garments.dataset import Dataset
from garments.errors import StudioError

STATE_FILE = "state.json"
LOG_FILE = "server.log"
PID_FILE = "server.pid"


@dataclass(frozen=True)
class ServerState:
    """A server of this data set; `pid` is 0 while none runs."""

    url: str
    username: str
    password: str
    token: str
    root: str
    """Absolute folder below which the server may serve files: the data set's."""
    pid: int = 0


def running(dataset: Dataset) -> ServerState | None:
    """The server that runs now for this data set (perhaps not yet healthy), None without one."""
    pid = living_pid(dataset)
    if not pid:
        return None
    state = read_state(dataset)
    if state is None:
        raise StudioError(
            f"expected the state of the running Label Studio in {state_path(dataset)}, but it is "
            f"gone; stop the server with `garmentloop annotate down -d {dataset.folder}`"
        )
    return replace(state, pid=pid)


def read_state(dataset: Dataset) -> ServerState | None:
    """What is kept about the server, running or not; None where there never was one."""
    path = state_path(dataset)
    try:
        return ServerState(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise StudioError(
            f"expected user name, password and token in {path}, but {error}; remove the file: the "
            "next start makes new ones and loses no answers"
        ) from error


def state_path(dataset: Dataset) -> Path:
    """The file with user name, password and token."""
    return studio_folder(dataset) / STATE_FILE


def log_path(dataset: Dataset) -> Path:
    """What the server said; that of the start before is beside it as server.log.1."""
    return studio_folder(dataset) / LOG_FILE


def write_state(dataset: Dataset, state: ServerState) -> None:
    """Keep what is known about the server, for its owner's eyes only."""
    path = state_path(dataset)
    temporary = path.with_name(f".new-{os.getpid()}-{STATE_FILE}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({**asdict(state), "pid": 0}, file, indent=2)
    temporary.replace(path)


def take_pid_file(path: Path) -> int:
    """The emptied pid file, open and locked; others who look hold its lock for moments only."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + 5
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise StudioError(f"expected nobody to hold {path}, but somebody does") from None
            time.sleep(0.01)


def living_pid(dataset: Dataset) -> int:
    """The process that holds the pid file, 0 for none."""
    for process in children:
        process.poll()
    path = studio_folder(dataset) / PID_FILE
    for _ in range(500):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return 0
        except FileNotFoundError:
            return 0
        except BlockingIOError:
            if text := path.read_bytes():
                return int(text)
            time.sleep(0.01)  # it was born this very moment
    raise StudioError(f"expected a process id in {path}, but it stays empty; remove the file")


children: list["subprocess.Popen[bytes]"] = []
"""Servers that this process started, kept so that a dead one is buried by the next look."""
