"""Runs `garmentloop`, or a module, in a process of its own and says what that took."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from garments.errors import GarmentLoopError

LOOK_EVERY = 0.05
"""Seconds between two looks at the process's memory."""


@dataclass(frozen=True)
class Ran:
    """A finished command: wall-clock seconds, start-up included, and peak resident MB."""

    seconds: float
    peak_mb: float


def garmentloop(*arguments: object) -> Ran:
    """Run `garmentloop ARGUMENTS`, without its output; GarmentLoopError where it fails."""
    return module("garmentloop", *arguments)


def module(name: str, *arguments: object) -> Ran:
    """Run `python -m NAME ARGUMENTS` likewise."""
    command = [sys.executable, "-m", name, *map(str, arguments)]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while child.poll() is None:
        peak = max(peak, peak_bytes(child.pid))
        time.sleep(LOOK_EVERY)
    seconds = time.perf_counter() - start
    if child.returncode:
        shown = " ".join(command[2:])
        raise GarmentLoopError(f"expected {shown} to succeed, but it exited {child.returncode}")
    return Ran(seconds, peak / 1e6)


def peak_bytes(pid: int | str = "self") -> int:
    """High-water mark of a process's memory, as Linux tells it; 0 when it has just ended.

    Not `ru_maxrss` of the child, which starts at the memory of the process that forked it.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
