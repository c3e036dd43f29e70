"""Agreement: the published examples, and other people's programs where they are there."""

import math
import random

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from garments.agreement import _kappas, agreement, cohen, cohens, fleiss

# Fleiss' own layout, the worked example of https://en.wikipedia.org/wiki/Fleiss%27_kappa:
# 14 people put each of 10 subjects into one of five categories; kappa is 0.210.
SUBJECTS = (
    (0, 0, 0, 0, 14),
    (0, 2, 6, 4, 2),
    (0, 0, 3, 5, 6),
    (0, 3, 9, 2, 0),
    (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0),
    (3, 2, 6, 3, 0),
    (2, 5, 3, 2, 2),
    (6, 5, 2, 1, 0),
    (0, 2, 2, 3, 7),
)


def one(value: object) -> frozenset[str]:
    return frozenset([str(value)])


def counted(counts) -> list[frozenset[str]]:
    return [one(place) for place, count in enumerate(counts) for _ in range(count)]


def answers(seed: int, size: int, people: int) -> list[list[frozenset[str]]]:
    source = random.Random(seed)
    units = []
    for _ in range(size):
        right = source.choice("abcd")
        units.append(
            [one(right if source.random() < 0.7 else source.choice("abcd")) for _ in range(people)]
        )
    return units


def test_fleiss_kappa_is_the_published_one() -> None:
    found = fleiss([counted(counts) for counts in SUBJECTS])
    assert found is not None and (found.people, found.garments) == (14, 10)
    assert found.value == pytest.approx(0.210, abs=0.0005)
    low, high = found.interval
    assert low < found.value < high


def test_fleiss_kappa_takes_the_garments_that_equally_many_answered() -> None:
    three = answers(1, 30, 3)
    found = fleiss([*three, *answers(2, 10, 2), [one("a")]])
    alone = fleiss(three)
    assert found == alone and found is not None and (found.people, found.garments) == (3, 30)
    assert fleiss([[one("a")]]) is None and fleiss([]) is None
    same = fleiss([[one("a"), one("a")]] * 3)
    assert same is not None and math.isnan(same.value)


def test_cohens_kappa_is_that_of_the_textbook() -> None:
    # 50 grants: both yes 20, only the first 5, only the second 10, both no 15: 0.4
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = cohen([(one(a), one(b)) for a, b in pairs])
    assert found is not None and found.value == pytest.approx(0.4)
    low, high = found.interval
    assert 0.05 < low < 0.25 and 0.55 < high < 0.75  # its standard error is 0.128
    assert cohen([]) is None
    same = cohen([(one("a"), one("a"))] * 4)
    assert same is not None and math.isnan(same.value)


def test_the_mean_kappa_weighs_pairs_by_what_both_answered() -> None:
    trio = [dict(zip("xyz", unit, strict=True)) for unit in answers(5, 20, 3)]
    duo = [dict(zip("xy", unit, strict=True)) for unit in answers(6, 30, 2)]
    units = [*trio, *duo, {"x": one("a")}]
    expected = 0.0
    for first, second, size in (("x", "y", 50), ("x", "z", 20), ("y", "z", 20)):
        both = [unit for unit in units if {first, second} <= unit.keys()]
        said = [[min(unit[who]) for unit in both] for who in (first, second)]
        assert len(both) == size
        expected += cohen_kappa_score(*said) * size / 90
    found = cohens(units)
    assert found is not None and (found.people, found.garments) == (3, 50)
    assert found.value == pytest.approx(expected)
    low, high = found.interval
    assert low < found.value < high and high - low < 0.5
    assert cohens([{"x": one("a")}]) is None
    same = cohens([{"x": one("a"), "y": one("a")}] * 3)
    assert same is not None and math.isnan(same.value)


def test_kappas_of_redrawn_tables_are_those_of_the_library() -> None:
    source = np.random.default_rng(3)
    for _ in range(20):
        first, second = source.integers(0, 4, (2, 60))
        table = np.zeros((4, 4))
        np.add.at(table, (first, second), 1 / 60)
        assert _kappas(table) == pytest.approx(cohen_kappa_score(first, second))


def test_intervals_cover_what_is_true_about_as_often_as_they_say() -> None:
    # People are right with 0.7 + 0.3 / 4 and otherwise uniform: of four values two agree with
    # 0.775^2 + 3 * 0.075^2, and by chance with a quarter.
    alike = 0.775**2 + 3 * 0.075**2
    kappa = (alike - 0.25) / 0.75
    covered = [0, 0, 0, 0]
    for seed in range(40):
        units = answers(seed, 80, 2)
        for place, (low, high) in enumerate(
            (
                agreement(units).alpha_interval,
                fleiss(units).interval,
                cohen([(a, b) for a, b in units]).interval,
                cohens([{"x": a, "y": b} for a, b in units]).interval,
            )
        ):
            covered[place] += low <= kappa <= high
    assert all(33 <= count <= 40 for count in covered), covered


@pytest.mark.parametrize("numbers", [0, 10**9], ids=["our formula", "the package"])
def test_alpha_is_that_of_the_package(monkeypatch: pytest.MonkeyPatch, numbers: int) -> None:
    monkeypatch.setattr("garments.agreement._PACKAGE_NUMBERS", numbers)
    for seed in range(5):
        units = answers(seed, 40, 3) + answers(seed + 9, 20, 2)
        counts = [[unit.count(one(value)) for value in "abcd"] for unit in units]
        expected = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
        assert agreement(units).alpha == pytest.approx(expected)


@pytest.mark.parametrize("numbers", [0, 10**9], ids=["our formula", "the package"])
def test_alpha_of_answers_with_several_values_is_that_of_the_package(
    monkeypatch: pytest.MonkeyPatch, numbers: int
) -> None:
    monkeypatch.setattr("garments.agreement._PACKAGE_NUMBERS", numbers)
    source = random.Random(4)
    domain = [frozenset(x) for x in ("a", "b", "ab", "abc", "c")]
    units = [[source.choice(domain) for _ in range(3)] for _ in range(50)]
    apart = np.array([[1 - len(a & b) / len(a | b) for b in domain] for a in domain])

    def distance(v1, v2, i1, i2, n_v, dtype=None):
        return apart[i1, i2]

    counts = [[unit.count(value) for value in domain] for unit in units]
    expected = krippendorff.alpha(value_counts=counts, level_of_measurement=distance)
    assert agreement(units).alpha == pytest.approx(expected)
