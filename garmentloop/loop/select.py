"""Which garments people are asked about next: one function a strategy, all of them in `STRATEGIES`.

A strategy orders the garments that may be sent; the round takes as many as it has budget for. The
blind ones are none of its business: the audit slice has its own order, before any selection.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.studio.audit import draw_audit
from annotate.studio.choose import excluded_garments
from garmentloop.loop.options import LoopOptions
from garments.errors import BadSetting
from garments.ids import stable_id
from garments.whole import write_whole

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Pool:
    """What a strategy chooses from: garments that were never sent, nobody turned down and that are
    not of the audit slice, with their photos; and the photos that annotators have seen. `seed` is
    the round's own.
    """

    dataset: "Dataset"
    photo_of: Mapping[str, str]
    seen_photos: frozenset[str]
    seed: str

    def shuffled(self) -> list[str]:
        """All of them in an order that `seed` decides."""
        return sorted(self.photo_of, key=lambda garment: stable_id("loop", self.seed, garment))


Strategy = Callable[[Pool], Sequence[str]]


def new(pool: Pool) -> list[str]:
    """Garments on photos that are new to annotators first, then the others, each at random."""
    return sorted(pool.shuffled(), key=lambda name: pool.photo_of[name] in pool.seen_photos)


def random(pool: Pool) -> list[str]:
    """All at random."""
    return pool.shuffled()


STRATEGIES: dict[str, Strategy] = {"new": new, "random": random}
"""By the name under which `--select` knows them; further ones are added here."""


def strategy(name: str) -> Strategy:
    """The strategy of that name, or `BadSetting` naming those that are there."""
    if name not in STRATEGIES:
        raise BadSetting(
            f"expected a strategy of {', '.join(STRATEGIES)}, but got {name!r}; give another "
            "--select"
        )
    return STRATEGIES[name]


def select(dataset: "Dataset", options: LoopOptions, round_: str) -> list[str]:
    """The garments of a round, in order: as many as there is budget for, but for those to leave."""
    pool = pool_of(dataset, options.audit, f"{options.seed}/{round_}")
    order = list(strategy(options.select)(pool))
    return order[: max(0, min(options.budget, len(order) - options.leave))]


def pool_of(dataset: "Dataset", audit: float, seed: str) -> Pool:
    """What there is to choose from, with an audit slice of that share."""
    rows = dataset.catalog.rows("tasks", ["garment_id", "audit"]).to_pylist()
    sent: dict[str, bool] = {}
    for row in rows:
        sent[row["garment_id"]] = bool(row["audit"]) or sent.get(row["garment_id"], False)
    kept = {*sent, *excluded_garments(dataset), *draw_audit(dataset, audit, sent).garments}
    found = dataset.catalog.active_garments(columns=["garment_id", "photo_id"]).to_pylist()
    photo_of = {row["garment_id"]: row["photo_id"] for row in found}
    seen = frozenset(photo_of[name] for name in sent if name in photo_of)
    return Pool(dataset, {g: p for g, p in photo_of.items() if g not in kept}, seen, seed)


def selection_path(dataset: "Dataset", round_: str) -> Path:
    """The file of garment ids, one a line, that a round was given."""
    return dataset.run / "rounds" / f"{round_}.txt"


def write_selection(dataset: "Dataset", round_: str, garments: Sequence[str]) -> Path:
    """Keep a selection; `annotate push --select FILE` takes it too."""
    path = selection_path(dataset, round_)
    write_whole(path, "".join(f"{name}\n" for name in garments))
    return path
