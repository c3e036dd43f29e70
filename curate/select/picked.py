"""What a strategy chose."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Picked:
    """Garments in order, the first to be asked about first; `notes` are for who reads the batch.

    `scores` has a number in [0, 1] for each where the strategy has one: how unsure the taggers are,
    or how much speaks against the label; `reasons` says it in words.
    """

    garments: Sequence[str]
    scores: Sequence[float] = ()
    notes: tuple[str, ...] = ()
    reasons: Sequence[str] = ()
