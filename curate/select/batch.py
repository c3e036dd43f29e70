"""From an order of preference to a batch whose garments do not crowd each other."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

_BLOCK = 2048
"""Vectors that are compared with all known ones at once."""


def uncrowded(
    order: Iterable[int],
    budget: int,
    photos: Sequence[str],
    vectors: Vectors | None = None,
    near: float = 1.0,
    known: Vectors | None = None,
) -> list[int]:
    """The first `budget` places of `order`, one garment a photo and none of two copies.

    `photos` and `vectors` (N, D), of unit length or 0 where there is none, are those of the places.
    Garments with a cosine of at least `near` to one that was taken, or to one of `known` (M, D),
    which people answered before, are copies. What would crowd comes last, when nothing else is
    left, in the order's order.
    """
    order = list(order)
    stale = _copies_of(vectors, known, near) if vectors is not None and known is not None else None
    taken: list[int] = []
    later: list[int] = []
    seen: set[str] = set()
    width = 0 if vectors is None else vectors.shape[1]
    beside = np.zeros((min(budget, len(order)), width), np.float32)
    for place in order:
        if len(taken) == budget:
            return taken
        crowds = photos[place] in seen or (stale is not None and bool(stale[place]))
        if not crowds and vectors is not None and taken:
            crowds = bool((beside[: len(taken)] @ vectors[place] >= near).any())
        if crowds:
            later.append(place)
        else:
            if vectors is not None:
                beside[len(taken)] = vectors[place]
            taken.append(place)
            seen.add(photos[place])
    return [*taken, *later][:budget]


def _copies_of(vectors: Vectors, known: Vectors, near: float) -> NDArray[np.bool_]:
    """(N,) which of `vectors` are copies of a known one."""
    found = np.zeros(len(vectors), bool)
    if len(known):
        for start in range(0, len(vectors), _BLOCK):
            block = slice(start, start + _BLOCK)
            found[block] = ((vectors[block] @ known.T) >= near).any(axis=1)
    return found
