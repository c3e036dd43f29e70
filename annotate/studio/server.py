"""Label Studio as a process of this data set: started, found again, stopped.

State is in DIR/run/labelstudio/state.json (readable by its owner only): address, user name,
password and token. The server listens on 127.0.0.1 and tells nobody about us.
"""

import importlib.util
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from annotate.studio.environment import first_free_port, is_free, server_environment
from annotate.studio.project import studio_folder
from annotate.studio.state import (
    ServerState,
    log_path,
    pid_path,
    read_state,
    running,
    state_path,
    write_state,
)
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import CatalogError, StudioError
from garments.processes import end, launch, living_pid

__all__ = [
    "ServerState",
    "log_path",
    "read_state",
    "running",
    "start",
    "state_path",
    "stop",
    "write_state",
]

INSTALL = "pip install -c constraints.txt -e '.[annotate]'"

_RUN = "from label_studio.server import main; sys.argv[0] = 'label-studio'; main()"


def start(
    dataset: Dataset,
    port: int | None = None,
    *,
    tell: Callable[[str], None] = lambda text: None,
    timeout: float = 600.0,
) -> tuple[ServerState, bool]:
    """A healthy server, and whether it was started now; one that runs already is left alone.

    `port` is exact where it is given (0: any that is free); else the last one, 8080, or the next
    that is free. `tell` hears every second how it goes. Raises `StudioError` where Label Studio
    is not installed, the port is taken or the server does not become healthy; it names the log.
    """
    if importlib.util.find_spec("label_studio") is None:
        raise StudioError(f"expected Label Studio, but it is not installed; run {INSTALL}")
    with _one_starter(dataset, timeout):
        found = running(dataset)
        if found and port and not found.url.endswith(f":{port}"):
            raise StudioError(
                f"expected to start Label Studio on port {port}, but it runs at {found.url}; stop "
                f"it with `garmentloop annotate down -d {dataset.folder}`"
            )
        state = found or _launch(dataset, port)
        _await_healthy(dataset, state, tell, timeout, stop_after=found is None)
        return state, found is None


def stop(dataset: Dataset, timeout: float = 20.0) -> bool:
    """Stop the server of this data set; whether one ran."""
    return end(pid_path(dataset), timeout)


@contextmanager
def _one_starter(dataset: Dataset, timeout: float) -> Iterator[None]:
    try:
        with exclusive(studio_folder(dataset) / "start.lock", timeout):
            yield
    except CatalogError as error:
        raise StudioError(
            "expected to start Label Studio, but another `garmentloop annotate up` has been at it "
            f"for {timeout:.0f} s; look at {log_path(dataset)}"
        ) from error


def _launch(dataset: Dataset, port: int | None) -> ServerState:
    """Start the process and return at once."""
    before = read_state(dataset)
    state = replace(before or _new_state(dataset), root=str(dataset.folder.resolve()))
    port = _port(port, before)
    state = replace(state, url=f"http://127.0.0.1:{port}")
    write_state(dataset, state)
    folder = studio_folder(dataset)
    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    log = log_path(dataset)
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))
    arguments = ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    environment = server_environment(data, state.root, state.username, state.password)
    try:
        pid = launch(
            _RUN,
            [*arguments, "--data-dir", str(data)],
            pid_path(dataset),
            log,
            folder=data,
            environment=environment | {"LABEL_STUDIO_USER_TOKEN": state.token},
        )
    except OSError as error:
        raise StudioError(f"expected to start Label Studio, but {error}") from error
    return replace(state, pid=pid)


def _new_state(dataset: Dataset) -> ServerState:
    """A user of our own; another name where the state was lost but its database was not."""
    lost = (studio_folder(dataset) / "data" / "label_studio.sqlite3").exists()
    name = f"annotator-{secrets.token_hex(2)}" if lost else "annotator"
    return ServerState(
        "", f"{name}@localhost", secrets.token_urlsafe(12), secrets.token_hex(20), ""
    )


def _port(wanted: int | None, before: ServerState | None) -> int:
    if wanted:
        if not is_free(wanted):
            raise StudioError(
                f"expected port {wanted} to be free, but another program listens there; give "
                "another --port, or leave it out to get one that is free"
            )
        return wanted
    last = int(before.url.rpartition(":")[2]) if before and before.url and wanted is None else 0
    return last if last and is_free(last) else first_free_port(any_port=wanted == 0)


def _await_healthy(
    dataset: Dataset,
    state: ServerState,
    tell: Callable[[str], None],
    timeout: float,
    stop_after: bool,
) -> None:
    """Wait until the server accepts our token; one that was started for it dies with the wait."""
    begin, log = time.monotonic(), log_path(dataset)
    try:
        while not _is_ours(state):
            waited = time.monotonic() - begin
            ended = not living_pid(pid_path(dataset))  # first, so that its last words are read
            said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            if ended:
                raise StudioError(
                    f"expected Label Studio to start, but it ended: {_last_line(said)}; the whole "
                    f"log is {log}"
                )
            if "is in use." in said:  # it would go on at the next port, unasked
                raise StudioError(
                    f"expected Label Studio at {state.url}, but another program took that port; "
                    "start it again, or give another --port"
                )
            if waited > timeout:
                raise StudioError(
                    f"expected Label Studio at {state.url} within {timeout:.0f} s, but it does "
                    f"not accept us yet; the log is {log}"
                )
            tell(f"starting Label Studio: {waited:.0f} s (the first start can take 90 s)")
            time.sleep(0.5)
    except BaseException:
        if stop_after:
            stop(dataset)
        raise


def _is_ours(state: ServerState) -> bool:
    """Whether what answers at that address knows our token: no other server does."""
    import httpx

    try:
        answer = httpx.get(
            f"{state.url}/api/current-user/whoami",
            headers={"Authorization": f"Token {state.token}"},
            timeout=10,
            trust_env=False,
        )
        return answer.status_code == 200 and answer.json().get("email") == state.username
    except (httpx.TransportError, ValueError, AttributeError):
        return False


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
