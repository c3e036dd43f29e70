"""Kills, a full disk and two imports at once: in the end nobody can tell."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import public_sets
import pytest

from garments.catalog import TABLES
from garments.dataset import Dataset
from garments.ids import content_id

PHOTOS = 16
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.faults


def start(root: Path, dataset: Path, **environment: object) -> subprocess.Popen[str]:
    """An import of the small CCP in `root` into `dataset`, in a process of its own."""
    given = {key: str(value) for key, value in environment.items()}
    return subprocess.Popen(
        [sys.executable, public_sets.__file__, "ccp", str(root), str(dataset)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def all_of(folder: Path) -> dict[str, object]:
    """Everything in the catalogue but when it was written and in which order, and all pictures."""
    catalog = Dataset.open(folder).catalog
    tables: dict[str, object] = {
        name: sorted(str(row) for row in catalog.rows(name).drop(["seq", "created_at"]).to_pylist())
        for name in TABLES
    }
    return tables | {
        str(path.relative_to(folder)): content_id(path.read_bytes())
        for name in ("crops", "previews")
        for path in (folder / name).rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return public_sets.ccp(tmp_path_factory.mktemp("imports") / "ccp", PHOTOS)


@pytest.fixture(scope="module")
def undisturbed(root: Path) -> dict[str, object]:
    folder = root.with_name("undisturbed")
    public_sets.import_all("ccp", str(root), str(folder))
    catalog = Dataset.open(folder).catalog
    assert catalog.count("extractions") == PHOTOS
    assert catalog.count("labels") == catalog.count("garments") == PHOTOS * 3 // 2
    return all_of(folder)


def finish_and_check(root: Path, undisturbed: dict[str, object], folder: Path) -> None:
    """A photo that counts as finished has its labels; the next import does the rest."""
    catalog = Dataset.open(folder).catalog if (folder / "dataset.toml").exists() else None
    if catalog is not None:
        finished = set(catalog.newest_runs().column("photo_id").to_pylist())
        rows = catalog.rows("garments", ["garment_id", "photo_id"]).to_pylist()
        told = set(catalog.rows("labels", ["garment_id"]).column(0).to_pylist())
        assert all(r["garment_id"] in told for r in rows if r["photo_id"] in finished)
    public_sets.import_all("ccp", str(root), str(folder))
    assert all_of(folder) == undisturbed
    assert list((folder / "run" / "scratch").iterdir()) == []


def test_an_import_killed_at_random_moments(root, undisturbed, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        folder = tmp_path / f"{seed}-{turn}"  # the name tells the seed when this fails
        process = start(root, folder)
        for _ in range(chance.randrange(1, PHOTOS // 2)):
            process.stdout.readline()
        time.sleep(chance.random() * 0.3)
        process.kill()
        process.communicate()
        finish_and_check(root, undisturbed, folder)


def test_an_import_killed_at_random_writes(root, undisturbed, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        write = chance.randrange(2 * 4 * PHOTOS)
        folder = tmp_path / f"{seed}-{turn}-{write}"
        process = start(root, folder, DIE_AT=write)
        process.communicate()
        assert process.returncode == -9
        finish_and_check(root, undisturbed, folder)


def test_two_imports_at_once(root, undisturbed, tmp_path):
    folder = tmp_path / "data"
    processes = [start(root, folder), start(root, folder)]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert all_of(folder) == undisturbed


def test_a_full_disk_during_an_import_is_told(root, undisturbed, tmp_path):
    folder = tmp_path / "data"
    process = start(root, folder, FULL_AFTER=6)
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert errors.startswith(("DatasetError", "CatalogError")), errors
    assert "Traceback" not in errors
    assert str(folder) in errors
    assert "again" in errors
    finish_and_check(root, undisturbed, folder)
