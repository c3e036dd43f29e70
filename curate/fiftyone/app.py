"""The FiftyOne App as a process of this data set: started, found again, stopped.

It listens on 127.0.0.1 only; its log, pid and address are in DIR/run/fiftyone.
"""

import getpass
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlencode

from annotate.studio.environment import is_free
from curate.fiftyone.environment import (
    DATASET_VARIABLE,
    environment,
    fiftyone_folder,
    install_plugin,
)
from garments.dataset import Dataset
from garments.errors import FiftyOneError
from garments.processes import end, living_pid
from garments.processes import launch as start_process

FIRST_PORT = 5151
"""FiftyOne's own."""

# Not `fiftyone app launch`: that is a second process of 300 MB which gives up after 60 s.
_RUN = (
    "from fiftyone.server.main import start_server;"
    "start_server(port=int(sys.argv[1]), address='127.0.0.1')"
)
_KEPT = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"]
_KEPT += ["VIRTUAL_ENV", "OMP_NUM_THREADS", "PYTHONPATH"]  # the plugin imports what we are


@dataclass(frozen=True)
class App:
    """An App of this data set that runs; `url` is its address without a path.

    `who` opened it: whose word it is that is given in it, unless another name is given.
    """

    url: str
    pid: int
    mongo: str
    who: str = ""

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self.url.rpartition(":")[2])


def launch(
    dataset: Dataset,
    mongo: str,
    port: int | None = None,
    *,
    who: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
    timeout: float = 300.0,
) -> tuple[App, bool]:
    """A healthy App on the database `mongo`, and whether it was started now.

    One that runs is left alone, unless it is on another database. `port` is exact where it is
    given (0: any that is free); else 5151 or the next. `who` opens it, by default the user of this
    machine. `tell` hears every second how it goes.
    Raises `FiftyOneError` where the port is taken or the App does not become healthy.
    """
    found = running(dataset)
    if found and found.mongo != mongo:
        stop(dataset)
    expect_port(dataset, port)
    found = running(dataset)
    if found is None:
        _launch(dataset, mongo, _port(port), who or getpass.getuser())
    elif who and who != found.who:
        _keep(dataset, replace(found, pid=0, who=who))
    return _await_healthy(dataset, tell, timeout, stop_after=found is None), found is None


def expect_port(dataset: Dataset, port: int | None) -> None:
    """Raise `FiftyOneError` where the App cannot be had on that port."""
    found = running(dataset)
    if found and port and found.port != port:
        raise FiftyOneError(
            f"expected to open FiftyOne on port {port}, but it runs at {found.url}; close it with "
            f"`garmentloop curate close -d {dataset.folder}`"
        )
    if found is None:
        _port(port)


def running(dataset: Dataset) -> App | None:
    """The App that runs now (perhaps not yet healthy), None without one."""
    pid = living_pid(_pid_path(dataset))
    if not pid:
        return None
    try:
        return replace(App(**json.loads(_state_path(dataset).read_bytes())), pid=pid)
    except (OSError, ValueError, TypeError) as error:
        raise FiftyOneError(
            f"expected the address of the running App in {_state_path(dataset)}, but {error}; "
            f"close it with `garmentloop curate close -d {dataset.folder}`"
        ) from error


def curator(dataset: Dataset) -> str:
    """Who opened the App last, else the user of this machine."""
    found = running(dataset)
    return (found.who if found else "") or getpass.getuser()


def stop(dataset: Dataset, timeout: float = 20.0) -> bool:
    """Stop the App; whether one ran."""
    stopped = end(_pid_path(dataset), timeout)
    _state_path(dataset).unlink(missing_ok=True)
    return stopped


def closed(dataset: Dataset) -> bool:
    """Whether `stop` ended the App that was there last, and not an accident."""
    return not _state_path(dataset).exists()


def page(app: App, name: str, view: str | None = None, workspace: str | None = None) -> str:
    """Address of a FiftyOne dataset in the App, with a saved view and workspace by their slugs."""
    asked = {"view": view, "workspace": workspace}
    query = urlencode({key: value for key, value in asked.items() if value})
    return f"{app.url}/datasets/{quote(name)}{'?' if query else ''}{query}"


def log_path(dataset: Dataset) -> Path:
    """What the App said."""
    return fiftyone_folder(dataset) / "app.log"


def _launch(dataset: Dataset, mongo: str, port: int, who: str) -> None:
    """Start the process and return at once."""
    folder = fiftyone_folder(dataset)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        _keep(dataset, App(f"http://127.0.0.1:{port}", 0, mongo, who))
        install_plugin(dataset)
        ours = {"HOME": str(folder / "home"), DATASET_VARIABLE: str(dataset.folder.resolve())}
        start_process(
            _RUN,
            [str(port)],
            _pid_path(dataset),
            log_path(dataset),
            folder=folder,
            # FiftyOne keeps a user's id in ~/.fiftyone, whatever its settings say.
            environment=kept | ours | environment(dataset, mongo),
        )
    except OSError as error:
        raise FiftyOneError(
            f"expected to start FiftyOne in {folder}, but {error.strerror or error}; make room "
            "there, then run the same command again"
        ) from error


def _keep(dataset: Dataset, app: App) -> None:
    path = _state_path(dataset)
    path.write_text(json.dumps(asdict(app)), encoding="utf-8")
    path.chmod(0o600)  # the address of a MongoDB may hold a password


def _port(wanted: int | None) -> int:
    if wanted and not is_free(wanted):
        raise FiftyOneError(
            f"expected port {wanted} to be free, but another program listens there; give another "
            "--port, or leave it out to get one that is free"
        )
    if wanted:
        return wanted
    first = FIRST_PORT if wanted is None else 20_000 + os.getpid() % 20_000
    for port in range(first, first + 100):
        if is_free(port):
            return port
    raise FiftyOneError(
        f"expected a free port from {first} on, but 100 of them are taken; give --port"
    )


def _await_healthy(
    dataset: Dataset, tell: Callable[[str], None], timeout: float, stop_after: bool
) -> App:
    """Wait until the App answers; one that was started for it dies with the wait."""
    begin, log = time.monotonic(), log_path(dataset)
    try:
        while True:
            waited, app = time.monotonic() - begin, running(dataset)
            if app is None:
                raise FiftyOneError(
                    f"expected FiftyOne to start, but it ended: {_last_line(log)}; the whole log "
                    f"is {log}"
                )
            if _answers(app):
                return app
            if waited > timeout:
                raise FiftyOneError(
                    f"expected FiftyOne at {app.url} within {timeout:.0f} s, but it does not "
                    f"answer; the log is {log}"
                )
            tell(f"starting FiftyOne: {waited:.0f} s (it takes about 20 s)")
            time.sleep(0.5)
    except BaseException:
        if stop_after:
            stop(dataset)
        raise


def _answers(app: App) -> bool:
    """Whether FiftyOne answers at that address, from a process that belongs to ours."""
    import httpx

    try:
        answer = httpx.get(f"{app.url}/fiftyone", timeout=10, trust_env=False)
        known = answer.status_code == 200 and "version" in answer.json()
    except (httpx.TransportError, ValueError):
        return False
    return known and _listens(app)


def _listens(app: App) -> bool:
    """Whether the port is held by the App's own group of processes."""
    import psutil  # type: ignore[import-untyped]

    with_us = [psutil.Process(app.pid), *psutil.Process(app.pid).children(recursive=True)]
    for process in with_us:
        try:
            held = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        if any(c.status == psutil.CONN_LISTEN and c.laddr.port == app.port for c in held):
            return True
    return False


def _last_line(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"


def _pid_path(dataset: Dataset) -> Path:
    return fiftyone_folder(dataset) / "app.pid"


def _state_path(dataset: Dataset) -> Path:
    return fiftyone_folder(dataset) / "app.json"
