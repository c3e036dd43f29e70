"""A command that is run again as several processes of this machine, which share one training."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from finetune.tagger.processes import MEETING, started
from garmentloop.console import err

PR_SET_PDEATHSIG = 1
"""What prctl of Linux calls it."""

LOOK_EVERY = 0.1
"""Seconds between two looks at who is still there."""

GRACE = 10.0
"""Seconds that the others get to stop by themselves once one has failed."""


def is_one_of_several() -> bool:
    """Whether this process was started as one of several, by us or by torchrun."""
    return started().size > 1


def is_silent() -> bool:
    """Whether another one of several tells how far they are."""
    return not started().first


def run_again_as(count: int) -> int:
    """Run this very command as `count` processes until all have ended; its exit code.

    Nothing listens beyond this machine: they meet in a file and talk over 127.0.0.1.
    """
    with tempfile.TemporaryDirectory(prefix="garmentloop-") as folder:
        meeting = Path(folder) / "meeting"
        told = [Path(folder) / f"{rank}.txt" for rank in range(count)]
        children = [_start(rank, count, meeting, told[rank]) for rank in range(count)]
        try:
            failed = _watch(children)
        finally:
            _stop(children)
        if failed > 0 and meeting.exists():  # before they met, all of them meet the same error
            err.print(told[failed].read_text(errors="replace").strip(), markup=False)
        return children[max(failed, 0)].returncode


def _start(rank: int, count: int, meeting: Path, told: Path) -> "subprocess.Popen[bytes]":
    """The first one speaks for all; what the others say is kept for the case that they fail."""
    environment = {
        "OMP_NUM_THREADS": "1",
        "TORCH_CPP_LOG_LEVEL": "ERROR",
        "GLOO_SOCKET_IFNAME": "lo",
        "NCCL_SOCKET_IFNAME": "lo",
        **os.environ,
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        MEETING: str(meeting),
    }
    command = [sys.executable, "-m", "garmentloop", *sys.argv[1:]]
    if rank == 0:
        return subprocess.Popen(command, env=environment, preexec_fn=_die_with_parent)
    with told.open("wb") as file:
        return subprocess.Popen(
            command, env=environment, stdout=file, stderr=file, preexec_fn=_die_with_parent
        )


def _die_with_parent() -> None:
    """Let the kernel stop this process when the one that started it is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _watch(children: Sequence["subprocess.Popen[bytes]"]) -> int:
    """Wait for all; the number of the first one that failed, -1 where none did."""
    while True:
        codes = [child.poll() for child in children]
        failed = next((at for at, code in enumerate(codes) if code), None)
        if failed is not None:
            return failed
        if all(code == 0 for code in codes):
            return -1
        time.sleep(LOOK_EVERY)


def _stop(children: Sequence["subprocess.Popen[bytes]"]) -> None:
    """None of them outlives the others."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE)
        if child.poll() is None:
            child.kill()
            child.wait()
