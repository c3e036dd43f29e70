"""Files that appear whole or not at all, and leave nothing behind when the writer is killed."""

import itertools
import os
from pathlib import Path

_numbers = itertools.count()


class Writer:
    """Writes files into a data set through a scratch folder on the same disk."""

    def __init__(self, scratch: Path) -> None:
        """`scratch` is made where it is missing; what dead writers left there is removed."""
        self._scratch = scratch
        scratch.mkdir(parents=True, exist_ok=True)
        for path in scratch.iterdir():
            if not alive(path.name.partition("-")[0]):
                path.unlink(missing_ok=True)

    def write(self, path: Path, data: bytes) -> None:
        """Write `data` to `path` unless a file of that size is there; names tell the content."""
        try:
            if path.stat().st_size == len(data):
                return
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._scratch / f"{os.getpid()}-{next(_numbers)}"
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


class Memory(Writer):
    """Writes nothing: keeps what would be written, by path."""

    def __init__(self) -> None:
        self.kept: dict[Path, bytes] = {}

    def write(self, path: Path, data: bytes) -> None:
        """Keep `data`."""
        self.kept[path] = data


def alive(process: str) -> bool:
    """Whether a process with this id runs; one of another user does too."""
    if not process.isdigit():
        return True  # not ours to remove
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
