"""Answers to a question of the taxonomy: as stored, compared and voted on."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from garments.errors import BadInput

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
