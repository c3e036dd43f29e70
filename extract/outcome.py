"""What became of a source."""

from dataclasses import dataclass
from enum import StrEnum

from garments.records import Garment, Person, Photo, Source


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
