"""Kills, a full disk and two at once: a release is there whole, or not at all.

`GARMENTLOOP_FAULT_ROUNDS` says how many kills of each kind are tried (3; `make soak`: 50).
"""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import released
from released import ready, tags, unfinished, visible

from curate.release.listing import releases
from curate.release.verify import verify
from curate.release.write import release
from garments.dataset import Dataset

ROOT = Path(__file__).resolve().parents[2]
WRITES = 60
"""About as many as a release of this data set makes, twice: before each and after it."""

pytestmark = pytest.mark.faults


def start(folder: Path, name: str = "v1", **environment: object) -> subprocess.Popen[str]:
    given = {key: str(value) for key, value in environment.items()}
    return subprocess.Popen(
        [sys.executable, released.__file__, str(folder), name],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def unreleased(tmp_path_factory) -> Path:
    return ready(tmp_path_factory.mktemp("faults") / "unreleased").folder


def is_whole(dataset: Dataset, name: str) -> bool:
    return not list(verify(dataset, name))[-1].problems


def check(folder: Path) -> None:
    """What is to be seen is whole; made again it is there, and nothing else is left."""
    dataset = Dataset.open(folder)
    assert all(one.manifest and is_whole(dataset, one.name) for one in releases(dataset))
    assert visible(dataset) == [one.name for one in releases(dataset)]
    if "v1" not in visible(dataset):
        list(release(dataset, "v1"))
    list(release(dataset, "v2"))
    assert visible(dataset) == ["v1", "v2"] and not unfinished(dataset)
    assert tags(dataset) == {"release-v1", "release-v2"}
    assert is_whole(dataset, "v1") and is_whole(dataset, "v2")


def test_killed_at_random_writes(unreleased, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        write = chance.randrange(WRITES)
        folder = shutil.copytree(unreleased, tmp_path / f"{seed}-{turn}-{write}")
        process = start(folder, DIE_AT=write)
        process.communicate()
        assert process.returncode in (0, -9)
        check(folder)


def test_killed_at_random_moments(unreleased, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        folder = shutil.copytree(unreleased, tmp_path / f"{seed}-{turn}")
        process = start(folder)
        for _ in range(chance.randrange(4)):
            process.stdout.readline()
        time.sleep(chance.random() * 0.3)
        process.kill()
        process.communicate()
        check(folder)


def test_disk_full(unreleased, tmp_path):
    folder = shutil.copytree(unreleased, tmp_path / "data")
    process = start(folder, FULL_AT=6000)  # enough for tags, too little for the page
    _, errors = process.communicate()
    assert process.returncode == 1 and "free some disk space and run the same command" in errors
    dataset = Dataset.open(folder)
    assert not visible(dataset) and not unfinished(dataset) and not tags(dataset)
    check(folder)


def test_two_of_one_name_at_once(unreleased, tmp_path):
    folder = shutil.copytree(unreleased, tmp_path / "data")
    processes = [start(folder), start(folder)]
    ends = [(process.communicate(), process.returncode) for process in processes]
    assert sorted(code for _, code in ends) == [0, 1]
    assert any("exists already" in errors for (_, errors), _ in ends)
    check(folder)


def test_two_of_other_names_at_once(unreleased, tmp_path):
    folder = shutil.copytree(unreleased, tmp_path / "data")
    for process in [start(folder), start(folder, "v0")]:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    dataset = Dataset.open(folder)
    assert visible(dataset) == ["v0", "v1"] and tags(dataset) == {"release-v0", "release-v1"}
    assert is_whole(dataset, "v0") and is_whole(dataset, "v1")
