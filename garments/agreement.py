"""How far annotators agree: alike answers, Cohen's and Fleiss' kappa, Krippendorff's alpha.

Kappas take each answer as a whole; alpha knows that answers which share values are nearer than
others. Intervals are of 95 %, by drawing garments again with replacement; packages have none, so
there the formulas are ours, and tests compare them with the packages.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from garments.answers import Answer, answer_of
from garments.metrics import wilson_interval
from garments.said import annotators_say

Floats = NDArray[np.float64]

_ROUNDS = 200
"""Of the bootstrap over garments."""

_PACKAGE_NUMBERS = 20_000_000
"""Garments x answers x answers up to which alpha is the package's word: it holds them all at once,
1.8 s and 411 MB for 5,000 garments and 60 answers. Beyond, the formula of the intervals serves."""


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


@dataclass(frozen=True)
class Kappa:
    """Agreement beyond chance of `people` who each answered about the same `garments`.

    `value` is 1 for perfect agreement, 0 for what chance would bring, NaN where all answers are
    one; with its 95 % interval over garments.
    """

    people: int
    garments: int
    value: float
    interval: tuple[float, float]


def annotators_answers(
    labels: Iterable[Mapping[str, Any]], garments: Collection[str], simulated: bool
) -> dict[str, dict[str, dict[str, Answer]]]:
    """What each annotator says now: attribute -> garment -> annotator -> answer.

    `labels` are rows of that table; only those about `garments` count.
    """
    found: dict[str, dict[str, dict[str, Answer]]] = defaultdict(lambda: defaultdict(dict))
    for (garment, attribute), said in annotators_say(labels, simulated).items():
        if said and garment in garments:
            found[attribute][garment] = {who: answer_of(row["value"]) for who, row in said.items()}
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
    return Agreement(
        size,
        equal,
        wilson_interval(round(equal * size), size),
        _packages_alpha(counts, distances)
        if counts.size * len(distances) <= _PACKAGE_NUMBERS
        else _alpha(apart, counts, distances, np.ones(size)),
        _interval([_alpha(apart, counts, distances, weights) for weights in _drawn(size)]),
    )


def cohen(pairs: Sequence[tuple[Answer, Answer]]) -> Kappa | None:
    """Cohen's kappa of two people from their answers about the same garments; None without any."""
    from sklearn.metrics import cohen_kappa_score

    if not pairs:
        return None
    cells, size = _cells(pairs)
    count = len(pairs)
    if size == 1:
        return Kappa(2, count, float("nan"), (float("nan"), float("nan")))
    shares = np.bincount(cells, minlength=size * size) / count
    drawn = np.random.default_rng(0).multinomial(count, shares, _ROUNDS).reshape(-1, size, size)
    value = float(cohen_kappa_score(*divmod(cells, size)))
    return Kappa(2, count, value, _interval(_kappas(drawn / count).tolist()))


def cohens(units: Iterable[Mapping[str, Answer]]) -> Kappa | None:
    """Mean of the Cohen's kappas of all pairs of people, each weighed by what both answered.

    `units` have one garment's answers by annotator; None where nobody answered with another.
    """
    known = [unit for unit in units if len(unit) > 1]
    if not known:
        return None
    shared: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, unit in enumerate(known):
        for pair in combinations(sorted(unit), 2):
            shared[pair].append(row)
    pairs = [
        _Pair(np.array(rows), *_cells([(known[row][one], known[row][other]) for row in rows]))
        for (one, other), rows in shared.items()
    ]
    people = len({who for unit in known for who in unit})
    drawn = [_mean_kappa(pairs, weights) for weights in _drawn(len(known))]
    value = _mean_kappa(pairs, np.ones(len(known)))
    return Kappa(people, len(known), value, _interval(drawn))


def fleiss(units: Iterable[Sequence[Answer]]) -> Kappa | None:
    """Fleiss' kappa over garments that equally many answered; None where nobody answered together.

    Of garments that two, three or more people answered, those count that are the most.
    """
    known = [list(unit) for unit in units]
    sizes = Counter(len(unit) for unit in known if len(unit) > 1)
    if not sizes:
        return None
    people = max(sizes, key=lambda size: (sizes[size], size))
    counts, _ = _table([unit for unit in known if len(unit) == people])

    def kappa(weights: NDArray[Any]) -> float:
        alike = weights @ ((counts**2).sum(1) - people) / (people * (people - 1) * weights.sum())
        chance = float((((weights @ counts) / (people * weights.sum())) ** 2).sum())
        return float((alike - chance) / (1 - chance)) if chance < 1 - 1e-12 else float("nan")

    value = kappa(np.ones(len(counts)))
    return Kappa(people, len(counts), value, _interval([kappa(w) for w in _drawn(len(counts))]))


@dataclass(frozen=True)
class _Pair:
    """Two people: the `rows` of the garments that both answered, and what both said of each.

    `cells` are places in a table of `size` x `size` answers, row by row.
    """

    rows: NDArray[Any]
    cells: NDArray[Any]
    size: int

    def table(self, weights: NDArray[Any]) -> Floats:
        """How often each answer of one met each of the other, garments counting `weights` times."""
        counts = np.bincount(self.cells, weights[self.rows], self.size**2)
        return np.asarray(counts, float).reshape(self.size, self.size)


def _cells(pairs: Sequence[tuple[Answer, Answer]]) -> tuple[NDArray[Any], int]:
    """Where each pair of answers lies in a table of answers x answers, and their number."""
    names = {answer: at for at, answer in enumerate(dict.fromkeys(a for p in pairs for a in p))}
    return np.array([names[a] * len(names) + names[b] for a, b in pairs]), len(names)


def _mean_kappa(pairs: Sequence[_Pair], weights: NDArray[Any]) -> float:
    """Mean of the kappas that are known, weighed by their garments; NaN where none is."""
    total = kappas = 0.0
    for pair in pairs:
        garments = float(weights[pair.rows].sum())
        kappa = float(_kappas(pair.table(weights) / garments)) if garments else float("nan")
        if kappa == kappa:
            total, kappas = total + garments, kappas + kappa * garments
    return kappas / total if total else float("nan")


def _kappas(tables: Floats) -> Floats:
    """Cohen's kappa of each table (..., answers, answers) of shares; NaN where chance is 1."""
    alike = np.trace(tables, axis1=-2, axis2=-1)
    chance = (tables.sum(-1) * tables.sum(-2)).sum(-1)
    out = np.full_like(alike, np.nan)
    return np.asarray(np.divide(alike - chance, 1 - chance, out=out, where=chance < 1 - 1e-12))


def _drawn(size: int) -> Iterator[NDArray[Any]]:
    """How often each of so many garments is drawn, again and again."""
    source = np.random.default_rng(0)
    for _ in range(_ROUNDS):
        yield np.bincount(source.integers(0, size, size), minlength=size)


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


def _packages_alpha(counts: Floats, distances: Floats) -> float:
    """Alpha of answers counted by garment (row) and answer (column); NaN where all are one."""
    import krippendorff

    if len(distances) < 2:
        return float("nan")

    def apart(v1: Any, v2: Any, i1: Any, i2: Any, n_v: Any, dtype: Any = np.float64) -> Any:
        return distances[i1, i2].astype(dtype)

    told = krippendorff.alpha(
        value_counts=counts.astype(int),
        value_domain=np.arange(len(distances)),
        level_of_measurement=apart,
    )
    return float(told)


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
