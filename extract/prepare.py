"""A source becomes a photo in memory, or a record of why not."""

from dataclasses import dataclass, replace

from extract.base import Pixels
from extract.claims import Claims, Settled
from extract.outcome import Fate, Outcome
from extract.sources import Found, load
from garments.errors import BadImage, BadSource
from garments.ids import content_id, stable_id
from garments.images import decode, phash
from garments.records import Photo, PhotoState, Source


@dataclass(frozen=True, eq=False)
class Prepared:
    """A photo ready for the models. `scale` is the size of `pixels` divided by the photo's."""

    source: Source
    photo: Photo
    pixels: Pixels
    scale: float


def admit(found: Found, claims: Claims) -> Found | Outcome:
    """Settle what needs no look at the bytes: handles taken down, URLs that are done."""
    if claims.refuses(found.handle):
        return Outcome(Fate.TAKEN_DOWN, source_record(found, None))
    if known := claims.known_photo(found):
        return Outcome(Fate.DONE, source_record(found, known))
    return found


def prepare(found: Found | Outcome, claims: Settled, longest: int) -> Prepared | Outcome:
    """Read, identify and decode one source; safe to call from several threads.

    Photos whose longer side has more than `longest` pixels are reduced to it.
    """
    if isinstance(found, Outcome):
        return found
    try:
        data = load(found)
    except BadSource as error:
        return Outcome(Fate.UNREADABLE, source_record(found, None, str(error)))
    photo_id = content_id(data)
    if (fate := claims.claim(photo_id, found.origin)) is not None:
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
    return Source(
        source_id=_source_id(found.origin, photo_id, problem),
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


def confirm(outcome: Outcome, claims: Settled) -> Outcome:
    """The outcome of work that was done elsewhere, unless its photo is another's or refused."""
    photo, source = outcome.photo, outcome.source
    if photo is None or (fate := claims.claim(photo.photo_id, source.origin)) is None:
        return outcome
    name = _source_id(source.origin, photo.photo_id)
    return Outcome(fate, replace(source, source_id=name, state=PhotoState.OK, reason=""))


def _source_id(origin: str, photo_id: str | None, problem: str = "") -> str:
    return stable_id("unreadable" if problem else "source", origin, photo_id or "")
