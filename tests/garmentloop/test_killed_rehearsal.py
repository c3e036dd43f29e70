"""A whole round with real models, training, examination and promotion, killed at any moment."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from garments.dataset import Dataset
from garments.modelfolder import weights_hash
from garments.synthetic import write_street

ROOT = Path(__file__).parents[2]


def start(data: Path, folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "garmentloop", "simulate", str(data), "--no-studio"]
    command += ["--rounds", "1", "--budget", "16", "--out", str(folder)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def run(data: Path, folder: Path) -> None:
    process = start(data, folder)
    told, _ = process.communicate()
    assert process.returncode == 0, told


def outcome(folder: Path) -> dict:
    """What a round leaves, but for times."""
    dataset = Dataset.open(folder)

    def of(table: str, *columns: str) -> list[tuple]:
        read = dataset.catalog.rows(table)
        return sorted(zip(*(read.column(one).to_pylist() for one in columns), strict=True))

    models = [path.parent for path in dataset.models.glob("tagger/*/config.json")]
    return {
        "garments": of("garments", "garment_id", "crop_sha"),
        "labels": of("labels", "garment_id", "attribute", "value", "kind", "annotator"),
        "proposals": of("proposals", "proposal_id"),
        "splits": of("splits", "garment_id", "split"),
        "promotions": of("promotions", "attribute", "model"),
        "rounds": of("rounds", "round_id"),
        "models": [(path.name, weights_hash(path)) for path in models],
    }


@pytest.mark.faults
def test_a_real_round_that_is_killed_ends_as_if_it_had_not_been(tmp_path: Path, fault_rounds: int):
    data = tmp_path / "street"
    list(write_street(data, 12, 5, "unseen"))
    begin = time.monotonic()
    run(data, tmp_path / "straight")
    seconds = time.monotonic() - begin
    expected = outcome(tmp_path / "straight")
    assert expected["models"] and expected["labels"]
    for turn in range(max(1, fault_rounds // 3)):
        folder = tmp_path / f"killed-{turn}"
        process = start(data, folder)
        after = random.uniform(0.1, 0.95) * seconds
        try:
            process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        run(data, folder)
        assert outcome(folder) == expected, f"killed after {after:.1f} of {seconds:.1f} s"
