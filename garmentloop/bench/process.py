"""Runs `garmentloop` in a process of its own and says what that took."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from garments.errors import GarmentLoopError


@dataclass(frozen=True)
class Ran:
    """A finished command: wall-clock seconds, start-up included, and peak resident MB."""

    seconds: float
    peak_mb: float


def garmentloop(*arguments: object) -> Ran:
    """Run `garmentloop ARGUMENTS`, without its output; GarmentLoopError where it fails."""
    command = [sys.executable, "-m", "garmentloop", *map(str, arguments)]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        shown = " ".join(command[2:])
        raise GarmentLoopError(f"expected {shown} to succeed, but it exited {child.returncode}")
    return Ran(seconds, usage.ru_maxrss * 1024 / 1e6)  # Linux counts kibibytes
