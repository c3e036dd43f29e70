"""The strategies by which a batch is chosen, each one function, all of them in `STRATEGIES`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.select.batch import uncrowded
from curate.select.doubt import Doubts, doubts
from curate.select.picked import Picked
from curate.select.pool import Pool
from curate.select.relabel import errors
from curate.select.spread import farthest_first, representatives
from curate.select.vectors import Surroundings, surroundings
from garments.errors import BadSetting

CANDIDATES = 20
"""Garments a place in the batch, among which diversity decides, at most."""

SHARE = 0.2
"""Of the pool that is unsure enough for that, at most: in a small pool all would be."""

CROWD = 10
"""Garments a place in the batch that are looked at so that none crowds another."""

MOST = 50_000
"""Garments among which the most diverse are sought: a random part of larger pools."""

Order = Callable[[Pool, int], Picked]
"""Given a pool and a budget."""


@dataclass(frozen=True)
class Strategy:
    """One way to choose. `about` says what in a line; `again`: among garments that have labels."""

    name: str
    about: str
    choose: Order
    again: bool = False


def new(pool: Pool, budget: int) -> Picked:
    """Garments on photos that are new to annotators first, then the others, each at random."""
    order = sorted(pool.shuffled(), key=lambda name: pool.photo_of[name] in pool.seen_photos)
    return Picked(order[:budget])


def random(pool: Pool, budget: int) -> Picked:
    """All at random."""
    return Picked(pool.shuffled()[:budget])


def uncertain(pool: Pool, budget: int) -> Picked:
    """What the taggers in force are least sure of."""
    found = _Ranked(pool)
    rows = found.order[: budget * CROWD]
    return found.picked(rows, range(len(rows)), budget, surroundings(pool, rows))


def diverse(pool: Pool, budget: int) -> Picked:
    """What is least like anything that was labelled, and like each other."""
    found = _Ranked(pool)
    rows = found.mixed[:MOST]
    around = surroundings(pool, rows)
    if not around.some:
        return found.picked(rows, range(len(rows)), budget, around)
    seen = np.flatnonzero(around.has)
    order = farthest_first(around.vectors[seen], budget * 2, around.known)
    return found.picked(rows, seen[order].tolist(), budget, around)


def uncertain_diverse(pool: Pool, budget: int) -> Picked:
    """Of what the taggers are unsure of, garments that stand for the others."""
    found = _Ranked(pool)
    count = int(np.clip(len(found.order) * SHARE, 2 * budget, CANDIDATES * budget))
    rows = found.order[:count]
    around = surroundings(pool, rows)
    seen = np.flatnonzero(around.has)
    weights = found.overall[rows[seen]]
    order = representatives(around.vectors[seen], weights, budget, pool.number)
    return found.picked(rows, seen[order].tolist(), budget, around)


STRATEGIES: dict[str, Strategy] = {
    one.name: one
    for one in (
        Strategy("new", "photos that nobody saw come first", new),
        Strategy("random", "drawn by lot", random),
        Strategy("uncertain", "what the taggers in force are least sure of", uncertain),
        Strategy("diverse", "what is least like anything labelled", diverse),
        Strategy("uncertain-diverse", "unsure, and unlike each other", uncertain_diverse),
        Strategy("errors", "labels to be looked at again", errors, again=True),
    )
}
"""By the name under which `--select` and `--strategy` know them; further ones are added here."""

FOR_NEW = tuple(name for name, one in STRATEGIES.items() if not one.again)
"""Those that choose garments that were never sent."""


def strategy(name: str, option: str = "--select") -> Strategy:
    """The strategy of that name, or `BadSetting` naming those that are there."""
    if name not in STRATEGIES:
        raise BadSetting(
            f"expected a strategy of {', '.join(STRATEGIES)}, but got {name!r}; give another "
            f"{option}"
        )
    return STRATEGIES[name]


class _Ranked:
    """A pool with doubts: `order` are rows of the open garments, the most doubtful first.

    What is equally doubtful is drawn by the pool's seed; `mixed` are the same rows at random.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool, self.doubts = pool, doubts(pool)
        self.overall = self.doubts.overall
        drawn = np.random.default_rng(pool.number).permutation(len(pool))
        self.mixed: NDArray[np.int64] = drawn[self.doubts.open[drawn]]
        self.order = self.mixed[np.argsort(-self.overall[self.mixed], kind="stable")]

    def picked(
        self, rows: NDArray[np.int64], first: Iterable[int], budget: int, around: Surroundings
    ) -> Picked:
        """The batch: `first` are places in `rows`, then all others of the pool by their doubt."""
        places = list(dict.fromkeys([*first, *range(len(rows))]))
        photos = [self.pool.photos[row] for row in rows.tolist()]
        taken = uncrowded(places, budget, photos, around.vectors, around.near, around.known)
        chosen = rows[taken].tolist()
        if len(chosen) < budget:
            there = set(chosen)
            chosen += [row for row in self.order.tolist() if row not in there]
        chosen = chosen[:budget]
        return Picked(
            [self.pool.ids[row] for row in chosen],
            [float(self.overall[row]) for row in chosen],
            _notes(self.doubts, len(self.order), around),
        )


def _notes(found: Doubts, count: int, around: Surroundings) -> tuple[str, ...]:
    """What makes the choice worse than it might be."""
    notes = []
    if count and not found.proposed:
        notes.append("nothing is proposed for these garments, so all are equally unsure: prelabel")
    if count and not around.some:
        notes.append("no embeddings are kept, so nothing is known of who is like whom: prelabel")
    return tuple(notes)
