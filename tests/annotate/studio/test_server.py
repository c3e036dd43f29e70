"""Label Studio as a process: found again, never twice, never another's; real and stood in for."""

import contextlib
import os
import socket
import stat
import threading
import time
from pathlib import Path

import httpx
import pytest
from real_studio import kill_server, log_in

from annotate.studio import server, state
from annotate.studio.client import connect
from annotate.studio.environment import first_free_port, is_free, server_environment
from annotate.studio.project import studio_folder
from garmentloop import following
from garments.dataset import Dataset
from garments.errors import StudioDown, StudioError

STAND_IN = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
port = int(sys.argv[sys.argv.index("--port") + 1])

class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers["Authorization"] == "Token " + os.environ["LABEL_STUDIO_USER_TOKEN"]
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"email": os.environ["LABEL_STUDIO_USERNAME"]}).encode())

HTTPServer(("127.0.0.1", port), Answers).serve_forever()
"""
TALKS = "import time\n"


@pytest.fixture
def dataset(tmp_path, monkeypatch) -> Dataset:
    """A data set whose server is a stand-in that starts at once."""
    monkeypatch.setattr(server, "_RUN", STAND_IN)
    monkeypatch.setattr(server.importlib.util, "find_spec", lambda name: True)
    dataset = Dataset.create(tmp_path / "data")
    yield dataset
    server.stop(dataset, timeout=5)


def start(dataset, port=0, timeout=60.0):
    return server.start(dataset, port, timeout=timeout)


def test_a_server_is_started_once_and_found_again(dataset):
    first, new = start(dataset)
    assert new and first.pid and first.url.startswith("http://127.0.0.1:")
    assert start(dataset, None) == (first, False)
    assert server.running(dataset) == first
    assert server.stop(dataset) and server.running(dataset) is None
    assert not server.stop(dataset)


def test_two_starts_at_once_make_one_server(dataset):
    results = []
    threads = [threading.Thread(target=lambda: results.append(start(dataset))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new for _, new in results) == [False, False, True]
    assert len({found.pid for found, _ in results}) == 1


def test_a_killed_server_comes_back_with_its_port_and_people(dataset):
    first, _ = start(dataset)
    kill_server(dataset)
    assert server.running(dataset) is None
    second, new = start(dataset, None)
    assert new and second.pid != first.pid
    assert (second.url, second.username, second.token) == (first.url, first.username, first.token)


def test_a_stale_pid_is_nobody(dataset):
    (studio_folder(dataset) / state.PID_FILE).write_text(str(os.getpid()))
    assert server.running(dataset) is None
    assert not server.stop(dataset)  # and we are still here


def test_a_start_that_was_killed_leaves_a_server_that_the_next_one_finds(dataset, monkeypatch):
    before = threading.active_count()

    def die(*args, **kwargs):
        raise SystemExit(1)  # what follows the launch never happens

    with monkeypatch.context() as patch:
        patch.setattr(server, "_await_healthy", die)
        with pytest.raises(SystemExit):
            start(dataset)
    found, new = start(dataset, None)
    assert not new and found.pid and threading.active_count() == before


def test_state_is_for_its_owner_only(dataset):
    start(dataset)
    mode = server.state_path(dataset).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE((studio_folder(dataset) / "data").stat().st_mode) == 0o700


def test_a_busy_port_is_told_before_anything_starts(dataset):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StudioError, match=f"port {port} to be free, but another program"):
            start(dataset, port)
    assert server.running(dataset) is None


def test_the_last_port_is_left_alone_where_another_took_it(dataset):
    first, _ = start(dataset)
    server.stop(dataset)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(first.url.rpartition(":")[2])))
        other.listen()
        second, _ = start(dataset, None)
    assert second.url != first.url


def test_a_server_that_runs_elsewhere_is_named(dataset):
    first, _ = start(dataset)
    with pytest.raises(StudioError, match=f"but it runs at {first.url}; stop it"):
        start(dataset, first_free_port(any_port=True))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('no space left'); sys.exit(1)", "but it ended: no space left; the whole log is"),
        ("print('* Port 1 is in use.', flush=True); time.sleep(60)", "another program took that"),
        ("time.sleep(60)", "within 2 s"),
    ],
)
def test_a_start_that_fails_says_why_and_leaves_nothing(dataset, monkeypatch, code, message):
    monkeypatch.setattr(server, "_RUN", TALKS + code)
    with pytest.raises(StudioError, match=message):
        start(dataset, timeout=60 if "within" not in message else 2)
    assert server.running(dataset) is None


def test_a_foreign_server_at_our_address_is_not_ours(dataset, monkeypatch):
    """What answers with another's token is never taken for our server."""
    found, _ = start(dataset)
    other = server.ServerState(found.url, found.username, "", "another token", "")
    assert not server._is_ours(other)


def test_lost_state_begins_with_another_user(dataset):
    data = studio_folder(dataset) / "data"
    data.mkdir()
    (data / "label_studio.sqlite3").write_bytes(b"")
    found, _ = start(dataset)
    assert found.username.startswith("annotator-")  # the name of before has a password unknown


def test_broken_state_is_told(dataset):
    server.state_path(dataset).write_text("{")
    with pytest.raises(StudioError, match=r"state\.json, but .*remove the file"):
        start(dataset)


def test_missing_label_studio_is_told_with_the_install_line(dataset, monkeypatch):
    monkeypatch.setattr(server.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StudioError, match=r"pip install -c constraints.txt -e '.\[annotate\]'"):
        start(dataset)


def test_no_server_is_told(dataset):
    with pytest.raises(StudioDown, match="start it with `garmentloop annotate up"):
        connect(dataset)


def test_nothing_of_our_environment_goes_along(monkeypatch, tmp_path):
    for name in ("HOST", "USERNAME", "PORT", "DJANGO_DB", "LABEL_STUDIO_HOST", "http_proxy"):
        monkeypatch.setenv(name, "theirs")
    given = server_environment(tmp_path, "/photos", "me", "secret")
    assert "theirs" not in given.values()
    assert given["LABEL_STUDIO_COLLECT_ANALYTICS"] == "false" and given["SENTRY_DSN"] == ""


def test_free_ports_are_free():
    port = first_free_port(any_port=True)
    assert is_free(port) and is_free(first_free_port())


def test_the_real_server_listens_on_this_machine_only(studio_server):
    port = int(studio_server.url.rpartition(":")[2])
    listening = [
        line.split()[1]
        for name in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(name).exists()
        for line in Path(name).read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_people_log_in_and_pages_name_no_outsider(studio_server):
    for person in (studio_server.first, studio_server.second):
        browser = log_in(studio_server.state, person.email, person.password)
        with contextlib.closing(browser):
            page = browser.get("/projects/")
            assert (
                page.status_code == 200
                and person.email in browser.get("/api/current-user/whoami").text
            )
            settings = page.text.partition("APP_SETTINGS")[2]
            assert "sentry.io" not in page.text and "googletagmanager" not in page.text
            assert settings


def test_commands_find_the_running_server(studio_dataset, garmentloop_command):
    dataset = studio_dataset(1)
    told = garmentloop_command("annotate", "up", "-d", dataset.folder, "--no-pull")
    assert told.returncode == 0, told.stderr
    found = server.running(dataset)
    assert f"was up already: {found.url}" in told.stdout
    assert found.username in told.stdout and "signup/?token=" in told.stdout
    assert found.password not in told.stdout + told.stderr
    page = garmentloop_command("annotate", "open", "-d", dataset.folder)
    assert page.stdout.strip() == f"{found.url}/projects/" and "Nothing was pushed" in page.stderr


def test_commands_stop_and_start_a_real_server(own_server, garmentloop_command):
    dataset, _ = own_server(1)
    studio = connect(dataset)
    studio.local_storage(studio.project("main", "<View></View>"), dataset.folder / "crops")
    told = garmentloop_command("annotate", "down", "-d", dataset.folder)
    assert told.returncode == 0 and "is stopped" in told.stdout
    assert "was not running" in garmentloop_command("annotate", "down", "-d", dataset.folder).stdout

    moved = Dataset.open(dataset.folder.rename(dataset.folder.with_name("moved")))
    begin = time.monotonic()
    told = garmentloop_command("annotate", "up", "-d", moved.folder, timeout=600)
    assert told.returncode == 0, told.stderr
    print(f"a later start took {time.monotonic() - begin:.1f} s")
    found = server.running(moved)
    assert f"is up: {found.url}" in told.stdout
    [crop] = (moved.folder / "crops").glob("*/*.jpg")
    header = {"Authorization": f"Token {found.token}"}
    address = found.url + connect(moved).file_url(crop)
    assert httpx.get(address, headers=header, timeout=60).content == crop.read_bytes()
    told = garmentloop_command("annotate", "down", "-d", moved.folder)
    assert "is stopped" in told.stdout and not following.end(moved)
