"""What somebody means who asks for a takedown: a photo by id, file or address, or a handle."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extract.found import absolute
from garments.catalog import one_of
from garments.catalog.belongings import photos_of_handle
from garments.errors import BadInput, BadSource
from garments.files import printable, read_bytes
from garments.handles import same_handle
from garments.ids import content_id
from garments.withdrawals import HANDLE, PHOTO, Entry, Withdrawals, named

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Asked:
    """What is to be taken down: `kind` (photo or handle), its name as asked for, its photos."""

    kind: str
    name: str
    photos: tuple[str, ...]

    @property
    def handle(self) -> str:
        """The handle as it is compared, empty where a photo was asked for."""
        return same_handle(self.name) if self.kind == HANDLE else ""


def find(dataset: "Dataset", text: str) -> Asked | Entry:
    """What `text` means, or the takedown that took it down before.

    A photo's id, the file or URL that it came from, a copy of that file, or a handle. Raises
    `BadInput` where it is none of these.
    """
    if photos := _photos(dataset, text):
        return Asked(PHOTO, text, tuple(photos))
    if mine := photos_of_handle(dataset.catalog, text):
        return Asked(HANDLE, text, tuple(name for name in mine if name))
    if before := _before(dataset, text):
        return before
    raise BadInput(_unknown(dataset, text))


def _photos(dataset: "Dataset", text: str) -> list[str]:
    """Photos by id, by where they came from, or by a file's content."""
    if known := dataset.catalog.known("photos", [text]):
        return sorted(known)
    origins = one_of("origin", {text, printable(str(absolute(Path(text))))})
    rows = dataset.catalog.rows("sources", ["photo_id"], f"photo_id IS NOT NULL AND {origins}")
    if came := set(rows.column(0).to_pylist()):
        return sorted(came)
    return sorted(dataset.catalog.known("photos", list(_content(text))))


def _content(text: str) -> Iterator[str]:
    """The id of the file of that name, if there is one."""
    try:
        yield content_id(read_bytes(text))
    except BadSource:
        return


def _before(dataset: "Dataset", text: str) -> Entry | None:
    known = Withdrawals(dataset)
    if not (entries := known.entries()):
        return None
    marks = [known.mark(PHOTO, name) for name in (text, *_content(text))]
    marks.append(known.mark(HANDLE, text))
    return next((found for mark in marks if (found := named(entries, mark))), None)


def _unknown(dataset: "Dataset", text: str) -> str:
    rows = dataset.catalog.rows("garments", ["photo_id"], one_of("garment_id", [text]))
    if photos := rows.column(0).to_pylist():
        return (
            f"expected a photo or a handle, but {text} is a garment; give its photo, {photos[0]}, "
            "as other garments may be on it"
        )
    return (
        f"expected a photo of {dataset.folder} (its id, file or URL) or a handle in it, but "
        f"{printable(text)!r} is neither; `garmentloop export photos -d {dataset.folder}` lists "
        "photos, and the contact sheet shows them"
    )
