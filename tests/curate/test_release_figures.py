"""The figures that a release states about itself."""

import math

import pytest
from released import add, divide, make, ready, say, withdraw

from curate.release.card import hub_licence
from curate.release.choose import choose
from curate.release.datasheet import bars, beside, charts
from curate.release.figures import figures
from curate.release.gaps import gaps
from curate.release.sources import shown_origin
from garments.agreement import agreement, annotators_answers

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C: four observers,
# missing data; nominal alpha is 0.743 there.
OBSERVERS = ("123321412...", "1233224125.3", ".33323422 51.".replace(" ", ""), "12332441251.")


def published() -> list[list[frozenset[str]]]:
    return [[frozenset(one) for one in unit if one != "."] for unit in zip(*OBSERVERS, strict=True)]


def test_alpha_is_the_published_one():
    found = agreement(published())
    assert found is not None and found.garments == 11  # one unit has one value only
    assert found.alpha == pytest.approx(0.743, abs=0.0005)
    low, high = found.alpha_interval
    assert low < found.alpha < high


def test_alpha_at_its_ends():
    red, blue = frozenset(["red"]), frozenset(["blue"])
    whole = agreement([[red, red], [blue, blue], [red]])
    assert whole is not None and whole.alpha == 1 and whole.alike == 1
    assert whole.alike_interval[0] < 0.5, "two garments prove little"
    same = agreement([[red, red], [red, red]])
    assert same is not None and math.isnan(same.alpha) and same.alike == 1
    apart = agreement([[red, blue], [red, blue]])
    assert apart is not None and apart.alpha < 0 and apart.alike == 0
    assert agreement([[red], [blue]]) is None and agreement([]) is None


def test_answers_that_share_values_are_nearer_than_those_that_do_not():
    red, both, blue = frozenset(["red"]), frozenset(["red", "blue"]), frozenset(["blue"])
    near = agreement([[red, both], [blue, blue], [red, red]])
    far = agreement([[red, blue], [blue, blue], [red, red]])
    assert near is not None and far is not None
    assert near.alike == far.alike and near.alpha > far.alpha


def test_only_what_annotators_say_now_is_compared(tmp_path):
    dataset = make(tmp_path / "data", 4)
    say(dataset, 0, "color", "red", who="anna")
    say(dataset, 0, "color", "blue", who="anna")
    say(dataset, 0, "color", "red", who="ben")
    back = say(dataset, 0, "color", "red", who="cleo")
    withdraw(dataset, back)
    say(dataset, 0, "color", "red", who="cora", kind="curator")
    say(dataset, 1, "color", "red", who="robot", kind="simulated")
    labels = dataset.catalog.rows("labels").to_pylist()
    ids = {row["garment_id"] for row in labels}
    answers = annotators_answers(labels, ids, simulated=False)["color"]
    assert list(answers.values()) == [{"anna": frozenset(["blue"]), "ben": frozenset(["red"])}]
    assert len(annotators_answers(labels, ids, simulated=True)["color"]) == 2


def test_counts(tmp_path):
    dataset = ready(tmp_path / "data")
    say(dataset, 0, "color", "black", "white", kind="curator")
    say(dataset, 1, "color", "not_visible", kind="curator")
    say(dataset, 2, "color", kind="curator")
    found = figures(dataset, choose(dataset))
    color = next(one for one in found.attributes if one.attribute.id == "color")
    assert color.total == 12 and color.coverage == 1
    assert color.bases == {"curator": 3, "annotator": 9} and color.answers == {1: 9}
    assert {b.title: b.total for b in bars(color)} == {
        "Red": 9,
        "Black": 1,
        "White": 1,
        "nothing applies": 1,
        "not visible": 1,
    }
    assert found.garments == 12 and found.photos == 6 and found.disjoint
    assert found.splits["train"].people == 2 and found.splits["train"].groups == 2
    assert sum(found.splits["train"].regions.values()) == 4
    assert (found.annotators, found.handles, found.labels) == (1, 0, 24)


def told(dataset) -> dict[str, str]:
    choice = choose(dataset)
    return dict(gaps(figures(dataset, choice), choice.reasons(), choice.outdated, False))


def test_gaps_are_found(tmp_path):
    dataset = make(tmp_path / "data", 4)
    add(dataset, [4, 5], licence="", consent="", handle="anna")
    add(dataset, [6, 7], handle="anna")
    for number in range(8):
        say(dataset, number, "category", "shirt" if number else "dress")
    say(dataset, 6, "color", "red")
    say(dataset, 6, "color", "blue", who="ben")
    divide(dataset, {n: "test" if n in (0, 1, 4, 5) else "train" for n in range(8)})
    found = told(dataset)
    assert "There is no validation split." in found["Splits"]
    assert "Photos of one handle stand in both train and test" in found["Splits"]
    assert "1 without a stated licence and 1 without a stated consent" in found["Rights"]
    assert "In test but not in train: Dress." in found["Category"]
    assert "Fewer than 10 examples of Shirt, Dress" in found["Category"]
    assert "for 1 of 8 garments (12 %)" in found["Color"]
    assert "Annotators agree little on it" in found["Color"]
    assert "Nobody has labelled it yet" in found["Style"]
    assert "Labelled without seeing a proposal: 0 garments" in found["Labels"]


def test_charts_stand_in_two_columns_of_about_the_same_height():
    from curate.release.datasheet import Bar, Chart

    made = [Chart(str(n), "", [Bar("x", "", "", [])] * n) for n in (24, 1, 20, 10, 9)]
    left, right = beside(made)
    heights = [sum(len(chart.bars) + 5 for chart in side) for side in (left, right)]
    assert abs(heights[0] - heights[1]) <= 29 and len(left) + len(right) == 5
    assert charts.__doc__


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ({"CC BY 4.0"}, "cc-by-4.0"),
        ({"cc-by-4.0"}, "cc-by-4.0"),
        ({"Apache-2.0"}, "apache-2.0"),
        ({"MIT", ""}, "other"),
        ({"MIT", "CC BY 4.0"}, "other"),
        ({"all rights reserved"}, "other"),
        ({""}, "unknown"),
        (set(), "unknown"),
    ],
)
def test_the_hub_has_its_own_names_for_licences(stated, name):
    assert hub_licence(stated) == name


def test_where_a_photo_came_from_is_told_without_folders():
    assert shown_origin("/elsewhere/anna/photos/1.jpg") == "1.jpg"
    assert shown_origin("https://example.org/a/1.jpg?x=2") == "https://example.org/a/1.jpg?x=2"
    assert shown_origin("") == ""
