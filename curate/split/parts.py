"""The parts of a split, and what is known of a garment when it is given one."""

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """Where a garment goes. `quarantine`: in no part, since another part has something of it."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    QUARANTINE = "quarantine"


STRENGTH = (Part.TEST, Part.VAL, Part.TRAIN)
"""Of parts that meet in one group, the first keeps its garments."""


@dataclass(frozen=True, slots=True)
class Member:
    """One garment and what decides its part.

    `home` is the part that an earlier split gave it, never quarantine. `claim` is the part that
    its origin gives it: test for the audit slice, else what its set says; None leaves it free.
    `values` are what people hold of it, as `attribute=value`. `counts`: whether it is one of those
    that a release can have, so that shares are reckoned by it.
    """

    garment_id: str
    group: str
    home: Part | None = None
    claim: Part | None = None
    values: tuple[str, ...] = ()
    counts: bool = True

    @property
    def stand(self) -> Part | None:
        """The part that it belongs to already, None where that is still open."""
        return self.home or self.claim

    @property
    def spoilt(self) -> bool:
        """Whether it should be test, but models may have learned from it already."""
        return self.claim is Part.TEST and self.home in (Part.TRAIN, Part.VAL)
