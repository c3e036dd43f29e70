"""What a round of the loop is asked to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from garments.errors import BadSetting
from garments.rounds import checked_name

Mode = Literal["probe", "lora", "full"]

MODES: tuple[Mode, ...] = ("probe", "lora", "full")


@dataclass(frozen=True)
class LoopOptions:
    """What one round does; all of it is kept with the round, and holds when it is resumed.

    `budget` is how many garments people are asked about, `leave` how many are kept for later,
    however large the budget, `audit` the share of blind ones among all that were ever sent, in
    [0, 1]. `select` names a strategy of `curate.select`, by which `attributes` count, all where
    there are none.
    `release` is the name of the release that is made, the round's own where None. `val` is the
    share of val in train and val. `backbone`, `mode`, `epochs` and `minutes` go to the training.
    """

    budget: int = 300
    leave: int = 0
    audit: float = 0.05
    select: str = "new"
    attributes: tuple[str, ...] = ()
    release: str | None = None
    val: float = 0.1
    mode: Mode = "probe"
    backbone: str = "starter"
    epochs: int | None = None
    minutes: float | None = None
    seed: int = 0
    device: str = "auto"
    fiftyone: bool = True

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise BadSetting(f"expected a budget of at least 1 garment, but got {self.budget}")
        if not 0 <= self.audit <= 1:
            raise BadSetting(f"expected an audit share from 0 to 1, but got {self.audit:g}")
        if self.mode not in MODES:
            raise BadSetting(f"expected a mode of {', '.join(MODES)}, but got {self.mode!r}")
        if self.release is not None:
            checked_name(self.release)

    def as_details(self) -> dict[str, Any]:
        """As it is kept with the round."""
        return asdict(self)

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> "LoopOptions":
        """As it was kept; what a newer version wrote beside it is left out."""
        known = {one.name for one in fields(cls)}
        given = {name: value for name, value in details.items() if name in known}
        return cls(**given | {"attributes": tuple(given.get("attributes") or ())})
