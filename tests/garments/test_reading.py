"""Reading logits: what is allowed, what is chosen, how sure it is, and when nothing is said."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from garments.calibration import Calibration
from garments.errors import CatalogError
from garments.parts import Region
from garments.reading import MOST_VALUES, Parent, Reading, allowed_values, read, read_all
from garments.tagger import Activation
from garments.taxonomy import Taxonomy

SMALL = Taxonomy.parse(
    """
    [[attributes]]
    id = "category"
    title = "Category"
    templates = ["{}"]
    values = [
      { id = "shirt", title = "Shirt", regions = ["upper"] },
      { id = "vest", title = "Vest", regions = ["upper", "whole"] },
      { id = "jeans", title = "Jeans", regions = ["lower"] },
    ]
    [[attributes]]
    id = "sub_category"
    title = "Sub"
    parent = "category"
    templates = ["{}"]
    values = [
      { id = "dress-shirt", title = "Dress shirt", parent = "shirt" },
      { id = "overshirt", title = "Overshirt", parent = "shirt" },
      { id = "slim-jeans", title = "Slim jeans", parent = "jeans" },
    ]
    [[attributes]]
    id = "color"
    title = "Color"
    multiple = true
    templates = ["{}"]
    values = [
      { id = "black", title = "Black" },
      { id = "red", title = "Red" },
      { id = "white", title = "White" },
      { id = "blue", title = "Blue" },
    ]
    """
)
COLORS, CATEGORIES = SMALL.values("color"), SMALL.values("category")
REGIONS = st.sampled_from([str(region) for region in Region])
numbers = st.floats(-40, 40, width=32)


def rows(count: int, width: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float32, (count, width), elements=numbers)


calibrations = st.builds(
    Calibration,
    temperature=st.floats(0.05, 20),
    bias=st.floats(-5, 5),
    threshold=st.floats(0, 1),
)


def one(
    attribute: str, logits: list[float], activation: str = "softmax", **more: object
) -> Reading:
    answers = read(SMALL, attribute, np.array([logits]), activation, **more)  # type: ignore[arg-type]
    return answers.readings(["t"], ["p"])[0]


def test_one_value_is_a_softmax_over_what_the_region_allows() -> None:
    reading = one("category", [1.0, 2.0, 9.0], regions=["upper"])
    assert reading == Reading(("vest",), pytest.approx(1 / (1 + math.exp(-1))), False, "t", "p")
    assert one("category", [1.0, 2.0, 9.0], regions=["unknown"]).values == ("jeans",)
    assert one("category", [9.0, 2.0, 1.0], regions=["whole"]).confidence == 1.0
    assert one("category", [1.0, 2.0, 9.0], "sigmoid", regions=["upper"]).confidence < 0.75


def test_the_temperature_makes_humble() -> None:
    hot = one("category", [0.0, 2.0, 0.0], calibration=Calibration(temperature=2))
    assert hot.confidence == pytest.approx(math.e / (math.e + 2))


def test_below_its_threshold_a_tagger_abstains_but_keeps_its_guess() -> None:
    unsure = one("category", [0.0, 0.1, 0.0], calibration=Calibration(threshold=0.9))
    assert (unsure.values, unsure.abstained) == (("vest",), True)
    assert not one("category", [0.0, 9.0, 0.0], calibration=Calibration(threshold=0.9)).abstained


def test_where_nothing_is_allowed_it_abstains() -> None:
    reading = one("category", [1.0, 2.0, 3.0], regions=["feet"])
    assert (reading.values, reading.confidence, reading.abstained) == ((), 0.0, True)


def test_two_colors_can_both_be_high() -> None:
    reading = one("color", [4.0, 3.0, -6.0, -5.0], "sigmoid")
    assert reading.values == ("black", "red")
    assert reading.confidence == pytest.approx(1 / (1 + math.exp(-4)))
    assert one("color", [3.0, 4.0, 2.0, 1.0], "sigmoid").values == ("red", "black", "white")
    assert one("color", [-3.0, -4.0, -5.0, -4.0], "sigmoid").values == ("black",)


def test_colors_of_a_softmax_model_are_read_relative_to_each_other() -> None:
    """One that stands out no more than the mean is as likely as any other."""
    level = read(SMALL, "color", np.full((1, 4), 27.0), "softmax")
    assert level.probabilities == pytest.approx(0.25)
    two = one("color", [30.0, 30.0, 20.0, 20.0])
    assert two.values == ("black", "red")
    assert two.confidence > 0.9
    shifted = one("color", [130.0, 130.0, 120.0, 120.0])
    assert shifted.confidence == pytest.approx(two.confidence)


def test_the_bias_shifts_every_value() -> None:
    reading = one("color", [1.0, 0.0, -9.0, -9.0], "sigmoid", calibration=Calibration(2.0, -1.0))
    assert reading == Reading(("black",), pytest.approx(0.5), False, "t", "p")


def parent(value: str | None, confidence: float = 1.0, abstained: bool = False) -> Parent:
    return Parent([value], np.array([confidence]), np.array([abstained]))


def test_a_sub_category_stands_under_its_category() -> None:
    logits = [1.0, 2.0, 9.0]
    sure = 1 / (1 + math.exp(-1))
    assert one("sub_category", logits, parent=parent("shirt")).values == ("overshirt",)
    by_person = one("sub_category", logits, parent=parent("shirt"))
    by_tagger = one("sub_category", logits, parent=parent("shirt", 0.5))
    assert by_person.confidence == pytest.approx(sure)
    assert by_tagger.confidence == pytest.approx(sure / 2)


@pytest.mark.parametrize("above", [parent("vest"), parent(None)])
def test_without_sub_categories_there_is_nothing_to_say(above: Parent) -> None:
    reading = one("sub_category", [1.0, 2.0, 9.0], parent=above)
    assert (reading.values, reading.abstained) == ((), True)


def test_where_the_category_is_a_guess_so_is_the_sub_category() -> None:
    reading = one("sub_category", [1.0, 2.0, 9.0], parent=parent("jeans", 0.4, abstained=True))
    assert (reading.values, reading.abstained) == (("slim-jeans",), True)


def test_all_attributes_of_a_tagger_at_once() -> None:
    logits = {
        "sub_category": np.array([[0.0, 5.0, 9.0], [0.0, 5.0, 9.0]]),
        "category": np.array([[3.0, 0.0, 2.0], [3.0, 0.0, 2.0]]),
    }
    found = read_all(SMALL, logits, "softmax", {}, ["upper", "lower"])
    assert found["category"].best == ["shirt", "jeans"]
    assert found["sub_category"].best == ["overshirt", "slim-jeans"]
    alone = read_all(SMALL, {"sub_category": logits["sub_category"]}, "softmax", {}, ["upper"] * 2)
    assert alone["sub_category"].best == ["slim-jeans"] * 2


@pytest.mark.parametrize(
    ("logits", "activation"), [([1.0], "softmax"), ([1.0, 2.0, 3.0], "tanh"), ([], "sigmoid")]
)
def test_logits_of_something_else_are_refused(logits: list[float], activation: str) -> None:
    with pytest.raises(CatalogError, match=r"logits of 3 values .* `garmentloop prelabel`"):
        one("category", logits, activation)


def test_huge_logits_overflow_nothing() -> None:
    assert one("category", [1e30, 0.0, -1e30]).confidence == 1.0
    assert one("color", [1e30, 1e30, -1e30, -1e30], "sigmoid").values == ("black", "red")


def test_no_garments_at_all() -> None:
    for attribute in SMALL.attributes:
        nothing = np.zeros((0, len(attribute.values)))
        answers = read(SMALL, attribute.id, nothing, "softmax", regions=[])
        assert answers.readings([], []) == []
        assert answers.best == []


@settings(max_examples=60, deadline=None)
@given(rows(5, 3), st.lists(REGIONS, min_size=5, max_size=5), calibrations)
def test_what_is_not_allowed_is_never_said(
    logits: np.ndarray, regions: list[str], calibration: Calibration
) -> None:
    answers = read(SMALL, "category", logits, "softmax", calibration, regions)
    for region, values, mass in zip(regions, answers.values(), answers.probabilities, strict=True):
        allowed = SMALL.allowed("category", region)
        assert set(values) <= set(allowed)
        assert mass.sum() == pytest.approx(1.0 if allowed else 0.0)
        assert len(values) == (1 if allowed else 0)


@settings(max_examples=60, deadline=None)
@given(rows(4, 3), rows(4, 3), st.lists(REGIONS, min_size=4, max_size=4), calibrations)
def test_sub_categories_agree_with_their_category(
    categories: np.ndarray, subs: np.ndarray, regions: list[str], calibration: Calibration
) -> None:
    logits = {"category": categories, "sub_category": subs}
    found = read_all(SMALL, logits, "softmax", {"category": calibration}, regions)
    above, below = found["category"], found["sub_category"]
    for category, sub in zip(above.best, below.best, strict=True):
        assert sub in (*SMALL.children("sub_category", category or "-"), None)
        assert (sub is None) == (category in (None, "vest"))
    assert (below.confidence <= above.confidence + 1e-12).all()
    assert (below.abstained | ~above.abstained).all()


@settings(max_examples=60, deadline=None)
@given(rows(5, 4), calibrations, st.sampled_from(list(Activation)))
def test_abstention_and_choice_of_several_values(
    logits: np.ndarray, calibration: Calibration, activation: Activation
) -> None:
    answers = read(SMALL, "color", logits, activation, calibration)
    for row, values in enumerate(answers.values()):
        sure = answers.probabilities[row]
        mine = [sure[COLORS.index(value)] for value in values]
        assert 1 <= len(values) <= MOST_VALUES
        assert mine == sorted(mine, reverse=True)
        assert answers.confidence[row] == mine[0] == sure.max()
        assert all(each >= 0.5 for each in mine[1:])
        assert answers.abstained[row] == (mine[0] < calibration.threshold)


@settings(max_examples=40, deadline=None)
@given(rows(6, 3), calibrations, st.floats(0, 1))
def test_a_higher_threshold_never_says_more(
    logits: np.ndarray, calibration: Calibration, other: float
) -> None:
    low, high = sorted([calibration.threshold, other])
    silent = [
        read(SMALL, "category", logits, "softmax", Calibration(threshold=each)).abstained
        for each in (low, high)
    ]
    assert (silent[1] | ~silent[0]).all()


@settings(max_examples=40, deadline=None)
@given(rows(4, 3), st.permutations(range(4)), st.floats(-20, 20))
def test_a_garment_is_read_by_itself(logits: np.ndarray, order: list[int], shift: float) -> None:
    """Neither the others nor a constant added to all logits of a softmax change an answer."""
    whole = read(SMALL, "category", logits, "softmax")
    mixed = read(SMALL, "category", logits[order] + np.float64(shift), "softmax")
    assert mixed.probabilities == pytest.approx(whole.probabilities[order], abs=1e-6)


def test_what_is_allowed_by_region_and_parent() -> None:
    allowed = allowed_values(SMALL, "category", ["upper", "lower", "unknown"])
    assert allowed.tolist() == [[True, True, False], [False, False, True], [True, True, True]]
    under = allowed_values(SMALL, "sub_category", ["unknown"] * 2, ["shirt", None])
    assert under.tolist() == [[True, True, False], [False, False, False]]
