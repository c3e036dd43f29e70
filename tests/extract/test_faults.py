"""Kills, a full disk and two processes at once: in the end nobody can tell.

`GARMENTLOOP_FAULT_ROUNDS` says how many kills of each kind are tried (3; `make soak`: 50).
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import standins

from garments.catalog import TABLES
from garments.dataset import Dataset
from garments.ids import content_id

PHOTOS = 24
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.faults


def start(folder: Path, dataset: Path, **environment: object) -> subprocess.Popen[str]:
    """An extraction of `folder` into `dataset` in a process of its own."""
    given = {key: str(value) for key, value in environment.items()}
    return subprocess.Popen(
        [sys.executable, standins.__file__, str(folder), str(dataset)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def tables(folder: Path) -> dict[str, list[str]]:
    """Everything in the catalogue but when it was written and in which order."""
    catalog = Dataset.open(folder).catalog
    return {
        name: sorted(str(row) for row in catalog.rows(name).drop(["seq", "created_at"]).to_pylist())
        for name in TABLES
    }


def pictures(folder: Path) -> dict[str, str]:
    """Every file below crops/ and previews/ by its content."""
    return {
        str(path.relative_to(folder)): content_id(path.read_bytes())
        for name in ("crops", "previews")
        for path in (folder / name).rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def street(tmp_path_factory) -> Path:
    return standins.write_streets(tmp_path_factory.mktemp("faults") / "in", PHOTOS)


@pytest.fixture(scope="module")
def undisturbed(street) -> Path:
    folder = street.with_name("undisturbed")
    standins.extract_all(str(street), str(folder))
    assert Dataset.open(folder).catalog.count("extractions") == PHOTOS
    return folder


def check_like(undisturbed: Path, folder: Path) -> None:
    assert tables(folder) == tables(undisturbed)
    assert pictures(folder) == pictures(undisturbed)
    assert list((folder / "run" / "scratch").iterdir()) == []


def finish_and_check(street: Path, undisturbed: Path, folder: Path) -> None:
    standins.extract_all(str(street), str(folder))
    check_like(undisturbed, folder)


def test_killed_at_random_moments(street, undisturbed, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    killed = 0
    for turn in range(fault_rounds):
        folder = tmp_path / f"{seed}-{turn}"  # the name tells the seed when this fails
        process = start(street, folder)
        for _ in range(chance.randrange(1, PHOTOS // 2)):
            process.stdout.readline()
        time.sleep(chance.random() * 0.3)
        process.kill()
        process.communicate()
        killed += process.returncode == -9
        finish_and_check(street, undisturbed, folder)
    assert killed


def test_killed_at_random_writes(street, undisturbed, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        write = chance.randrange(2 * 4 * PHOTOS)  # there are more than four writes a photo
        folder = tmp_path / f"{seed}-{turn}-{write}"
        process = start(street, folder, DIE_AT=write)
        process.communicate()
        assert process.returncode == -9
        finish_and_check(street, undisturbed, folder)


def test_killed_again_and_again(street, undisturbed, tmp_path):
    folder = tmp_path / "data"
    for write in (3, 30, 41):
        process = start(street, folder, DIE_AT=write)
        process.communicate()
        assert process.returncode == -9
    finish_and_check(street, undisturbed, folder)


def test_two_processes_at_once(street, undisturbed, tmp_path):
    folder = tmp_path / "data"
    processes = [start(street, folder), start(street, folder)]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    check_like(undisturbed, folder)


def test_a_full_disk_is_told_and_what_was_finished_is_kept(street, undisturbed, tmp_path):
    folder = tmp_path / "data"
    process = start(street, folder, FULL_AFTER=10)
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert "Traceback" not in errors
    assert errors.startswith(("DatasetError", "CatalogError")), errors
    assert str(folder) in errors and "again" in errors
    assert Dataset.open(folder).catalog.count("extractions") >= 8
    finish_and_check(street, undisturbed, folder)
