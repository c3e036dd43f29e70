"""How far annotators agree: Krippendorff's alpha and plain agreement, with their intervals."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from garments.answers import Answer, answer_of
from garments.metrics import wilson_interval
from garments.said import LabelKind

Floats = NDArray[np.float64]

_ROUNDS = 200
"""Of the bootstrap over garments."""


@dataclass(frozen=True)
class Agreement:
    """Answers of at least two annotators about the same garments.

    `alike` is the share of pairs that gave the same answer. `alpha` is Krippendorff's: 1 for
    perfect agreement, 0 for what chance would bring, NaN where all answers are one; answers with
    several values are as far apart as Jaccard says. Intervals are of 95 %, over garments.
    """

    garments: int
    alike: float
    alike_interval: tuple[float, float]
    alpha: float
    alpha_interval: tuple[float, float]


def annotators_answers(
    labels: Iterable[Mapping[str, Any]], garments: Collection[str], simulated: bool
) -> dict[str, dict[str, dict[str, Answer]]]:
    """What each annotator says now: attribute -> garment -> annotator -> answer.

    `labels` are rows of that table; only those about `garments` count.
    """
    kinds = {LabelKind.ANNOTATOR} | ({LabelKind.SIMULATED} if simulated else set())
    rows = sorted((row for row in labels if row["kind"] in kinds), key=lambda row: int(row["seq"]))
    withdrawn = {row["withdraws"] for row in rows if row["withdraws"]}
    latest = {
        (row["attribute"], row["garment_id"], row["annotator"] or ""): row
        for row in rows
        if not row["withdraws"] and row["garment_id"] in garments
    }
    found: dict[str, dict[str, dict[str, Answer]]] = defaultdict(lambda: defaultdict(dict))
    for (attribute, garment, annotator), row in latest.items():
        if row["label_id"] not in withdrawn:
            found[attribute][garment][annotator] = answer_of(row["value"])
    return found


def agreement(answers: Iterable[Sequence[Answer]]) -> Agreement | None:
    """How far the answers about each garment agree; None where nobody answered with another."""
    units = [list(unit) for unit in answers if len(unit) > 1]
    if not units:
        return None
    size, counts, distances = len(units), *_table(units)
    people = counts.sum(1)
    equal = float((counts * (counts - 1)).sum() / (people * (people - 1)).sum())
    # a garment's pairs weigh 1 / (its answers - 1), so that each answer counts once
    apart = ((counts @ distances) * counts).sum(1) / (people - 1)
    source = np.random.default_rng(0)
    drawn = (np.bincount(source.integers(0, size, size), minlength=size) for _ in range(_ROUNDS))
    return Agreement(
        size,
        equal,
        wilson_interval(round(equal * size), size),
        _alpha(apart, counts, distances, np.ones(size)),
        _interval([_alpha(apart, counts, distances, weights) for weights in drawn]),
    )


def _table(units: Sequence[Sequence[Answer]]) -> tuple[Floats, Floats]:
    """How often each answer (column) was given about each garment (row); their distances."""
    places = {answer: at for at, answer in enumerate(dict.fromkeys(a for u in units for a in u))}
    counts = np.zeros((len(units), len(places)))
    for row, unit in enumerate(units):
        for answer, count in Counter(unit).items():
            counts[row, places[answer]] = count
    return counts, np.array([[_distance(one, other) for other in places] for one in places])


def _distance(one: Answer, other: Answer) -> float:
    """Of Jaccard, in [0, 1]: the share of their values that only one of them has."""
    return 1 - len(one & other) / len(one | other) if one | other else 0.0


def _alpha(apart: Floats, counts: Floats, distances: Floats, weights: NDArray[Any]) -> float:
    """Alpha (Krippendorff, 2011), garments counting `weights` times."""
    totals = weights @ counts
    expected = float(totals @ distances @ totals) / (totals.sum() - 1)
    return 1 - float(weights @ apart) / expected if expected else float("nan")


def _interval(values: Sequence[float]) -> tuple[float, float]:
    known = [value for value in values if value == value]
    if not known:
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
