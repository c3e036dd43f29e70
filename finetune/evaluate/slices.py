"""The same figures for parts of a test split: by region, and by whose photos they are."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finetune.evaluate.held_out import HeldOut

FEWEST = 20
"""Labels of one attribute from which a slice has figures of its own."""

MOST = 12
"""Slices of one kind, the largest."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A part of the n labelled garments of one attribute, by their places among these."""

    kind: str
    name: str
    places: NDArray[np.int64]


def slices(held_out: HeldOut, rows: NDArray[np.int64], fewest: int = FEWEST) -> list[Slice]:
    """Regions, then handles (else groups) with enough of the garments in `rows`, largest first.

    A slice that is everything says nothing new and is left out.
    """
    found = []
    for kind, of in (("region", held_out.regions), ("handle", held_out.handles)):
        names = [of[row] for row in rows.tolist()]
        for name, count in Counter(names).most_common(MOST):
            if fewest <= count < len(names) and name:
                found.append(Slice(kind, name, np.flatnonzero([n == name for n in names])))
    return found
