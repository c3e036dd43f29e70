"""What all other labels make of each labelled crop, its own label having had no part in that.

For each attribute a small classifier on the stored embeddings learns from four fifths of the labels
and looks at the last fifth; photos and copies stay together, so that nothing vouches for itself.
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.vectors import CropVectors
from garments.ids import stable_id

ENOUGH_OF_VALUE = 5
"""Answers with a value from which there is something to learn about it."""

_FOLDS = 5
_MOST_LESSONS = 5000
"""Labels that one classifier learns from at most: more hardly make it better, but slow."""

_TRUST = 0.01
"""Inverse strength of regularisation at so many labels; fewer labels are believed more."""

Answers = Mapping[str, tuple[str, ...]]
"""Values by garment."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lessons:
    """N labels: embeddings (N, D), values by place in `names`, and each one's fold of five."""

    names: tuple[str, ...]
    ids: list[str]
    vectors: NDArray[np.float32]
    given: list[tuple[int, ...]]
    folds: NDArray[np.int64]


def lessons(answers: Answers, vectors: CropVectors, groups: Mapping[str, str]) -> Lessons:
    """The answers that can be learnt from; those with a rare value cannot be judged."""
    places = [at for at, name in enumerate(vectors.garment_ids) if name in answers]
    often = Counter(value for at in places for value in answers[vectors.garment_ids[at]])
    names = tuple(sorted(value for value, count in often.items() if count >= ENOUGH_OF_VALUE))
    index = {name: place for place, name in enumerate(names)}
    places = [at for at in places if all(v in index for v in answers[vectors.garment_ids[at]])]
    ids = [vectors.garment_ids[at] for at in places]
    return Lessons(
        names,
        ids,
        vectors.vectors[places],
        [tuple(index[value] for value in answers[name]) for name in ids],
        np.array([int(stable_id("fold", groups.get(n, n)), 16) % _FOLDS for n in ids], np.int64),
    )


def believed(taught: Lessons) -> Floats:
    """(N, K) probabilities of each value by those who did not see the label; NaN if unknown."""
    found = np.full((len(taught.ids), len(taught.names)), np.nan)
    for fold in range(_FOLDS):
        asked = np.flatnonzero(taught.folds == fold)
        others = _thinned(np.flatnonzero(taught.folds != fold))
        rows = [row for row in others for _ in taught.given[row]]
        values = [value for row in others for value in taught.given[row]]
        known = np.unique(values)
        if len(asked) and len(known) > 1:
            found[np.ix_(asked, known)] = _probabilities(
                taught.vectors[rows], values, taught.vectors[asked]
            )
    return found


def _thinned(rows: NDArray[np.int64]) -> list[int]:
    """At most `_MOST_LESSONS` of `rows`, evenly."""
    if len(rows) <= _MOST_LESSONS:
        return [int(row) for row in rows]
    return [int(row) for row in rows[np.linspace(0, len(rows) - 1, _MOST_LESSONS).astype(int)]]


def _probabilities(
    vectors: NDArray[np.float32], values: Sequence[int], asked: NDArray[np.float32]
) -> Floats:
    """What a classifier that was taught `values` (N) by `vectors` (N, D) thinks of `asked`."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # Strong regularisation, stopped early: it must not believe the wrong labels it learns from.
    strength = _TRUST * (_MOST_LESSONS / len(vectors)) ** 0.5
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=40))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(vectors, values)
    return np.asarray(model.predict_proba(asked), np.float64)
