"""A source becomes a photo in memory, or a record of why not."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from extract.base import Pixels
from extract.sources import Found, load
from garments.errors import BadImage, BadSource
from garments.ids import content_id, stable_id
from garments.idset import IdSet
from garments.images import decode, phash
from garments.records import Garment, Person, Photo, PhotoState, Source
from garments.withdrawals import Refused


class Fate(StrEnum):
    """What became of a source. Of what was taken down nothing is recorded."""

    EXTRACTED = "extracted"
    UNREADABLE = "unreadable"
    DONE = "done"
    DUPLICATE = "duplicate"
    TAKEN_DOWN = "taken down"


@dataclass(frozen=True)
class Outcome:
    """All that is recorded of one source; people and garments only where it was extracted."""

    fate: Fate
    source: Source
    photo: Photo | None = None
    people: tuple[Person, ...] = ()
    garments: tuple[Garment, ...] = ()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A photo ready for the models. `scale` is the size of `pixels` divided by the photo's."""

    source: Source
    photo: Photo
    pixels: Pixels
    scale: float


class Claims:
    """Which photos are settled: finished in an earlier run, somebody's in this one, or refused."""

    def __init__(
        self, done: IdSet, fetched: Mapping[str, str], refused: Refused | None = None
    ) -> None:
        """`done` are photo ids; `fetched` tells the photo id behind a URL fetched before.

        `refused` knows what was taken down and must not come back.
        """
        self._done, self._fetched = done, fetched
        self._refused = refused or Refused()
        self._mine = IdSet()
        self._lock = threading.Lock()

    def known_photo(self, found: Found) -> str | None:
        """The finished photo behind a URL that was fetched before, so that it is not again."""
        if found.url is None:
            return None
        photo_id = self._fetched.get(found.origin)
        return photo_id if photo_id and photo_id in self._done else None

    def refuses(self, handle: str) -> bool:
        """Whether the photos of a handle were taken down, so that none is even read."""
        return self._refused.handle(handle)

    def claim(self, photo_id: str) -> Fate | None:
        """None where the caller is to extract the photo, else what became of it already."""
        if self._refused.photo(photo_id):
            return Fate.TAKEN_DOWN
        with self._lock:
            if photo_id in self._done:
                return Fate.DONE
            if photo_id in self._mine:
                return Fate.DUPLICATE
            self._mine.add(photo_id)
            return None


def prepare(found: Found, claims: Claims, longest: int) -> Prepared | Outcome:
    """Read, identify and decode one source; safe to call from several threads.

    Photos whose longer side has more than `longest` pixels are reduced to it.
    """
    if claims.refuses(found.handle):
        return Outcome(Fate.TAKEN_DOWN, source_record(found, None))
    if known := claims.known_photo(found):
        return Outcome(Fate.DONE, source_record(found, known))
    try:
        data = load(found)
    except BadSource as error:
        return Outcome(Fate.UNREADABLE, source_record(found, None, str(error)))
    photo_id = content_id(data)
    if (fate := claims.claim(photo_id)) is not None:
        return Outcome(fate, source_record(found, photo_id))
    try:
        picture = decode(data, longest=longest)
    except BadImage as error:
        photo = Photo(photo_id, 0, 0, PhotoState.UNREADABLE, str(error))
        return Outcome(Fate.UNREADABLE, source_record(found, photo_id, str(error)), photo)
    photo = Photo(photo_id, picture.width, picture.height, phash=phash(picture.pixels))
    return Prepared(source_record(found, photo_id), photo, picture.pixels, picture.scale)


def source_record(found: Found, photo_id: str | None, problem: str = "") -> Source:
    """The record of where a photo came from; `problem` says why it could not be read.

    What could not be read and later can gets a record of its own: the newest one holds.
    """
    kind = "unreadable" if problem else "source"
    return Source(
        source_id=stable_id(kind, found.origin, photo_id or ""),
        origin=found.origin,
        photo_id=photo_id,
        handle=found.handle or "",
        licence=found.licence or "",
        consent=found.consent or "",
        taken_at=found.taken_at or "",
        split=found.split or "",
        state=PhotoState.UNREADABLE if problem else PhotoState.OK,
        reason=problem,
    )
