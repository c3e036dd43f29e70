"""Which garments a round asks people about, by the strategies of `curate.select`.

The blind ones are none of its business: the audit slice has its own order, before any selection.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from curate.select.pool import pool_of
from curate.select.strategies import FOR_NEW, STRATEGIES, Strategy
from garmentloop.loop.options import LoopOptions
from garments.errors import BadSetting
from garments.whole import write_whole

if TYPE_CHECKING:
    from garments.dataset import Dataset


def strategy(name: str) -> Strategy:
    """The strategy of that name, or `BadSetting` naming those that choose what was never sent."""
    if name not in FOR_NEW:
        raise BadSetting(
            f"expected a strategy of {', '.join(FOR_NEW)}, but got {name!r}; give another --select"
        )
    return STRATEGIES[name]


def select(dataset: "Dataset", options: LoopOptions, round_: str) -> list[str]:
    """The garments of a round, in order: as many as there is budget for, but for those to leave."""
    seed = f"{options.seed}/{round_}"
    pool = pool_of(dataset, options.audit, seed, tuple(options.attributes))
    count = max(0, min(options.budget, len(pool) - options.leave))
    return list(strategy(options.select).choose(pool, count).garments) if count else []


def selection_path(dataset: "Dataset", round_: str) -> Path:
    """The file of garment ids, one a line, that a round was given."""
    return dataset.run / "rounds" / f"{round_}.txt"


def write_selection(dataset: "Dataset", round_: str, garments: Sequence[str]) -> Path:
    """Keep a selection; `annotate push --select FILE` takes it too."""
    path = selection_path(dataset, round_)
    write_whole(path, "".join(f"{name}\n" for name in garments))
    return path
