"""What all tests share: paths, a command line, and an environment without a network."""

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
if "PYTEST_XDIST_WORKER" not in os.environ:  # converted networks of one run, for all its workers
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="garmentloop-tests-")
    atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)

# The same examples in every run, so that a change is judged by itself; `make soak` tries others.
settings.register_profile("same", derandomize=True)
if "GARMENTLOOP_FAULT_ROUNDS" not in os.environ:
    settings.load_profile("same")

PLAIN_TERMINAL = {
    "TERMINAL_WIDTH": "80",
    "COLUMNS": "80",
    "NO_COLOR": "1",
    "_TYPER_FORCE_DISABLE_TERMINAL": "1",
}
ANSI = re.compile(r"\x1b\[[0-9;]*m")

Result = subprocess.CompletedProcess[str]
CommandLine = Callable[..., Result]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Folder of a public data set beside the repository; skips where there is none."""

    def find(name: str) -> Path:
        folder = SHARED_DATA / name
        if not folder.is_dir():
            pytest.skip(f"needs the data set ../shared/data/{name}, which is not here")
        return folder

    return find


@pytest.fixture
def fault_rounds() -> int:
    """How often a test with random faults repeats them: 3, and 50 in `make soak`."""
    return int(os.environ.get("GARMENTLOOP_FAULT_ROUNDS", "3"))


@pytest.fixture(scope="session")
def garmentloop_command() -> CommandLine:
    """Run `python -m garmentloop ARGS` as a user would: plain text, 80 columns wide."""

    def run(*arguments: str | Path, cwd: Path = ROOT, timeout: float = 120) -> Result:
        result = subprocess.run(
            [sys.executable, "-m", "garmentloop", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **PLAIN_TERMINAL},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        result.stdout, result.stderr = ANSI.sub("", result.stdout), ANSI.sub("", result.stderr)
        return result

    return run
