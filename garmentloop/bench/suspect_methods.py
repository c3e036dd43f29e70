"""What scores labels by the same out-of-sample probabilities: ours, cleanlab's, FiftyOne's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from curate.believed import Floats, Lessons, believed
from curate.noise import wrongness
from garments.dataset import Dataset

if TYPE_CHECKING:
    from garmentloop.bench.suspects import Labelled

METHODS = {
    "ours": "curate.noise, what is in force",
    "self_confidence": "cleanlab.rank, the score before",
    "margin": "cleanlab.rank",
    "issues": "cleanlab.filter, then self-confidence",
    "mistakenness": "FiftyOne",
    "multilabel": "cleanlab.multilabel_classification",
    "multilabel_worst": "the same, the worst value",
}
_LEAST = 1e-9


@dataclass(frozen=True, eq=False)
class Mistakenness:
    """FiftyOne's mistakenness, of samples that it keeps in a real database."""

    fo: Any

    @classmethod
    @contextmanager
    def of(cls, dataset: Dataset) -> Iterator["Mistakenness"]:
        """With the database of a data set, started now and stopped at the end."""
        from curate.fiftyone.window import open_window

        with open_window(dataset) as window:
            yield cls(window.fo)

    def __call__(self, given: Sequence[int], shares: Floats) -> Floats:
        """(N,) scores of labels by probabilities (N, K), as `compute_mistakenness` gives them."""
        import fiftyone.brain as brain

        fo = self.fo
        logits = np.log(shares)
        shown = fo.Dataset()
        try:
            shown.add_samples(
                [
                    fo.Sample(
                        filepath=f"{at}.jpg",
                        given=fo.Classification(label=str(label)),
                        believed=fo.Classification(
                            label=str(int(row.argmax())), confidence=float(row.max()), logits=logit
                        ),
                    )
                    for at, (label, row, logit) in enumerate(
                        zip(given, shares, logits, strict=True)
                    )
                ],
                progress=False,
            )
            brain.compute_mistakenness(shown, "believed", "given", use_logits=True, progress=False)
            return np.array(shown.values("mistakenness"), np.float64)
        finally:
            shown.delete()


def scores(found: "Labelled", mistakenness: Mistakenness | None = None) -> dict[str, Floats]:
    """Each method's (N,) scores; the higher, the more suspicious. FiftyOne takes its time."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels = found.given
    shares = _shares(found, [(int(label),) for label in labels])
    confidence = get_label_quality_scores(labels, shares, method="self_confidence")
    issues = find_label_issues(labels, shares, n_jobs=1)
    theirs = {"mistakenness": mistakenness(labels.tolist(), shares)} if mistakenness else {}
    return {
        "ours": wrongness([(int(label),) for label in labels], shares),
        "self_confidence": 1 - confidence,
        "margin": 1 - get_label_quality_scores(labels, shares, method="normalized_margin"),
        "issues": 2.0 * issues - confidence,
        **theirs,
    }


def pair_scores(answers: Sequence[tuple[int, ...]], found: "Labelled") -> dict[str, Floats]:
    """The same where answers have several values."""
    from cleanlab.multilabel_classification import get_label_quality_scores
    from cleanlab.multilabel_classification.rank import get_label_quality_scores_per_class

    shares = _shares(found, answers)
    least = [
        len(values) * row[list(values)].min() for values, row in zip(answers, shares, strict=True)
    ]
    labels, each = [list(values) for values in answers], _each_by_itself(answers, found)
    return {
        "ours": wrongness(answers, shares),
        "self_confidence": 1 - np.minimum(1.0, least),
        "multilabel": 1 - get_label_quality_scores(labels, each),
        "multilabel_worst": 1 - get_label_quality_scores_per_class(labels, each).min(axis=1),
    }


def _shares(found: "Labelled", answers: Sequence[tuple[int, ...]]) -> Floats:
    """(N, K) out-of-sample probabilities, as the project makes them."""
    names = tuple(map(str, range(found.values)))
    ids = list(map(str, range(len(answers))))
    shares = believed(Lessons(names, ids, found.vectors, list(answers), found.folds))
    shares = np.maximum(np.nan_to_num(shares), _LEAST)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _each_by_itself(answers: Sequence[tuple[int, ...]], found: "Labelled") -> Floats:
    """(N, K) out-of-sample probabilities of each value by itself, as cleanlab wants them here."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    hot = np.zeros((len(answers), found.values), np.int64)
    for row, values in enumerate(answers):
        hot[row, list(values)] = 1
    each = np.zeros(hot.shape)
    for fold in np.unique(found.folds):
        asked = found.folds == fold
        model = OneVsRestClassifier(LogisticRegression(C=0.01, max_iter=100))
        model = make_pipeline(StandardScaler(), model).fit(found.vectors[~asked], hot[~asked])
        each[asked] = model.predict_proba(found.vectors[asked])
    return each
