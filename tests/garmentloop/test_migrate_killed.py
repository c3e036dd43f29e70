"""A migration that is killed, at any write or moment, ends as one that was not.

`GARMENTLOOP_FAULT_ROUNDS` says how many kills of each kind are tried (3; `make soak`: 50).
"""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import migrating
import pytest
from migrating import LABELS, WRITES, files, fill

from garmentloop.migration.run import Request, State, migrate
from garments.dataset import Dataset
from garments.errors import DatasetError
from garments.migration.history import History, kept_taxonomy, said_before
from garments.migration.record import journal_path
from garments.said import people_say_in

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.faults


class World:
    """A data set before its migration, and what it is to be afterwards."""

    def __init__(self, folder: Path) -> None:
        before = Dataset.create(folder / "before")
        fill(before)
        self.before, self.old, self.held = before.folder, before.taxonomy, people_say_in(before)
        self.rows = labels(before)
        self.new, self.map = files(folder / "files", before.taxonomy)
        straight = Dataset.open(shutil.copytree(self.before, folder / "straight"))
        begin = time.monotonic()
        self.start(straight.folder).communicate()
        self.seconds = time.monotonic() - begin
        self.after, self.now = labels(Dataset.open(straight.folder)), people_say_in(straight)
        assert len(self.after) > len(self.rows) > LABELS

    def start(self, folder: Path, **environment: object) -> subprocess.Popen[str]:
        given = {key: str(value) for key, value in environment.items()}
        return subprocess.Popen(
            [sys.executable, migrating.__file__, str(folder), str(self.new), str(self.map)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **given},
            stdout=subprocess.PIPE,
            text=True,
        )

    def check(self, folder: Path) -> None:
        """Run again, all is there once, whatever was done before."""
        outcome = migrate(Dataset.open(folder), Request(self.new, self.map))
        assert outcome.state in (State.DONE, State.FINISHED, State.NOTHING)
        dataset = Dataset.open(folder)
        found = labels(dataset)
        assert {name: found[name] for name in self.rows} == self.rows, "an old row was altered"
        assert found == self.after
        assert dataset.catalog.count("labels") == len(found), "a row is there twice"
        assert people_say_in(dataset) == self.now
        [migration] = History.of(folder).migrations
        assert dataset.taxonomy == migration.moves.new
        assert kept_taxonomy(folder, self.old.hash) == self.old
        assert said_before(dataset, migration) == self.held
        assert not journal_path(folder).exists()
        assert (dataset.reports / "migration-1.json").exists()


def labels(dataset: Dataset) -> dict[str, dict]:
    """Labels by id, but for when and in which order they were written."""
    rows = dataset.catalog.rows("labels").to_pylist()
    return {
        row["label_id"]: {k: v for k, v in row.items() if k not in ("seq", "created_at")}
        for row in rows
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("killed"))


def test_killed_at_random_writes(world, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        write = chance.randrange(WRITES)
        folder = shutil.copytree(world.before, tmp_path / f"{seed}-{turn}-{write}")
        process = world.start(folder, DIE_AT=write)
        process.communicate()
        assert process.returncode in (0, -9)
        world.check(folder)


def test_killed_at_random_moments(world, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        folder = shutil.copytree(world.before, tmp_path / f"{seed}-{turn}")
        process = world.start(folder)
        process.stdout.readline()
        time.sleep(chance.random() * world.seconds / 2)
        process.kill()
        process.communicate()
        world.check(folder)


def test_between_labels_and_taxonomy_nobody_reads_either(world, tmp_path):
    """Killed after the labels or the taxonomy were written: it can only be finished."""
    for write in (7, 9):
        folder = shutil.copytree(world.before, tmp_path / f"write-{write}")
        process = world.start(folder, DIE_AT=write)
        process.communicate()
        assert process.returncode == -9 and journal_path(folder).exists()
        with pytest.raises(DatasetError, match="garmentloop taxonomy migrate"):
            _ = Dataset.open(folder).taxonomy
        world.check(folder)
