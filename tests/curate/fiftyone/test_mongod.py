"""Our own MongoDB: started once, found again, stopped, and never mistaken for somebody else's."""

import importlib.util
import os
import shutil
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from curate.fiftyone import mongod
from curate.fiftyone.environment import environment, garments_name
from garments.dataset import Dataset
from garments.errors import FiftyOneError
from garments.settings import Settings

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("fiftyone") is None, reason="needs FiftyOne"
)


@pytest.fixture
def dataset(tmp_path: Path):
    made = Dataset.create(tmp_path / "mine")
    yield made
    mongod.stop(made)


def write(uri: str, value: int) -> None:
    from pymongo import MongoClient

    with MongoClient(uri, journal=True) as client:
        client.mine.things.insert_one({"value": value})


def read(uri: str) -> list[int]:
    from pymongo import MongoClient

    with MongoClient(uri) as client:
        return [found["value"] for found in client.mine.things.find()]


def test_it_is_started_once_found_again_and_stopped(dataset):
    assert mongod.running(dataset) is None
    first, new = mongod.start(dataset)
    assert new and mongod.running(dataset) == first
    assert mongod.start(dataset) == (first, False)
    write(first.uri, 7)
    assert mongod.stop(dataset) and not mongod.stop(dataset)
    assert mongod.running(dataset) is None
    again, _ = mongod.start(dataset)
    assert again.uri == first.uri and read(again.uri) == [7]


def test_it_listens_here_only_and_keeps_to_its_folder(dataset):
    server, _ = mongod.start(dataset)
    port = int(server.uri.rpartition(":")[2].partition("/")[0])
    for address in ("127.0.0.2", socket.gethostbyname(socket.gethostname())):
        if address != "127.0.0.1":
            with pytest.raises(OSError), socket.create_connection((address, port), 1):
                pass
    made = {path.name for path in (dataset.run / "fiftyone").iterdir()}
    assert {"mongod", "mongod.log", "mongod.pid", "mongod.port"} <= made
    assert not list(Path("/tmp").glob(f"mongodb-{port}.sock"))


def test_two_who_start_it_get_the_same(dataset):
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: mongod.start(dataset), range(4)))
    assert len({server for server, _ in found}) == 1
    assert sum(new for _, new in found) == 1


def test_a_killed_one_leaves_what_was_written(dataset):
    server, _ = mongod.start(dataset)
    write(server.uri, 1)
    os.kill(server.pid, signal.SIGKILL)
    again, new = mongod.start(dataset)
    assert new and again.pid != server.pid and read(again.uri) == [1]


def test_another_program_took_its_port(dataset):
    server, _ = mongod.start(dataset)
    mongod.stop(dataset)
    with socket.create_server(("127.0.0.1", int(server.uri.split(":")[2].split("/")[0]))):
        other, _ = mongod.start(dataset)
        assert other.uri != server.uri


def test_the_server_of_another_data_set_is_not_taken_for_ours(dataset, tmp_path, monkeypatch):
    other = Dataset.create(tmp_path / "other")
    try:
        theirs, _ = mongod.start(other)
        port = int(theirs.uri.split(":")[2].split("/")[0])
        monkeypatch.setattr(mongod, "is_free", lambda port: True)
        (dataset.run / "fiftyone").mkdir(parents=True)
        (dataset.run / "fiftyone" / "mongod.port").write_text(f"{port}\n", encoding="ascii")
        ours, _ = mongod.start(dataset)
        assert ours.uri != theirs.uri
    finally:
        mongod.stop(other)


def test_damaged_data_is_told_with_the_log(dataset):
    mongod.start(dataset)
    mongod.stop(dataset)
    (dataset.run / "fiftyone" / "mongod" / "WiredTiger.wt").write_bytes(b"damaged")
    with pytest.raises(FiftyOneError, match=r"it ended: .*its log is .*mongod\.log"):
        mongod.start(dataset)


def test_without_a_binary_it_tells_what_to_install(dataset, tmp_path, monkeypatch):
    empty = importlib.util.spec_from_loader("fiftyone", None, is_package=True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: empty)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(FiftyOneError, match=r"without one; run pip install .*\[curate\]'"):
        mongod.start(dataset)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FiftyOneError, match=r"not installed; run pip install .*\[curate\]'"):
        mongod.start(dataset)


def test_fiftyone_is_kept_below_the_data_set(tmp_path):
    dataset = Dataset.create(tmp_path / "mine", Settings(name="Été 2026 / Mine"))
    assert garments_name(dataset) == "t-2026-mine-garments"
    told = environment(dataset, "mongodb://127.0.0.1:1/mine")
    paths = [value for name, value in told.items() if name.endswith(("_DIR", "_PATH"))]
    assert len(paths) == 10
    assert all(path.startswith(str(dataset.run / "fiftyone")) for path in paths)
    assert told["FIFTYONE_DO_NOT_TRACK"] == "true" and told["FIFTYONE_DATABASE_NAME"] == "mine"
