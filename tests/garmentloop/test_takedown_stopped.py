"""A takedown that was stopped, killed or held up is finished later; nobody writes meanwhile."""

import json
import os
import random
import shutil
import subprocess
import sys
import time

import pytest
import withdrawing
from typer.testing import CliRunner
from withdrawing import PHOTOS, command, down, extract, held, here, photo_file, traces

from curate.fiftyone.sync import sync
from curate.release.verify import verify
from curate.release.write import release
from curate.split.make import split
from extract.report import write_report
from garmentloop.cli import app
from garmentloop.takedown.find import find
from garmentloop.takedown.run import resume, take_down
from garments import atwork
from garments.atwork import alone, at_work
from garments.errors import DatasetError
from garments.withdrawals import Withdrawals


def test_who_is_at_work_is_not_disturbed(dataset, monkeypatch):
    monkeypatch.setattr(atwork.alone.__wrapped__, "__defaults__", (0.1,))
    with at_work(dataset), pytest.raises(DatasetError, match="nobody else to work on"):
        list(take_down(dataset, find(dataset, here(dataset, 0))))
    assert dataset.catalog.count("photos") == PHOTOS
    assert Withdrawals(dataset).pending() is None


WRITERS = {
    "extract": lambda dataset: extract(dataset, photo_file(dataset.folder.parent, 1)),
    "report": write_report,
    "release": lambda dataset: list(release(dataset, "v2")),
    "split": lambda dataset: split(dataset),
    "sync": lambda dataset: list(sync(dataset)),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_who_writes_about_photos_waits_for_it(dataset, monkeypatch, writer):
    monkeypatch.setattr(at_work.__wrapped__, "__defaults__", (0.1,))
    before = {path for path in dataset.folder.rglob("*") if path.is_file()}
    with alone(dataset), pytest.raises(DatasetError, match="expected no takedown of"):
        WRITERS[writer](dataset)
    assert {path for path in dataset.folder.rglob("*") if path.is_file()} == before


def test_a_damaged_release_holds_it_up_until_it_is_gone(dataset):
    terms = traces(dataset, 0)
    path = next((dataset.releases / "v1" / "data").glob("train-*"))
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    told = command(dataset, here(dataset, 0), "--yes")
    assert told.exit_code == 1 and "as the release v1 was frozen" in told.output
    assert not held(dataset.folder / "crops", terms), "all else is done"
    assert extract(dataset, photo_file(dataset.folder.parent, 0)).taken_down == 1
    shutil.rmtree(dataset.releases / "v1")
    told = command(dataset)
    assert told.exit_code == 0, told.output
    assert held(dataset.folder, terms) == []


def test_a_lost_key_is_told_before_anything_comes_back(dataset):
    down(dataset, here(dataset, 0))
    (dataset.folder / "takedowns" / "key").unlink()
    with pytest.raises(DatasetError, match="restore it from a backup"):
        extract(dataset, photo_file(dataset.folder.parent, 0))
    assert dataset.catalog.count("photos") == PHOTOS - 1


def test_unfinished_takedowns_come_first(dataset):
    terms = traces(dataset, 0) | traces(dataset, 2)
    asked = find(dataset, here(dataset, 0))
    events = take_down(dataset, asked)
    next(events)
    events.close()
    assert Withdrawals(dataset).pending()
    with pytest.raises(DatasetError, match="expected no takedown of"):
        list(take_down(dataset, asked))
    status = CliRunner().invoke(app, ["status", "-d", str(dataset.folder), "--json"])
    assert json.loads(status.stdout)["next"].startswith("Finish the takedown that was stopped")
    told = command(dataset, here(dataset, 2), "--yes")
    assert told.exit_code == 0 and "is to be finished first" in told.output
    assert held(dataset.folder, terms) == []
    assert len(Withdrawals(dataset).entries()) == 2


@pytest.mark.faults
def test_killed_at_any_moment_it_finishes_the_next_time(copied_world, tmp_path, fault_rounds):
    chance = random.Random(seed := random.randrange(10**6))
    for turn in range(fault_rounds):
        dataset = copied_world(tmp_path / f"{seed}-{turn}")
        terms, photo = traces(dataset, 0, 1), here(dataset, 0)
        process = subprocess.Popen(
            [sys.executable, withdrawing.__file__, str(dataset.folder), "anna"],
            env={**os.environ, "PYTHONPATH": str(withdrawing.ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(chance.randrange(1, 7)):
            process.stdout.readline()
        time.sleep(chance.random() * 0.4)
        process.kill()
        process.communicate()
        assert Withdrawals(dataset).refused().photo(photo), "from the first moment on"
        list(resume(dataset))
        assert held(dataset.folder, terms) == [], f"seed {seed}, turn {turn}"
        assert len(Withdrawals(dataset).entries()) == 1
        assert list(resume(dataset)) == []
        assert not list(verify(dataset, "v1"))[-1].problems
