"""Whether anything is left of what was taken down."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from curate.release.touched import touched_by
from garmentloop.takedown.intent import Intent
from garmentloop.takedown.plan import gone_of
from garmentloop.takedown.walk import walk
from garments.catalog.purge import left
from garments.packed import within_packed
from garments.scrub import mask
from garments.withdrawals import FOLDER, PENDING

if TYPE_CHECKING:
    from garments.dataset import Dataset

_PICTURES = ("crops/", "previews/")
"""Folders of pictures: what is in them has no name but its own."""

_SEALED = ("catalog/", "releases/")
"""What must not be written over: its hashes would not fit any more."""

_ROWS = (("catalog/", ".lance"), ("releases/", ".parquet"))
"""Files whose rows are looked at, as their bytes are compressed."""


def look(dataset: "Dataset", intent: Intent, note: Callable[[str], None]) -> Iterator[str]:
    """What is left, in words; nothing where nothing is. `note` is told what nobody can look into.

    A name that stands in a text file that nobody expected it in is written over.
    """
    for table, count in left(dataset.catalog, intent.what).items():
        yield f"the table {table} still has {count:,} rows of it"
    found, problems = touched_by(dataset, gone_of(intent.what))
    yield from (f"the release {one.name} still has something of it" for one in found)
    yield from problems
    yield from _names(dataset, intent)
    for path in walk(dataset.folder):
        name = path.relative_to(dataset.folder).as_posix()
        if name.startswith(_PICTURES) or name == f"{FOLDER}/{PENDING}":
            continue
        if not any(name.startswith(at) and name.endswith(end) for at, end in _ROWS):
            yield from _in_file(path, name, intent, note)


def _names(dataset: "Dataset", intent: Intent) -> Iterator[str]:
    """Files, folders and links by their own name."""
    for place, folders, files in os.walk(dataset.folder):
        for own in sorted((*folders, *files)):
            if intent.terms.within(own):
                name = (Path(place) / own).relative_to(dataset.folder).as_posix()
                yield f"{name} still bears its name; delete it"


def _in_file(path: Path, name: str, intent: Intent, note: Callable[[str], None]) -> Iterator[str]:
    try:
        if intent.terms.within_file(path):
            if _is_text(path) and not name.startswith(_SEALED):
                mask(path, intent.terms)
            elif intent.sure.within_file(path):
                yield f"{name} still names it; look at it, and delete it"
    except OSError as error:
        yield f"{name} cannot be read ({error.strerror or error}); look at it, and delete it"
        return
    try:
        if within_packed(path, intent.terms):
            yield f"{name} still names it, packed away; look at it, and delete it"
    except OSError as error:
        note(f"{name} could not be looked into ({error}): see to it that nothing of it is there")


def _is_text(path: Path) -> bool:
    try:
        return "\0" not in path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return False
