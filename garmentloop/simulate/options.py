"""What a rehearsal is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from garmentloop.loop.options import LoopOptions, Mode
from garments.errors import BadSetting


@dataclass(frozen=True)
class SimulateOptions:
    """`rounds` of `budget` garments each, of which `leave` are always left over. With `photos` only
    so many of the set are used, drawn by `seed`, which also decides what is selected, where the
    annotator errs, and the training.
    """

    rounds: int = 3
    budget: int = 300
    leave: int = 0
    seed: int = 0
    error_rate: float = 0.0
    backbone: str = "starter"
    mode: Mode = "probe"
    select: str = "new"
    photos: int | None = None
    minutes: float | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise BadSetting(f"expected at least 1 round, but got {self.rounds}")
        if self.photos is not None and self.photos < 10:
            raise BadSetting(f"expected at least 10 photos, but got {self.photos}")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "SimulateOptions":
        """From plain values, as a command line gives them; `BadSetting` where they are wrong."""
        return cls(**given)

    def loop(self, attributes: tuple[str, ...] = ()) -> LoopOptions:
        """What each round is asked to do: nothing blind, as that was annotated before them.

        `attributes` are those of which the truth is known: only they count when it is selected.
        """
        return LoopOptions(
            budget=self.budget,
            leave=self.leave,
            audit=0.0,
            select=self.select,
            attributes=attributes,
            mode=self.mode,
            backbone=self.backbone,
            minutes=self.minutes,
            seed=self.seed,
            device=self.device,
            fiftyone=False,
        )
