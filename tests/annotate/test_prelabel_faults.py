"""Kills and two processes at once: in the end nobody can tell.

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
import standin_taggers

from garments.dataset import Dataset

GARMENTS = 30
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.faults


def start(dataset: Path, **environment: object) -> subprocess.Popen[str]:
    given = {key: str(value) for key, value in environment.items()}
    return subprocess.Popen(
        [sys.executable, standin_taggers.__file__, str(dataset)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def tables(folder: Path) -> dict[str, list[str]]:
    """All that taggers said, but when it was written and in which order."""
    catalog = Dataset.open(folder).catalog
    return {
        name: sorted(str(row) for row in catalog.rows(name).drop(["seq", "created_at"]).to_pylist())
        for name in catalog.tables()
        if name in ("proposals", "calibrations") or name.startswith("embeddings_")
    }


@pytest.fixture(scope="module")
def untagged(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "untagged"
    standin_taggers.add_garments(Dataset.create(folder), GARMENTS)
    return folder


@pytest.fixture(scope="module")
def undisturbed(untagged) -> dict[str, list[str]]:
    folder = shutil.copytree(untagged, untagged.with_name("undisturbed"))
    standin_taggers.prelabel_all(str(folder))
    found = tables(folder)
    assert len(found[f"embeddings_{standin_taggers.SIZE}"]) == GARMENTS
    return found


def finish_and_check(undisturbed, folder: Path) -> None:
    standin_taggers.prelabel_all(str(folder))
    assert tables(folder) == undisturbed


def test_killed_at_random_moments(untagged, undisturbed, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        folder = shutil.copytree(untagged, tmp_path / f"{seed}-{turn}")
        process = start(folder)
        for _ in range(chance.randrange(1, 6)):
            process.stdout.readline()
        time.sleep(chance.random() * 0.2)
        process.kill()
        process.communicate()
        finish_and_check(undisturbed, folder)


def test_killed_at_random_writes(untagged, undisturbed, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        write = chance.randrange(2 * 2 * GARMENTS // 3)  # two writes a batch of three
        folder = shutil.copytree(untagged, tmp_path / f"{seed}-{turn}-{write}")
        process = start(folder, DIE_AT=write)
        process.communicate()
        assert process.returncode == -9
        finish_and_check(undisturbed, folder)


def test_two_processes_at_once(untagged, undisturbed, tmp_path):
    folder = shutil.copytree(untagged, tmp_path / "data")
    processes = [start(folder), start(folder)]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert tables(folder) == undisturbed
