"""Reading files that a user named, whatever they turn out to be."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from garments.errors import BadSource

MAX_FILE_BYTES = 256 * 2**20
"""Largest file that is read as a photo: 256 MiB."""

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """The regular file `path`, opened for reading.

    Raises `BadSource` for what is missing, not permitted, or no file; a pipe or a device is refused
    without waiting for it.
    """
    path = Path(path)
    try:
        _check_regular(path, path.stat())
        # Between the two calls the name may have become a pipe: do not wait for its writer.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        _check_regular(path, os.fstat(file.fileno()))
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise BadSource(f"cannot read {printable(str(path))}: {_reason(error)}") from error
    return file


def read_bytes(path: str | os.PathLike[str], max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The content of the regular file `path`.

    Raises `BadSource` as `open_regular` does, and for a file of more than `max_bytes`.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            data = file.read(max_bytes + 1) if size <= max_bytes else b""
        except OSError as error:
            raise BadSource(f"cannot read {printable(str(path))}: {_reason(error)}") from error
    if max(size, len(data)) > max_bytes:
        raise BadSource(
            f"expected a file of at most {max_bytes:,} bytes, but {printable(str(path))} has more; "
            "make it smaller, or leave it out"
        )
    return data


def _check_regular(path: Path, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    kind = next((name for test, name in KINDS if test(status.st_mode)), "something else")
    raise BadSource(f"expected a picture file, but {printable(str(path))} is {kind}")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file; check the name"
    if isinstance(error, PermissionError):
        return "permission denied; make it readable for this user (chmod +r)"
    return getattr(error, "strerror", None) or str(error)


def printable(text: str) -> str:
    """`text` fit for records and messages: what is not Unicode in a file name becomes \\xNN."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, from a JSON escape
        data = text.encode("utf-8", "backslashreplace")
    return data.decode("utf-8", "backslashreplace")
