"""One writer at a time, across processes and threads."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from garments.errors import CatalogError

_POLL_SECONDS = 0.005


@contextmanager
def shared(path: Path, timeout: float = 600.0) -> Iterator[None]:
    """Hold the lock file `path` beside others who share it; whoever is `exclusive` is waited for.

    Waits for at most `timeout` seconds; the kernel releases it when the process dies.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _acquire(descriptor, path, timeout, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path, timeout: float = 600.0) -> Iterator[None]:
    """Hold the lock file `path`, waiting for at most `timeout` seconds.

    The kernel releases it when the process dies, however it dies. It is not re-entrant.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _acquire(descriptor, path, timeout)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, timeout: float, kind: int = fcntl.LOCK_EX) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise CatalogError(
                    f"expected the catalogue to be free within {timeout:.0f} s, but another "
                    f"process holds {path}; wait for it or stop it, then run this again"
                ) from None
            time.sleep(_POLL_SECONDS)
