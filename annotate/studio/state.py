"""What is kept about a data set's Label Studio server, and whether it lives."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from annotate.studio.project import studio_folder
from garments.dataset import Dataset
from garments.errors import StudioError
from garments.processes import living_pid
from garments.whole import in_place_of

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
    pid = living_pid(pid_path(dataset))
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


def pid_path(dataset: Dataset) -> Path:
    """The file that a living server holds; see `garments.processes`."""
    return studio_folder(dataset) / PID_FILE


def write_state(dataset: Dataset, state: ServerState) -> None:
    """Keep what is known about the server, for its owner's eyes only."""
    with in_place_of(state_path(dataset)) as temporary:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({**asdict(state), "pid": 0}, file, indent=2)
