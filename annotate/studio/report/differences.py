"""The picture of what people say where they differ: a table of answers against answers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from annotate.studio.agreement import AttributeAgreement, Difference
from garments.answers import NOT_VISIBLE, Answer
from garments.taxonomy import Attribute

MOST, LISTED = 10, 6
"""Answers in one picture, and differences in the list beside it."""


@dataclass(frozen=True)
class Heat:
    """Answers of one attribute about which people differ most; `rows` counts pairs of answers.

    `rows[i][j]` says how often one said the i-th and another the j-th; `highest` is the most. `top`
    are the most frequent differences, `others` counts the pairs that are not in `rows`.
    """

    attribute: Attribute
    answers: tuple[Answer, ...]
    rows: tuple[tuple[int, ...], ...]
    highest: int
    top: tuple[Difference, ...]
    others: int

    def told(self, answer: Answer) -> str:
        """An answer as people read it."""
        return told(self.attribute, answer)


def heats(agreements: Iterable[AttributeAgreement], attributes: Sequence[Attribute]) -> list[Heat]:
    """One picture an attribute about which anybody differs, blind and pre-filled together."""
    by_name: dict[str, list[Difference]] = {}
    for one in agreements:
        by_name.setdefault(one.attribute, []).extend(one.differences)
    return [
        _heat(attribute, _merged(found))
        for attribute in attributes
        if (found := by_name.get(attribute.id))
    ]


def told(attribute: Attribute, answer: Answer) -> str:
    """Titles of an answer's values."""
    if answer == {NOT_VISIBLE}:
        return "not visible"
    titles = {value.id: value.title for value in attribute.values}
    return ", ".join(titles.get(value, value) for value in sorted(answer)) or "nothing"


def _heat(attribute: Attribute, differences: Sequence[Difference]) -> Heat:
    often: Counter[Answer] = Counter()
    counts: dict[frozenset[Answer], int] = {}
    for one in differences:
        for answer in one.answers:
            often[answer] += one.count
        counts[frozenset(one.answers)] = one.count
    order = {value.id: place for place, value in enumerate(attribute.values)}
    chosen = [answer for answer, _ in often.most_common(MOST)]
    chosen.sort(key=lambda answer: sorted(order.get(value, len(order)) for value in answer))
    rows = tuple(
        tuple(0 if a == b else counts.get(frozenset((a, b)), 0) for b in chosen) for a in chosen
    )
    inside = sum(map(sum, rows)) // 2
    return Heat(
        attribute,
        tuple(chosen),
        rows,
        max(map(max, rows)),
        tuple(differences[:LISTED]),
        sum(counts.values()) - inside,
    )


def _merged(differences: Iterable[Difference]) -> list[Difference]:
    """The same difference on blind and on pre-filled garments as one, the most frequent first."""
    found: dict[tuple[Answer, Answer], Difference] = {}
    for one in differences:
        before = found.get(one.answers)
        said = dict(before.said) if before else {}
        for who, (first, second) in one.said.items():
            old = said.get(who, (0, 0))
            said[who] = (old[0] + first, old[1] + second)
        count = one.count + (before.count if before else 0)
        found[one.answers] = Difference(one.answers, count, dict(sorted(said.items())))
    return sorted(found.values(), key=lambda one: -one.count)
