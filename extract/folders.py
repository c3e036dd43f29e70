"""Walking a folder: in order, without hidden files, and once where links go in circles."""

import os
from collections.abc import Iterator
from pathlib import Path

from extract.found import IMAGE_SUFFIXES, Found, PassedOver, absolute, found_file
from extract.instagram import Export, is_sidecar, post_of
from garments.files import printable

Visited = set[tuple[int, int]]
"""Folders (device, inode) that were walked."""


def walk(folder: Path, passed_over: PassedOver, visited: Visited) -> Iterator[Found]:
    """The pictures in `folder` and below, files before subfolders, by name.

    Linked folders are followed, and each folder that is not yet in `visited` is walked once. One
    that cannot be listed becomes a `Found` with a `problem`.
    """
    waiting: list[tuple[Path, Export | None]] = [(absolute(folder), None)]
    while waiting:
        here, export = waiting.pop()
        try:
            status = here.stat()
            with os.scandir(here) as entries:
                names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
        except OSError as error:
            text = printable(str(here))
            problem = f"cannot list the folder {text}: {error.strerror or error}"
            yield Found(text, here, problem=problem)
            continue
        if (status.st_dev, status.st_ino) in visited:
            continue
        visited.add((status.st_dev, status.st_ino))
        export = Export.at(here, names) or export
        folders = [name for name in names if os.path.isdir(here / name)]  # noqa: PTH112 - no raise
        yield from _pictures(here, sorted({*names}.difference(folders)), passed_over, export)
        waiting += [(here / name, export) for name in reversed(folders)]


def _pictures(
    folder: Path, names: list[str], passed_over: PassedOver, export: Export | None
) -> Iterator[Found]:
    siblings = set(names)
    for name in names:
        path = folder / name
        suffix = path.suffix.lower()
        if suffix in IMAGE_SUFFIXES:
            handle, taken_at = export.post(path) if export else post_of(path, siblings)
            yield found_file(path, handle=handle, taken_at=taken_at)
        elif not is_sidecar(name):
            passed_over[suffix] += 1
