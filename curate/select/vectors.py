"""The embeddings of candidates and of what was labelled before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.duplicates import NEAR_SHARE, usual_distance
from curate.select.pool import Pool
from curate.vectors import crop_vectors

MOST_KNOWN = 20_000
"""Labelled garments that candidates are compared with; of more, a random part."""


EQUAL = 1e-4
"""Distance (1 - cosine) within which vectors are of the same picture, whatever is usual."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """`vectors` (N, D) of candidates, of unit length; 0 where there is none (not `has`, (N,)).

    `known` (M, D) are those of labelled garments. From a cosine of `near` on, two are copies.
    """

    vectors: NDArray[np.float32]
    has: NDArray[np.bool_]
    known: NDArray[np.float32]
    near: float

    @property
    def some(self) -> bool:
        """Whether there is any."""
        return bool(self.has.any())


def surroundings(pool: Pool, rows: NDArray[np.int64]) -> Surroundings:
    """Of the garments in `rows` of a pool; no others' vectors are read."""
    ids = [pool.ids[row] for row in rows.tolist()]
    known = sorted(pool.labelled)
    if len(known) > MOST_KNOWN:
        drawn = np.random.default_rng(pool.number).choice(len(known), MOST_KNOWN, replace=False)
        known = [known[place] for place in sorted(drawn.tolist())]
    kept = crop_vectors(pool.dataset, [*ids, *known])
    place = {garment: row for row, garment in enumerate(kept.garment_ids)}
    width = kept.vectors.shape[1]
    found = np.zeros((len(ids), width), np.float32)
    at = np.array([place.get(garment, -1) for garment in ids], np.int64)
    found[at >= 0] = kept.vectors[at[at >= 0]]
    mine = kept.vectors[[place[garment] for garment in known if garment in place]]
    has = np.any(found != 0, axis=1)
    limit = max(usual_distance(found[has]) * NEAR_SHARE, EQUAL)
    return Surroundings(found, has, mine, 1 - limit)
