"""The command line: quick to start, plain about errors, polite about Ctrl-C."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from garmentloop import __version__
from garmentloop.cli import INTERRUPTED, Face, app
from garments.errors import BadSource

HEAVY = ("torch", "torchvision", "transformers", "lancedb", "lance", "cv2", "pandas", "numpy")

COMMANDS = (
    ("demo",),
    ("init",),
    ("extract",),
    ("status",),
    ("report",),
    ("export",),
    ("evaluate", "extract"),
    ("evaluate", "people"),
    ("framing", "fit"),
    ("finetune", "detector"),
    ("finetune", "parser"),
    ("street",),
    ("doctor",),
    ("version",),
)


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    code = (
        f"import sys, garmentloop.cli\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_help_starts_quickly(garmentloop_command) -> None:
    garmentloop_command("--help")  # compiles
    # Processor time, not wall-clock time: tests share their cores. 0.15 s, all of it in Python.
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert garmentloop_command("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.5


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_python_m_is_the_same_command(garmentloop_command) -> None:
    assert garmentloop_command("version").stdout.strip() == __version__


def test_no_arguments_show_help(garmentloop_command) -> None:
    result = garmentloop_command()
    assert "garmentloop demo" in result.stdout + result.stderr


def test_init_status_and_back(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    made = invoke("init", folder, "--name", "My street")
    assert made.exit_code == 0, made.output
    assert "My street" in made.output
    counted = invoke("status", "--dataset", folder)
    assert counted.exit_code == 0, counted.output
    assert "photos" in counted.output
    data = json.loads(invoke("status", "--dataset", folder, "--json").output)
    assert data["name"] == "My street"
    assert data["garments"] == {}


def test_init_twice_is_refused_and_says_so(tmp_path: Path) -> None:
    assert invoke("init", tmp_path / "mine").exit_code == 0
    again = invoke("init", tmp_path / "mine")
    assert again.exit_code == 1
    assert "data set already" in again.output


def test_init_refuses_an_unknown_model(tmp_path: Path) -> None:
    result = invoke("init", tmp_path / "mine", "--models", "nonsense")
    assert result.exit_code == 1
    assert "nonsense" in result.output
    assert not (tmp_path / "mine").exists()


def test_error_has_no_traceback_and_goes_to_stderr(tmp_path: Path, garmentloop_command) -> None:
    result = garmentloop_command("status", "--dataset", tmp_path / "none")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "garmentloop init" in result.stderr
    assert "Traceback" not in result.stderr


def test_export_of_an_empty_data_set(tmp_path: Path) -> None:
    invoke("init", tmp_path / "mine")
    out = tmp_path / "garments.csv"
    result = invoke("export", "garments", "--dataset", tmp_path / "mine", "--out", out)
    assert result.exit_code == 0, result.output
    header = out.read_text(encoding="utf-8").splitlines()[0].replace('"', "").split(",")
    assert {"garment_id", "photo_id", "person_id", "region", "area", "crop", "flags"} <= set(header)
    assert {"x1", "y1", "x2", "y2"} <= set(header)


def test_export_to_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    invoke("init", tmp_path / "mine")
    result = invoke("export", "photos", "-d", tmp_path / "mine", "-o", tmp_path / "photos.xyz")
    assert result.exit_code == 1
    assert ".parquet" in result.output


def face_that(raises: BaseException) -> object:
    import typer

    small = typer.Typer(cls=Face)

    @small.callback()
    def group() -> None:
        """Keep `go` a subcommand."""

    @small.command()
    def go() -> None:
        raise raises

    return CliRunner().invoke(small, ["go"])


def test_ctrl_c_says_that_finished_work_is_kept() -> None:
    result = face_that(KeyboardInterrupt())
    assert result.exit_code == INTERRUPTED
    assert "is kept" in result.output
    assert "same command again" in result.output


def test_message_of_an_error_is_printed_as_it_is() -> None:
    result = face_that(BadSource("expected a [photo] at /x/[1].jpg, but it is gone"))
    assert result.exit_code == 1
    assert "[photo] at /x/[1].jpg" in result.output


def test_other_errors_keep_their_traceback() -> None:
    assert isinstance(face_that(ZeroDivisionError()).exception, ZeroDivisionError)


def test_sigint_ends_a_real_process_with_130(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        # a shell that started the tests in the background has told its children to ignore it
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import garmentloop.commands.version as version\n"
        "from garmentloop import cli\n"
        "@cli.app.command()\n"
        "def sleep():\n"
        "    print('up', flush=True)\n"
        "    time.sleep(60)\n"
        "sys.argv[1:] = ['sleep']\n"
        "cli.main()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "up"
    os.kill(child.pid, signal.SIGINT)
    _, complaint = child.communicate(timeout=30)
    assert child.returncode == INTERRUPTED
    assert "is kept" in complaint
    assert "Traceback" not in complaint
