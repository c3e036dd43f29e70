"""What the search for photos hands on: where one photo is and what is known about it."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from garments.files import printable

_SUFFIXES = """
    .jpg .jpeg .jpe .jfif .mpo .png .apng .webp .avif .heic .heif .hif .gif .bmp .dib .tif .tiff
    .jp2 .ppm .pgm .pnm
"""
IMAGE_SUFFIXES = frozenset(_SUFFIXES.split())
"""File names taken for photos in a folder (a file that is named itself is always tried)."""

PassedOver = Counter[str]
"""How many files of a folder were no pictures, by suffix in lower case ('' where there is none)."""


@dataclass(frozen=True)
class Found:
    """One photo that was found, not yet read.

    `origin` names it in the catalogue: the absolute path or the URL. `path` is where its bytes are,
    else `url`. Where `problem` is set (a damaged manifest row) there is nothing to read.
    `taken_at` is ISO 8601 where it comes from Instagram, else as the manifest has it; `split` is
    what the manifest calls the part that the photo belongs to.
    """

    origin: str
    path: Path | None = None
    url: str | None = None
    handle: str = ""
    licence: str = ""
    consent: str = ""
    taken_at: str = ""
    split: str = ""
    problem: str = ""


def found_file(path: Path, *, handle: str = "", taken_at: str = "") -> Found:
    """The file `path` as a find."""
    path = absolute(path)
    return Found(printable(str(path)), path, handle=handle, taken_at=taken_at)


def absolute(path: Path) -> Path:
    """`path` from the root, without `..`; links are kept."""
    return Path(os.path.normpath(path.absolute()))
