"""What was decided about a challenger, attribute by attribute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from garments.errors import BadSetting

MARGIN = 0.02
"""By how much a challenger may lose elsewhere, unless told otherwise: two points."""


class Outcome(StrEnum):
    """What became of a challenger for one attribute."""

    PROMOTED = "promoted"
    REFUSED = "refused"
    IN_FORCE = "in force already"


@dataclass(frozen=True)
class PromoteOptions:
    """`margin` in [0, 1): see `finetune.promotion.judge`. `attributes`: only these."""

    margin: float = MARGIN
    attributes: Sequence[str] | None = None
    dry_run: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.margin < 1:
            raise BadSetting(
                f"expected a margin from 0 to below 1, such as {MARGIN} for two points, but got "
                f"{self.margin}"
            )


@dataclass(frozen=True)
class AttributeVerdict:
    """One attribute: `instead` is the model in force before; `evidence` are figures by name."""

    attribute: str
    outcome: Outcome
    reason: str
    instead: str = ""
    tagger: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """All attributes that were looked at, and how many promotions were written."""

    challenger: str
    release: str
    release_hash: str
    attributes: tuple[AttributeVerdict, ...]
    recorded: int = 0

    @property
    def promoted(self) -> tuple[str, ...]:
        """Attributes for which the challenger takes over."""
        return tuple(v.attribute for v in self.attributes if v.outcome is Outcome.PROMOTED)

    def flat(self) -> dict[str, Any]:
        """Everything as one flat object, `<attribute>_<what>`."""
        found: dict[str, Any] = {
            "challenger": self.challenger,
            "release": self.release,
            "hash": self.release_hash,
            "promoted": ",".join(self.promoted),
        }
        for one in self.attributes:
            parts = {"outcome": str(one.outcome), "reason": one.reason, "instead": one.instead}
            numbers = {k: v for k, v in one.evidence.items() if isinstance(v, (int, float))}
            found |= {f"{one.attribute}_{key}": value for key, value in (parts | numbers).items()}
        return found
