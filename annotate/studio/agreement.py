"""How far annotators agree about each attribute, and what they say where they differ.

On garments that several answered. Blind ones and pre-filled ones are told apart: who sees the same
pre-fill agrees more easily. What was filled in as people had said it before counts for nobody.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from annotate.studio.again import own_words
from garments.agreement import (
    Agreement,
    Kappa,
    agreement,
    annotators_answers,
    cohen,
    cohens,
    fleiss,
)
from garments.answers import Answer
from garments.said import audit_slice

if TYPE_CHECKING:
    from garments.dataset import Dataset

ByPerson = Mapping[str, Answer]
"""One garment's answers by annotator."""


@dataclass(frozen=True)
class Pair:
    """Two annotators, and Cohen's kappa over what both answered."""

    people: tuple[str, str]
    kappa: Kappa


@dataclass(frozen=True)
class Difference:
    """How often one annotator said the first of `answers` where another said the second.

    `count` are pairs of answers; `said` has for each annotator how often they said either.
    """

    answers: tuple[Answer, Answer]
    count: int
    said: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class AttributeAgreement:
    """What several annotators said about one attribute of the same garments.

    `blind` ones saw no pre-fill. `cohen` is the mean over all pairs. `pairs` are those who share
    most garments first, `differences` the most frequent first.
    """

    attribute: str
    blind: bool
    overall: Agreement
    cohen: Kappa | None
    fleiss: Kappa | None
    pairs: tuple[Pair, ...]
    differences: tuple[Difference, ...]


def agreements(dataset: "Dataset") -> list[AttributeAgreement]:
    """By attribute in the taxonomy's order, pre-filled before blind, where several answered."""
    garments = dataset.catalog.ids("garments")
    labels = own_words(dataset, dataset.catalog.rows("labels").to_pylist())
    answers = annotators_answers(labels, garments, dataset.settings.simulated)
    audit = audit_slice(dataset)
    found = []
    for attribute in dataset.taxonomy.attributes:
        for blind in (False, True):
            said = answers.get(attribute.id, {}).items()
            units = [by for garment, by in said if len(by) > 1 and (garment in audit) == blind]
            if one := _agreement(attribute.id, blind, units):
                found.append(one)
    return found


def _agreement(attribute: str, blind: bool, units: Sequence[ByPerson]) -> AttributeAgreement | None:
    overall = agreement([list(unit.values()) for unit in units])
    if overall is None:
        return None
    return AttributeAgreement(
        attribute,
        blind,
        overall,
        cohens(units),
        fleiss([list(unit.values()) for unit in units]),
        tuple(_pairs(units)),
        tuple(_differences(units)),
    )


def _pairs(units: Iterable[ByPerson]) -> list[Pair]:
    shared: dict[tuple[str, str], list[tuple[Answer, Answer]]] = defaultdict(list)
    for unit in units:
        for one, other in combinations(sorted(unit), 2):
            shared[one, other].append((unit[one], unit[other]))
    found = [Pair(people, kappa) for people, said in shared.items() if (kappa := cohen(said))]
    return sorted(found, key=lambda pair: (-pair.kappa.garments, pair.people))


def _differences(units: Iterable[ByPerson]) -> list[Difference]:
    """Pairs of answers in which two people differ; the answers of each in alphabetical order."""
    counts: Counter[tuple[Answer, Answer]] = Counter()
    said: dict[tuple[Answer, Answer], dict[str, list[int]]] = defaultdict(dict)
    for unit in units:
        for one, other in combinations(sorted(unit), 2):
            if unit[one] == unit[other]:
                continue
            first, second = sorted((unit[one], unit[other]), key=sorted)
            counts[first, second] += 1
            for who in (one, other):
                either = said[first, second].setdefault(who, [0, 0])
                either[unit[who] == second] += 1
    ordered = sorted(counts, key=lambda key: (-counts[key], sorted(key[0]), sorted(key[1])))
    return [
        Difference(key, counts[key], {who: (a, b) for who, (a, b) in sorted(said[key].items())})
        for key in ordered
    ]
