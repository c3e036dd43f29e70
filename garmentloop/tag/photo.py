"""What is asked of a tagging, and what it says about one photo."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from garments.boxes import Box
from garments.images import Pixels
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.reading import Reading
from garments.records import Doubt, Verdict
from garments.settings import Settings


@dataclass(frozen=True)
class TagOptions:
    """What is asked; what is None is taken from the data set's settings, else from the defaults.

    `as_crops`: each photo already shows one garment. `model` answers for every attribute that it
    can, instead of the models in force. `limit` takes the first so many photos. `device` is auto,
    cpu or a torch device; `engine` and `precision` are those of `garments.settings.SpeedSettings`.
    With `pixels` each photo comes with its picture.
    """

    as_crops: bool = False
    detector: str | None = None
    parser: str | None = None
    model: str | None = None
    device: str = "auto"
    limit: int | None = None
    pixels: bool = False
    engine: str | None = None
    precision: str | None = None

    def settings(self, settings: Settings) -> Settings:
        """These settings with what the options say instead; `BadSetting` if wrong."""
        changes = {
            "models.detector": self.detector,
            "models.parser": self.parser,
            "speed.engine": self.engine,
            "speed.precision": self.precision,
        }
        given = {key: value for key, value in changes.items() if value is not None}
        return settings.changed(given) if given else settings


@dataclass(frozen=True, slots=True)
class Tag(Reading):
    """What the model in force says about one attribute of one garment.

    `titles` are the values as people read them, in the same order; `model` is the reference of
    the model that spoke, `tagger` its version.
    """

    titles: tuple[str, ...] = ()
    model: str = ""


@dataclass(frozen=True)
class TaggedPerson:
    """A person, numbered from 1 within the photo. Box: xyxy, pixels of the upright photo."""

    number: int
    box: Box
    score: float
    verdict: Verdict
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the person shows enough to be dressed."""
        return self.verdict is Verdict.ACCEPTED


@dataclass(frozen=True)
class TaggedGarment:
    """A garment of the person with that number, None for a product shot.

    `garment_id` is what an extraction would call it. Box and mask are in pixels of the upright
    photo, `area` in mask pixels; `confidence` is the parser's, in [0, 1]. `tags` are by attribute
    in the taxonomy's order, without attributes that are not asked of such a garment.
    """

    garment_id: str
    person: int | None
    region: Region
    box: Box
    mask: RunLengthMask | None
    area: int
    confidence: float
    flags: tuple[Doubt, ...] = ()
    tags: Mapping[str, Tag] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TaggedPhoto:
    """One photo with its people, accepted ones first, and their garments.

    `origin` is its absolute path or URL; `width` and `height` are upright pixels. Where `problem`
    is not empty the photo could not be read, for that reason, and all else is empty. `pixels` is
    (h, w, 3) uint8 RGB, upright, None unless asked for; large photos come reduced.
    """

    origin: str
    photo_id: str = ""
    width: int = 0
    height: int = 0
    people: tuple[TaggedPerson, ...] = ()
    garments: tuple[TaggedGarment, ...] = ()
    problem: str = ""
    pixels: Pixels | None = None
