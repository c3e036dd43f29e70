"""Background processes of a data set: found again, and ended, however they or we died.

A process holds a lock on its pid file for as long as it lives, so that the pid of one that is gone
is never taken for it.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from garments.errors import DatasetError

_BEGIN = "import os, sys\nos.write(int(sys.argv.pop(1)), str(os.getpid()).encode())\n"
"""First words of a process: it writes its pid before anything slow, so that it can be found."""

_children: list["subprocess.Popen[bytes]"] = []
"""Processes that this one started, kept so that a dead one is buried by the next look."""


def launch(
    program: str,
    arguments: Sequence[str],
    pid_file: Path,
    log: Path,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Start Python on `program` (its source) in a session of its own; its pid.

    What it says goes to `log`, in place of what is there. `OSError` where it cannot be started,
    `DatasetError` where another one lives.
    """
    descriptor = _take(pid_file)
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BEGIN + program, str(descriptor), *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
    finally:
        os.close(descriptor)  # the child has its own, and with it the lock
    _children.append(process)
    return process.pid


def living_pid(pid_file: Path) -> int:
    """The process that holds the pid file, 0 for none."""
    for process in _children:
        process.poll()
    for _ in range(500):
        try:
            with pid_file.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return 0
        except FileNotFoundError:
            return 0
        except BlockingIOError:
            if text := pid_file.read_bytes():
                return int(text)
            time.sleep(0.01)  # it was born this very moment
    raise DatasetError(f"expected a process id in {pid_file}, but it stays empty; remove the file")


def end(pid_file: Path, timeout: float = 20.0) -> bool:
    """End that process with all that it started; whether one lived.

    It is asked first, and killed after `timeout` seconds. `DatasetError` where it outlives that.
    """
    if not (pid := living_pid(pid_file)):
        return False
    for sign, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, sign)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not living_pid(pid_file):
                return True
            time.sleep(0.05)
    raise DatasetError(
        f"expected process {pid} to end, but it does not; end it with `kill -9 {pid}`"
    )


def _take(path: Path) -> int:
    """The emptied pid file, open and locked; others who look hold its lock for moments only."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + 5
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise DatasetError(
                    f"expected nobody to hold {path}, but process {living_pid(path)} does; end it"
                ) from None
            time.sleep(0.01)
