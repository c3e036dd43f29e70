"""Files that appear whole or not at all, whoever is killed while they are written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from garments.errors import DatasetError


@contextmanager
def in_place_of(path: Path) -> Iterator[Path]:
    """A name beside `path`, to be written to; it becomes `path` where the block ends well.

    Its ending is that of `path`. The folder is made where it is missing. Raises `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".new-{os.getpid()}-{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8; raises `OSError`."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with in_place_of(path) as temporary:
        temporary.write_bytes(data)


def write_page(path: Path, text: str, again: str = "the same command") -> None:
    """Write a page that people read; `DatasetError` says what to run `again` once there is room."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise DatasetError(
            f"expected to write {path}, but {error.strerror or error}; make room there, then run "
            f"{again} again"
        ) from error
