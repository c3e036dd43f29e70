"""How unsure the taggers in force are about each garment of a pool.

What counts is the margin (Scheffer 2001): how far the most probable value is before the next one,
calibrated, among the values that region and parent allow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.select.pool import Pool
from garments.proposals import answers_in_force
from garments.reading import Answers

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Doubts:
    """Doubts about the N garments of a pool, by attribute (N,): 0 is sure, 1 could be anything.

    NaN where nothing is to be asked: the attribute is not of the garment's region, no value is
    possible, or people have answered it. `proposed` counts garments with any proposal.
    """

    by_attribute: Mapping[str, Floats]
    proposed: int

    @property
    def open(self) -> NDArray[np.bool_]:
        """(N,) whether there is anything to be asked."""
        found = [~np.isnan(column) for column in self.by_attribute.values()]
        return np.logical_or.reduce(found) if found else np.zeros(0, bool)

    @property
    def overall(self) -> Floats:
        """(N,) in [0, 1]: the mean over what is to be asked, 0 where nothing is.

        So it is about the share of fields that somebody would have to correct. An attribute that
        the tagger never knows (or always) adds the same to all and does not decide.
        """
        columns = np.array(list(self.by_attribute.values()))
        known = ~np.isnan(columns)
        total = np.where(known, columns, 0).sum(axis=0)
        return np.asarray(total / np.maximum(known.sum(axis=0), 1))


def doubts(pool: Pool) -> Doubts:
    """Doubts about a pool. Where nothing is proposed, doubt is 1."""
    found = {name: _asked(pool, name) for name in pool.attributes}
    spoken = np.zeros(len(pool), bool)
    row_of: NDArray[np.int64] | None = None
    for block in answers_in_force(pool.dataset, pool.said):
        if block.attribute not in found:
            continue
        row_of = _rows_of(pool, block.garments) if row_of is None else row_of
        rows, column = row_of[block.places], found[block.attribute]
        mine = rows >= 0
        rows = rows[mine]
        spoken[rows] = True
        column[rows] = np.where(np.isnan(column[rows]), np.nan, doubt(block.answers)[mine])
    return Doubts(found, int(spoken.sum()))


def doubt(answers: Answers) -> Floats:
    """(N,) in [0, 1] how unsure answers about one attribute are; NaN where no value is possible.

    One value holds: 1 - the distance of the two most probable ones. Several may hold: how near to
    one half the probability of the most doubtful value is. Under an unsure parent (a category, for
    its sub-category) both are unsure. Where the tagger abstains, the form is empty: that is at
    least a half. What is no number counts as wholly unsure.
    """
    found = answers.probabilities
    if answers.attribute.multiple:
        unsure = (1 - np.abs(2 * found - 1)).max(axis=1)
    else:
        padded = np.pad(found, ((0, 0), (0, 1)))
        second, first = np.partition(padded, -2, axis=1)[:, -2:].T
        unsure = 1 - (first - second)
    unsure = np.where(answers.abstained, 0.5 + unsure / 2, unsure)
    unsure = np.clip(np.nan_to_num(unsure, nan=1.0), 0.0, 1.0)
    return np.where(answers.chosen.any(axis=1) | np.isnan(found).any(axis=1), unsure, np.nan)


def _rows_of(pool: Pool, garments: list[str]) -> NDArray[np.int64]:
    """The row of each garment in the pool, -1 where it is not in it."""
    rows = (pool.row_of.get(garment, -1) for garment in garments)
    return np.fromiter(rows, np.int64, len(garments))


def _asked(pool: Pool, attribute: str) -> Floats:
    """1 where the attribute is to be asked, else NaN."""
    taxonomy = pool.dataset.taxonomy
    asked = {n: 1.0 if attribute in taxonomy.asked(n) else np.nan for n in set(pool.regions)}
    found = np.fromiter(map(asked.__getitem__, pool.regions), np.float64, len(pool))
    answered = (garment for garment, name in pool.said if name == attribute)
    found[[pool.row_of[garment] for garment in answered if garment in pool.row_of]] = np.nan
    return found
