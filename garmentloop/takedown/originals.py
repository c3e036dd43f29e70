"""Photos as they came, where they lie in the data set's folder: with copies, links and sidecars.

Those that lie elsewhere are their owner's, and stay.
"""

import glob
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from extract.found import IMAGE_SUFFIXES
from extract.instagram import is_sidecar
from garmentloop.takedown.walk import APART, links, walk
from garments.catalog.belongings import Belongings
from garments.ids import ID_LENGTH

if TYPE_CHECKING:
    from garments.dataset import Dataset


_SHOWN = 3
"""Originals that are named."""


def originals_elsewhere(dataset: "Dataset", what: Belongings) -> list[Path]:
    """Files outside of the data set's folder that the photos were read from, and that are there."""
    found = [path for name in sorted(what.origins) if (path := Path(name)).is_file()]
    ends = [path.resolve() if is_below(path, dataset.folder) else path for path in found]
    return [path for path in ends if not is_below(path, dataset.folder)]


def some_of(paths: Sequence[Path]) -> str:
    """How many originals, and the first of them by name."""
    shown = ", ".join(str(path) for path in paths[:_SHOWN])
    more = ", ..." if len(paths) > _SHOWN else ""
    return f"{len(paths):,} original{'' if len(paths) == 1 else 's'} ({shown}{more})"


def drop_originals(folder: Path, what: Belongings) -> None:
    """Delete every file below a data set's `folder` that is one of the photos, or leads to one."""
    for path in [*_named(folder, what), *_copies(folder, what), *_leading(folder, what)]:
        for beside in path.parent.glob(f"{glob.escape(path.stem)}.*"):
            if is_sidecar(beside.name):  # what a downloaded profile says of a photo
                beside.unlink()
        path.unlink(missing_ok=True)


def _named(folder: Path, what: Belongings) -> Iterator[Path]:
    """Where the catalogue says that they came from."""
    for origin in sorted(what.origins):
        path = Path(origin)
        if path.is_file() and is_below(path, folder):
            yield path


def _copies(folder: Path, what: Belongings) -> Iterator[Path]:
    """Files of any name with the same content."""
    for path in walk(folder, APART):
        if path.suffix.lower() in IMAGE_SUFFIXES and _content_id(path) in what.photos:
            yield path


def _leading(folder: Path, what: Belongings) -> Iterator[Path]:
    """Links to them, or of their name."""
    for path in links(folder, APART):
        if what.terms.within(path.name) or str(path.resolve()) in what.origins:
            yield path


def is_below(path: Path, folder: Path) -> bool:
    """Whether a file, or a link to one elsewhere, lies in a folder."""
    return (path.parent.resolve() / path.name).is_relative_to(folder.resolve())


def _content_id(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:ID_LENGTH]
