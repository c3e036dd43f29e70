"""Several processes share a training and end where one ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from drawn_garments import clothing_folder
from shared_training import ALIKE
from training_run import RECIPE, train

from finetune.tagger.options import Recipe
from finetune.tagger.processes import MEETING, joined, started, team
from finetune.tagger.train_net import newest_checkpoint
from garments.errors import BadSetting
from garments.modelfolder import read_weights

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOLERANCE = 2e-3
"""How far weights of one process and of two may be apart: they are kept in 16 bits."""

OPTIONS = (
    *("--mode", "lora", "--side", "32", "--epochs", "8", "--batch", "8", "--rank", "2"),
    *("--threads", "1", "--processes", "2"),
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With as many pictures to learn from as fill all batches."""
    return clothing_folder(tmp_path_factory.mktemp("drawn") / "clothing", each=40, validation=0)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def test_two_processes_end_where_one_ends(drawn: Path, tmp_path: Path) -> None:
    alone = train(drawn, tmp_path / "one", recipe=ALIKE)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    run = [*torchrun, str(HERE / "shared_training.py"), str(drawn), str(tmp_path / "two")]
    subprocess.run(run, check=True, env=environment())
    one, two = (read_weights(tmp_path / name / "model") for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], atol=TOLERANCE, rtol=TOLERANCE)
    assert alone
    card = (tmp_path / "two" / "model" / "README.md").read_text()
    assert "on 2 processes" in card


def finetune(data: Path, out: Path) -> "subprocess.Popen[str]":
    command = ["-m", "garmentloop", "finetune", "tagger", "--data", str(data), "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, *command, *OPTIONS],
        cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_all_are_killed_at_once_and_go_on(drawn: Path, tmp_path: Path) -> None:
    run = finetune(drawn, tmp_path)
    checkpoints = tmp_path / "checkpoints"
    deadline = time.monotonic() + 120
    while not any(checkpoints.glob("*/whole")) and time.monotonic() < deadline:
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.communicate()  # ends when the last of them lets go of the pipe
    newest = newest_checkpoint(checkpoints)
    assert newest is not None and not (tmp_path / "model").exists()
    again = finetune(drawn, tmp_path)
    out, err = again.communicate()
    assert again.returncode == 0, err
    assert out.count("Trained in") == 1 and err.count("loading the backbone") == 1
    steps = [int(line.split("/")[0].split()[1]) for line in err.splitlines() if "training " in line]
    assert min(steps) > int(newest.name.partition("-")[2]), "it went on"
    assert (tmp_path / "model").is_dir()
    assert len(list((tmp_path / "tensorboard").iterdir())) <= 2, "written by one of them"


@pytest.mark.parametrize(
    ("recipe", "wrong"),
    [(Recipe(), "mode lora or full"), (Recipe(mode="full", batch=7), "give --batch 8")],
)
def test_what_cannot_be_shared_is_refused(recipe: Recipe, wrong: str, monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert not started().first
    with pytest.raises(BadSetting, match=wrong), joined(recipe, "cpu"):
        pass


def test_one_process_is_alone(monkeypatch) -> None:
    for name in ("WORLD_SIZE", "RANK", MEETING):
        monkeypatch.delenv(name, raising=False)
    with joined(RECIPE, "cpu") as us:
        assert us.first and us.agreed("mine") == "mine" and us == team()
