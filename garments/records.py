"""The rows that travel between the stages, each validated where it is made."""

from dataclasses import dataclass, field
from enum import StrEnum

from garments.boxes import Box
from garments.errors import BadInput
from garments.masks import RunLengthMask
from garments.parts import Region


class PhotoState(StrEnum):
    """Whether a photo could be read."""

    OK = "ok"
    UNREADABLE = "unreadable"


class Verdict(StrEnum):
    """Whether a detected person shows enough of an outfit to be used, and if not, why."""

    ACCEPTED = "accepted"
    TOO_SMALL = "too_small"
    TOO_CLOSE = "too_close"
    HEAD_ONLY = "head_only"
    HALF_BODY = "half_body"
    CUT_OFF = "cut_off"
    NO_HEAD = "no_head"
    NO_LEGS = "no_legs"


class Doubt(StrEnum):
    """Why a garment crop may deserve a second look."""

    TINY = "tiny"
    FRAGMENTED = "fragmented"
    BORDER = "border"
    LOW_CONFIDENCE = "low_confidence"
    OCCLUDED = "occluded"
    SECOND_GUESS = "second_guess"


@dataclass(frozen=True)
class Photo:
    """One picture by content: `photo_id` hashes the file's bytes, sizes are upright pixels."""

    photo_id: str
    width: int
    height: int
    state: PhotoState = PhotoState.OK
    reason: str = ""
    phash: str = ""


@dataclass(frozen=True)
class Source:
    """Where a photo came from. `origin` is an absolute path or a URL; one photo may have many.

    `split` is what the source calls the part that the photo belongs to, "" where it says nothing.
    """

    source_id: str
    origin: str
    photo_id: str | None = None
    handle: str = ""
    licence: str = ""
    consent: str = ""
    taken_at: str = ""
    state: PhotoState = PhotoState.OK
    reason: str = ""
    split: str = ""


@dataclass(frozen=True)
class Person:
    """One detected person in one photo; nobody is recognised. Box: xyxy, photo pixels."""

    person_id: str
    photo_id: str
    box: Box
    score: float
    verdict: Verdict
    reason: str = ""

    def __post_init__(self) -> None:
        self.box.checked()
        if not 0 <= self.score <= 1:
            raise BadInput(f"expected a score in [0, 1], but got {self.score}")


@dataclass(frozen=True)
class Garment:
    """One garment crop. Box and mask are in pixels of the upright photo; `area` is mask pixels.

    `person_id` is None for a product shot. `crop_sha` names the crop file by its content.
    `confidence` is the parser's mean probability of the region under the mask, in [0, 1].
    """

    garment_id: str
    photo_id: str
    person_id: str | None
    region: Region
    box: Box
    mask: RunLengthMask | None
    area: int
    crop_sha: str
    confidence: float = 1.0
    flags: tuple[Doubt, ...] = field(default=())

    def __post_init__(self) -> None:
        self.box.checked()
