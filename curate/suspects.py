"""Labels by people that are probably wrong: what all other labels make of the same picture.

For each attribute a small classifier on the stored embeddings learns from four fifths of the labels
and looks at the last fifth; photos and copies stay together, so that nothing vouches for itself.
What it believes in least is the most suspicious (Northcutt et al. 2021, "Confident learning").
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from curate.duplicates import duplicate_groups
from curate.vectors import CropVectors, crop_vectors
from garments.answers import NOT_VISIBLE, answer_of
from garments.ids import stable_id
from garments.said import people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset

SUSPICIOUS = 0.97
"""Score from which a label is worth a second look."""

ENOUGH_OF_VALUE = 5
"""Answers with a value from which there is something to learn about it."""

ENOUGH_LABELS = 30
"""Labels of an attribute below which none is judged."""

_FOLDS = 5
_MOST_LESSONS = 5000
"""Labels that one classifier learns from at most: more hardly make it better, but slow."""

_TRUST = 0.01
"""Inverse strength of regularisation at so many labels; fewer labels are believed more."""

Answers = Mapping[str, tuple[str, ...]]
"""Values by garment."""


@dataclass(frozen=True)
class Suspect:
    """One label with what speaks against it: `score` in [0, 1] is how little is believed of it.

    `given` are its values, `likely` the most probable value that is not among them.
    """

    garment_id: str
    attribute: str
    given: tuple[str, ...]
    likely: str
    score: float


@dataclass(frozen=True, eq=False)
class _Lessons:
    """N labels: embeddings (N, D), values by place in `names`, and each one's fold of five."""

    names: tuple[str, ...]
    ids: list[str]
    vectors: NDArray[np.float32]
    given: list[tuple[int, ...]]
    folds: NDArray[np.int64]


def suspects(dataset: "Dataset", least: float = SUSPICIOUS) -> list[Suspect]:
    """Labels with a score of at least `least`, the most suspicious first."""
    found = [
        suspect
        for by_garment in scored_labels(dataset).values()
        for suspect in by_garment.values()
        if suspect.score >= least
    ]
    return sorted(found, key=lambda one: (-one.score, one.garment_id, one.attribute))


def scored_labels(
    dataset: "Dataset",
    vectors: CropVectors | None = None,
    copies: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Suspect]]:
    """How suspicious each label by people is: attribute -> garment -> suspect.

    Only of active garments with an embedding, and only where there is enough to learn from.
    `vectors` and `copies` (`duplicate_groups`) may be given where they are known already.
    """
    answers = _answers(dataset)
    if not any(len(some) >= ENOUGH_LABELS for some in answers.values()):
        return {}
    vectors = vectors or crop_vectors(dataset)
    groups = _groups(dataset, duplicate_groups(dataset) if copies is None else copies)
    found = {
        attribute: score_answers(attribute, some, vectors, groups)
        for attribute, some in answers.items()
    }
    return {attribute: judged for attribute, judged in found.items() if judged}


def score_answers(
    attribute: str, answers: Answers, vectors: CropVectors, groups: Mapping[str, str]
) -> dict[str, Suspect]:
    """Each answer to one attribute's question judged by the others; `groups` stay together."""
    lessons = _lessons(answers, vectors, groups)
    if len(lessons.ids) < ENOUGH_LABELS or len(lessons.names) < 2:
        return {}
    believed = _believed(lessons)
    found = {}
    for garment, given, row in zip(lessons.ids, lessons.given, believed, strict=True):
        shares = row[list(given)]
        if np.isnan(shares).any():  # no other label to learn that value from
            continue
        others = np.where(np.isnan(row), -1.0, row)
        others[list(given)] = -1.0
        # One of two values is expected to have half of the probability.
        score = 1 - min(1.0, len(given) * float(shares.min()))
        values = tuple(lessons.names[place] for place in given)
        likely = lessons.names[int(others.argmax())]
        found[garment] = Suspect(garment, attribute, values, likely, score)
    return found


def _answers(dataset: "Dataset") -> dict[str, dict[str, tuple[str, ...]]]:
    """What people said that names values of the taxonomy: attribute -> garment -> values."""
    known = {attribute.id: set(attribute.ids) for attribute in dataset.taxonomy.attributes}
    found: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in known}
    for (garment, name), held in people_say_in(dataset).items():
        answer = answer_of(held.value) if held.value is not None else frozenset()
        if name in known and answer and NOT_VISIBLE not in answer and answer <= known[name]:
            found[name][garment] = tuple(sorted(answer))
    return found


def _groups(dataset: "Dataset", copies: Mapping[str, str]) -> dict[str, str]:
    """What garments must not vouch for each other: those of one photo, and copies."""
    rows = dataset.catalog.active_garments(columns=["garment_id", "photo_id"])
    columns = (rows.column(name).to_pylist() for name in rows.column_names)
    pairs: list[tuple[str, str]] = list(zip(*columns, strict=True))
    by_photo: dict[str, str] = {}
    for garment, photo in pairs:
        if garment in copies:
            by_photo[photo] = copies[garment]
    return {garment: by_photo.get(photo, photo) for garment, photo in pairs}


def _lessons(answers: Answers, vectors: CropVectors, groups: Mapping[str, str]) -> _Lessons:
    """The answers that can be learnt from; those with a rare value cannot be judged."""
    places = [at for at, name in enumerate(vectors.garment_ids) if name in answers]
    often = Counter(value for at in places for value in answers[vectors.garment_ids[at]])
    names = tuple(sorted(value for value, count in often.items() if count >= ENOUGH_OF_VALUE))
    index = {name: place for place, name in enumerate(names)}
    places = [at for at in places if all(v in index for v in answers[vectors.garment_ids[at]])]
    ids = [vectors.garment_ids[at] for at in places]
    return _Lessons(
        names,
        ids,
        vectors.vectors[places],
        [tuple(index[value] for value in answers[name]) for name in ids],
        np.array([int(stable_id("fold", groups.get(n, n)), 16) % _FOLDS for n in ids], np.int64),
    )


def _believed(lessons: _Lessons) -> NDArray[np.float64]:
    """(N, K) probabilities of each value by those who did not see the label; NaN if unknown."""
    believed = np.full((len(lessons.ids), len(lessons.names)), np.nan)
    for fold in range(_FOLDS):
        asked = np.flatnonzero(lessons.folds == fold)
        others = _thinned(np.flatnonzero(lessons.folds != fold))
        rows = [row for row in others for _ in lessons.given[row]]
        values = [value for row in others for value in lessons.given[row]]
        known = np.unique(values)
        if len(asked) and len(known) > 1:
            believed[np.ix_(asked, known)] = _probabilities(
                lessons.vectors[rows], values, lessons.vectors[asked]
            )
    return believed


def _thinned(rows: NDArray[np.int64]) -> list[int]:
    """At most `_MOST_LESSONS` of `rows`, evenly."""
    if len(rows) <= _MOST_LESSONS:
        return [int(row) for row in rows]
    return [int(row) for row in rows[np.linspace(0, len(rows) - 1, _MOST_LESSONS).astype(int)]]


def _probabilities(
    vectors: NDArray[np.float32], values: Sequence[int], asked: NDArray[np.float32]
) -> NDArray[np.float64]:
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
