"""Answers to a question of the taxonomy: as stored, compared, voted on and read from logits."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from garments.errors import BadInput, CatalogError

NOT_VISIBLE = "not_visible"
"""Stored instead of a list of values when the attribute cannot be seen."""

Answer = frozenset[str]
"""One answer to compare: its values, or the one element `NOT_VISIBLE`."""


def answer_of(value: str) -> Answer:
    """The answer in a stored value; `BadInput` when it is neither a JSON list nor not_visible."""
    if value == NOT_VISIBLE:
        return frozenset([NOT_VISIBLE])
    try:
        values = json.loads(value)
    except ValueError:
        values = None
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        raise BadInput(f"expected a JSON list of values or {NOT_VISIBLE}, but got {value!r}")
    return frozenset(values)


def value_of(answer: Iterable[str]) -> str:
    """The stored value of an answer, its values in alphabetical order."""
    values = sorted(answer)
    return NOT_VISIBLE if values == [NOT_VISIBLE] else json.dumps(values, ensure_ascii=False)


def consensus(answers: Sequence[Answer]) -> Answer | None:
    """What a strict majority says, value by value; None when there is no such thing.

    Two of three for red holds; one of two does not. For one value per answer this is the plain
    strict majority. That nothing applies (an empty answer) or is visible is voted on as a whole.
    """
    votes = Counter(value for answer in answers for value in answer or {""})
    won = frozenset(value for value, count in votes.items() if 2 * count > len(answers))
    if not won:
        return None
    return won - {""}


def tied(answers: Sequence[Answer]) -> bool:
    """Whether some value was given by exactly half of the annotators."""
    votes = Counter(value for answer in answers for value in answer or {""})
    return any(2 * count == len(answers) for count in votes.values())


def read_logits(
    logits: Sequence[float], activation: str, values: Sequence[str]
) -> tuple[Answer, float]:
    """The answer in raw logits (N,) over N values, and its probability in [0, 1].

    Softmax: the most probable value. Sigmoid: every value from 0.5 on, with the probability of
    the least certain decision.
    """
    scores = np.asarray(logits, np.float64)
    if len(scores) != len(values) or not len(values) or activation not in ("softmax", "sigmoid"):
        raise CatalogError(
            f"expected softmax or sigmoid logits of {len(values)} values, but got {activation!r} "
            f"with {len(scores)}"
        )
    if activation == "softmax":
        best = int(scores.argmax())
        return frozenset([values[best]]), float(1 / np.exp(scores - scores[best]).sum())
    probabilities = 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
    chosen = frozenset(values[i] for i in np.flatnonzero(probabilities >= 0.5))
    return chosen, float(np.maximum(probabilities, 1 - probabilities).min())
