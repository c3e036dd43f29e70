"""The App of a data set: started, found again, closed; and the commands that do it."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import psutil
import pytest
from curated_data import garment_ids, label

from curate.fiftyone import app, mongod
from curate.fiftyone.opening import close, open_app
from curate.fiftyone.sync import sync_window
from curate.fiftyone.window import open_window
from garments.dataset import Dataset
from garments.errors import BadInput, FiftyOneError


@pytest.fixture
def own(curated):
    """A data set with its own MongoDB and App, both closed at the end."""
    dataset = curated(2, name="app")
    yield dataset
    close(dataset)


def show(dataset: Dataset, port: int | None = 0):
    with open_window(dataset) as window:
        list(sync_window(window))
        return open_app(window, port)


def samples(url: str, dataset: str) -> int:
    """How many samples the App counts, asked as its own page asks."""
    query = "query Q($form: AggregationForm!) { aggregations(form: $form) { ... on RootAggregation"
    query += " { count } } }"
    form = {"dataset": dataset, "mixed": False, "sampleIds": [], "view": [], "paths": [""]}
    form |= {"hiddenLabels": [], "slices": [], "extendedStages": {}, "filters": {}}
    form |= dict.fromkeys(("groupId", "index", "slice"))
    answer = httpx.post(f"{url}/graphql", json={"query": query, "variables": {"form": form}})
    return int(answer.json()["data"]["aggregations"][0]["count"])


def test_it_opens_shows_what_is_there_and_closes(own, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    opened = show(own)
    assert opened.new
    assert opened.pages[0].url == f"{opened.app.url}/datasets/app-garments?workspace=curate"
    assert httpx.get(opened.pages[0].url, timeout=30).status_code == 200
    assert samples(opened.app.url, "app-garments") == len(garment_ids(own)) == 4
    assert {page.title for page in opened.pages} >= {"garments", "photos", "gold"}
    listening = [
        found.laddr.ip
        for process in [psutil.Process(opened.app.pid)]
        for found in process.net_connections(kind="tcp")
        if found.status == psutil.CONN_LISTEN
    ]
    assert listening and set(listening) == {"127.0.0.1"}

    label(own, garment_ids(own)[0], "style", "casual")
    again = show(own, None)
    assert not again.new and again.app == opened.app
    assert mongod.running(own), "the App lives on it"
    with pytest.raises(FiftyOneError, match=r"but it runs at .*; close it with"):
        app.expect_port(own, opened.app.port + 1)

    assert close(own) and not close(own)
    assert app.running(own) is None and mongod.running(own) is None
    assert not psutil.pid_exists(opened.app.pid)
    assert not list((tmp_path / "home").glob(".fiftyone")), "all of it stays in the data set"


def test_a_port_that_is_taken(own):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(FiftyOneError, match=f"expected port {port} to be free"):
            app.expect_port(own, port)
        with pytest.raises(FiftyOneError, match="give another --port"):
            show(own, port)
    assert app.running(own) is None and mongod.running(own) is None


def test_an_app_that_dies_while_it_starts_is_told_with_its_log(own, monkeypatch):
    monkeypatch.setattr(app, "_RUN", "sys.exit('no such luck')")
    with pytest.raises(FiftyOneError, match=r"it ended: no such luck; the whole log is .*app\.log"):
        show(own)
    assert mongod.running(own) is None


def test_the_commands_open_sync_and_close(own, garmentloop_command):
    folder = own.folder
    result = garmentloop_command(
        *("curate", "open", "-d", folder, "--port", "0", "--background", "--remote"), timeout=300
    )
    assert result.returncode == 0, result.stderr
    assert "4 garments and 2 photos written" in result.stdout
    assert (
        "/datasets/app-garments?workspace=curate\n" in result.stdout
        and "ssh -N -L" in result.stderr
    )
    result = garmentloop_command("curate", "sync", "-d", folder, "--dry-run")
    assert "would be: 0 garments and 0 photos written" in result.stdout, result.stderr
    assert app.running(own)
    result = garmentloop_command("curate", "close", "-d", folder)
    assert "is closed" in result.stdout and app.running(own) is None


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_what_is_in_the_foreground_is_closed_with_it(own, sign):
    command = [sys.executable, "-m", "garmentloop", "curate", "open", "-d", str(own.folder)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line.decode())
        if "Ctrl-C" in lines[-1]:
            break
    assert app.running(own), lines
    time.sleep(0.3)
    process.send_signal(sign)
    rest = process.stdout.read().decode()
    process.stdout.close()
    assert process.wait(60) == 0, rest
    assert app.running(own) is None and mongod.running(own) is None


def test_open_says_when_the_app_ends_by_itself(own):
    from curate.fiftyone.opening import wait

    opened = show(own)
    os.killpg(opened.app.pid, signal.SIGKILL)
    with pytest.raises(FiftyOneError, match="but it ended"):
        wait(own)
    app.stop(own)
    wait(own)  # somebody closed it: nothing is wrong


def test_an_unknown_view_is_told_before_the_app_starts(own):
    with open_window(own) as window:
        list(sync_window(window))
        with pytest.raises(BadInput, match=r"one of the saved views .*gold.*'nice ones'"):
            open_app(window, 0, "nice ones")
    assert app.running(own) is None


def test_without_an_address_the_database_of_the_app_is_used(own, mongo_uri):
    with open_window(own, mongo_uri) as window:
        list(sync_window(window))
        opened = open_app(window, 0)
    with open_window(own) as window:
        assert window.uri == mongo_uri == opened.app.mongo and len(window.garments) == 4
        window.fo.delete_dataset(window.garments.name)
        window.fo.delete_dataset(window.photos.name)
    assert mongod.running(own) is None
