"""Whether a second look at labels is worth more than new labels: ActiveLab.

One classifier on the stored embeddings judges both, labelled garments by what it learnt from the
others. Goh & Mueller (2023, 2301.11856) give each garment a score: how sure its answer would be
after one more person has spoken, where people's agreement, their number and the classifier's own
quality count. The lowest are worth most, and scores of labelled and of new garments compare. How
good people are is told by garments that several answered, such as the audit slice.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.select.doubt import doubts
from curate.select.pool import Pool
from curate.select.voices import ENOUGH, Known, answers_of_people, known_of
from curate.vectors import crop_vectors
from garments.extras import expect_installed
from garments.ids import stable_id

_FOLDS = 5
_EACH = 20
"""New garments a place in the batch that are looked at, the most doubtful ones."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Worth:
    """What the next `budget` answers about one attribute are worth, as second looks or as new ones.

    `new` and `again` are the mean ActiveLab scores of the best `budget` garments of each kind,
    turned so that more is better, in [0, 1]; `mixed` is how many of the best `budget` of both
    together would be second looks. It was learnt from `labels` garments, `shared` are those that
    several people answered: without any, nobody knows how good people are, and the classifier alone
    judges them.
    """

    attribute: str
    new: float
    again: float
    mixed: int
    budget: int
    labels: int
    shared: int

    @property
    def better(self) -> str:
        """What is worth more, in words; empty where it cannot be told."""
        if not self.shared:
            return ""
        return "second look" if self.again > self.new else "new label"

    def __str__(self) -> str:
        if not self.better:
            return (
                f"{self.attribute}: no garment was answered by two people, so how far labels can "
                "be believed is not known; new labels are the safer choice, some of them by two "
                "people (annotate push --overlap 2)"
            )
        return (
            f"{self.attribute}: a {self.better} is worth more ({self.new:.3f} for new labels, "
            f"{self.again:.3f} for second looks); of the best {self.budget:,} of both, "
            f"{self.mixed:,} are second looks"
        )


def worth(pool: Pool, budget: int) -> list[Worth]:
    """What the next `budget` answers are worth, for each attribute that enough labels tell of.

    Attributes of which several values may hold are left out. `ModelError` without cleanlab.
    """
    expect_installed("weighing new labels against second looks", "curate", "cleanlab")
    if not pool.labelled or not len(pool):
        return []
    found = doubts(pool)
    found_worth = []
    people = answers_of_people(pool)
    for name in pool.attributes:
        if pool.dataset.taxonomy.attribute(name).multiple:
            continue
        known = known_of(pool, name, people.get(name, {}))
        unsure = np.nan_to_num(found.by_attribute[name], nan=-1.0)
        rows = np.argsort(-unsure, kind="stable")[: budget * _EACH]
        fresh = [pool.ids[row] for row in rows.tolist() if unsure[row] >= 0]
        if known and fresh and (one := _weigh(pool, name, known, fresh, budget)):
            found_worth.append(one)
    return found_worth


def _weigh(pool: Pool, name: str, known: Known, fresh: list[str], budget: int) -> Worth | None:
    """ActiveLab on one attribute; None where too few have an embedding."""
    from cleanlab.multiannotator import get_active_learning_scores

    kept = crop_vectors(pool.dataset, [*known.ids, *fresh])
    place = {garment: row for row, garment in enumerate(kept.garment_ids)}
    known = known.at([row for row, garment in enumerate(known.ids) if garment in place])
    theirs = [place[garment] for garment in fresh if garment in place]
    if np.count_nonzero(~known.blind) < ENOUGH or not theirs:
        return None
    mine = kept.vectors[[place[garment] for garment in known.ids]]
    told, new = _probabilities(known, mine, kept.vectors[theirs])
    scored, new_scores = get_active_learning_scores(known.said, told, new)
    again, best = 1 - np.sort(scored[~known.blind])[:budget], 1 - np.sort(new_scores)[:budget]
    order = np.argsort(-np.concatenate([again, best]), kind="stable")[:budget]
    mixed, labels = int((order < len(again)).sum()), int((~known.blind).sum())
    means = float(best.mean()), float(again.mean())
    return Worth(name, *means, mixed, len(order), labels, known.shared)


def _probabilities(
    known: Known, vectors: NDArray[np.float32], asked: NDArray[np.float32]
) -> tuple[Floats, Floats]:
    """(N, K) of the known garments by labels of others' photos, and (M, K) of `asked` by all."""
    size, truth = len(known.values), known.said.mode(axis=1)[0].to_numpy(np.int64)
    fold = np.array([int(stable_id("worth", group)[:8], 16) % _FOLDS for group in known.groups])
    told = np.zeros((len(truth), size))
    for turn in range(_FOLDS):
        others, out = (fold != turn) & ~known.blind, fold == turn
        told[out] = _judged(vectors[others], truth[others], vectors[out], size)
    return told, _judged(vectors[~known.blind], truth[~known.blind], asked, size)


def _judged(
    vectors: NDArray[np.float32], truth: NDArray[np.int64], asked: NDArray[np.float32], size: int
) -> Floats:
    """(N, K) what a classifier thinks of `asked`; every value keeps a little."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found = np.full((len(asked), size), 1e-4)
    known = np.unique(truth)
    if len(known) < 2 or not len(asked):
        found[:, known] += 1.0
    else:
        model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=200))
        found[:, known] += model.fit(vectors, truth).predict_proba(asked)
    return np.asarray(found / found.sum(axis=1, keepdims=True))
