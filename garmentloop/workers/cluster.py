"""Connecting to a Ray cluster, or starting one on this machine."""

import logging
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from extract.pipeline import Threads, Workers
from garmentloop.options import RAY, RAY_AUTO, WorkersChoice
from garmentloop.workers.pipeline import RayWorkers
from garments.errors import ClusterError
from garments.extras import expect_installed

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_LOG_LEVEL": "CRITICAL",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Read by Ray when it is imported: it shall phone nobody, and what goes wrong is raised."""

ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""The same: no cluster, so that a Ray that is started here listens on 127.0.0.1 alone. By its name
this is for other systems, but it is heard everywhere."""

MEMORY = 2 << 30
"""Shared memory for what is between the steps, in bytes; Ray takes to disk what is more."""

PATIENCE = 5.0
"""Seconds that a cluster has to answer."""


@contextmanager
def open_workers(choice: WorkersChoice | None, device: str = "auto") -> Iterator[Workers | None]:
    """Those that `choice` names, None for no choice; a cluster that was started here ends too.

    Raises `ModelError` where Ray is not installed, `ClusterError` where no cluster answers.
    """
    if choice is None or choice.cluster is None:
        yield Threads(choice.threads) if choice and choice.threads else None
        return
    expect_installed(f"--workers {RAY}", "ray", "ray")
    for name, value in (QUIET | (ALONE if choice.cluster == RAY else {})).items():
        os.environ.setdefault(name, value)
    import ray

    workers = RayWorkers(gpus=device != "cpu")
    if ray.is_initialized():
        yield workers
        return
    with _silence():
        _connect(choice.cluster)
    try:
        yield workers
    finally:
        ray.shutdown()


def _connect(cluster: str) -> None:
    """`cluster` is ray (start one), ray://auto (of this machine) or ray://HOST:PORT."""
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if cluster == RAY:
            ray.init(
                "local",
                include_dashboard=False,
                object_store_memory=min(MEMORY, _spare_memory() // 4),
                **quiet,
            )
            return
        address = cluster.removeprefix(f"{RAY}://")
        if cluster != RAY_AUTO:
            _expect_answer(address)
        ray.init(address, **quiet)
    except (ConnectionError, RuntimeError, OSError, ValueError) as error:
        raise ClusterError(_advice(cluster, str(error))) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Hide what Ray's C++ says while it starts, and who dislikes the forks by which it does.

    What goes wrong is raised as an error.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with warnings.catch_warnings(), Path(os.devnull).open("w") as nowhere:
            warnings.simplefilter("ignore")
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _spare_memory() -> int:
    from garmentloop.machine import available_memory

    return available_memory() or 4 * MEMORY


def _expect_answer(address: str) -> None:
    """Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()


def _advice(cluster: str, why: str) -> str:
    reason = (why.strip().splitlines() or ["no answer"])[0]
    if cluster == RAY:
        return f"expected to start Ray on this machine, but {reason}; see `garmentloop doctor`"
    return (
        f"expected a Ray cluster at {cluster}, but {reason}; start one by `ray start --head`, add "
        "this machine to it by `ray start --address HOST:PORT`, and give that address as "
        "ray://HOST:PORT, or ray://auto; or leave out the address: --workers ray"
    )
