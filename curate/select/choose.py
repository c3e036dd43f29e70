"""Selecting the next batch of a data set."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.select.picked import Picked
from curate.select.pool import pool_of
from curate.select.strategies import strategy
from curate.select.worth import Worth, worth
from garments.errors import BadSetting

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class SelectOptions:
    """What is selected: `budget` garments by a `strategy` of `curate.select.strategies`.

    `attributes` are those that count, all where there are none. `audit` is the share of groups that
    are annotated blind, in [0, 1], as in a push: they are never selected. `seed` decides what is
    drawn; anything may be part of it, such as the name of a round.
    """

    strategy: str = "uncertain-diverse"
    budget: int = 300
    attributes: tuple[str, ...] = ()
    audit: float = 0.05
    seed: str = "0"

    def __post_init__(self) -> None:
        strategy(self.strategy, "--strategy")
        if self.budget < 1:
            raise BadSetting(f"expected a budget of at least 1 garment, but got {self.budget}")
        if not 0 <= self.audit <= 1:
            raise BadSetting(f"expected an audit share from 0 to 1, but got {self.audit:g}")

    @property
    def about(self) -> str:
        """What chose, in words."""
        counted = f", by {', '.join(self.attributes)}" if self.attributes else ""
        return f"{self.strategy}, budget {self.budget}, seed {self.seed}{counted}"


@dataclass(frozen=True)
class Selection:
    """What was chosen of a pool of `pool` garments; for `errors`, of those with labels.

    `worth` says for `errors` whether second looks or new labels are worth more.
    """

    options: SelectOptions
    picked: Picked
    pool: int
    worth: tuple[Worth, ...] = ()


def select(dataset: "Dataset", options: SelectOptions) -> Selection:
    """Choose; nothing is written. `BadTaxonomy` for an attribute that is none.

    A budget larger than the pool takes all of it.
    """
    pool = pool_of(dataset, options.audit, options.seed, options.attributes)
    chosen = strategy(options.strategy)
    picked = chosen.choose(pool, options.budget)
    if not chosen.again:
        return Selection(options, picked, len(pool))
    return Selection(options, picked, len(pool.labelled), tuple(worth(pool, options.budget)))
