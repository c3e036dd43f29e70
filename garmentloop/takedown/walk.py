"""Going through the files of a data set."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

APART = ("catalog", "crops", "previews", "releases", "takedowns", "run/labelstudio", "run/fiftyone")
"""Folders that have their own step."""


def walk(folder: Path, apart: Collection[str] = ()) -> Iterator[Path]:
    """All files below a folder but those in some of its folders; links are left out."""
    for place, _, names in _places(folder, apart):
        yield from (place / name for name in sorted(names) if not (place / name).is_symlink())


def links(folder: Path, apart: Collection[str] = ()) -> Iterator[Path]:
    """All symbolic links there, to files and to folders."""
    for place, folders, names in _places(folder, apart):
        every = (place / name for name in sorted((*folders, *names)))
        yield from (path for path in every if path.is_symlink())


def _places(folder: Path, apart: Collection[str]) -> Iterator[tuple[Path, list[str], list[str]]]:
    left_out = {folder / name for name in apart}
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if here / name not in left_out)
        yield here, folders, names
