"""Converted networks, kept on this machine: converting one takes seconds, reading it none.

Each is a folder with OpenVINO's two files and their digest, in the user's cache (XDG_CACHE_HOME).
Its name is a hash of all that it was made of, so what is there never has to be refreshed, and the
cache can be deleted at any time. The ones that were used longest ago go first.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

MOST_BYTES = 4 * 2**30
"""Above that the graphs that were used longest ago are deleted."""

ABANDONED = 24 * 3600
"""Seconds after which a half-written folder is nobody's."""

GRAPH, WEIGHTS, DIGEST = "graph.xml", "graph.bin", "sha256"
_NEW = ".new-"


def cache_folder() -> Path:
    """Where this user's machine keeps what can be made again."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "garmentloop"


def read(key: str) -> Any | None:
    """The graph kept under `key`; None where there is none, or where its files are damaged."""
    folder = _graphs() / key
    with suppress(OSError):
        os.utime(folder)
    return read_folder(folder)


def read_folder(folder: Path) -> Any | None:
    """OpenVINO's graph of a folder that `keep` wrote; None as for `read`."""
    import openvino

    try:
        if (folder / DIGEST).read_text(encoding="ascii") != _digest(folder):
            return None
    except OSError:
        return None
    return openvino.Core().read_model(folder / GRAPH)


def write(key: str, graph: Any) -> None:
    """Keep a graph; where nothing can be kept the next run just takes longer."""
    with suppress(OSError):
        keep(_graphs() / key, graph)
        _prune(_graphs())


def keep(folder: Path, graph: Any) -> None:
    """Write `folder`, whole or not at all; what was there goes."""
    import openvino

    with _new(folder) as fresh:
        openvino.serialize(graph, fresh / GRAPH, fresh / WEIGHTS)
        (fresh / DIGEST).write_text(_digest(fresh), encoding="ascii")


@contextmanager
def _new(folder: Path) -> Iterator[Path]:
    """A folder to be written that takes the place of `folder` where the block ends well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=_NEW, dir=folder.parent))
    try:
        yield fresh
        if folder.exists():  # damaged, or of somebody who was quicker
            folder.rename(fresh / "before")
        fresh.rename(folder)
        shutil.rmtree(folder / "before", ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _graphs() -> Path:
    return cache_folder() / "graphs"


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for name in (GRAPH, WEIGHTS):
        with (folder / name).open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def _prune(graphs: Path) -> None:
    """Delete what was left half-written, and the oldest graphs while there are too many."""
    for path in graphs.glob(f"{_NEW}*"):
        if time.time() - path.stat().st_mtime > ABANDONED:
            shutil.rmtree(path, ignore_errors=True)
    total = 0
    for path in sorted(graphs.glob("[!.]*"), key=lambda path: path.stat().st_mtime, reverse=True):
        total += sum(file.stat().st_size for file in path.iterdir())
        if total > MOST_BYTES:
            shutil.rmtree(path, ignore_errors=True)
