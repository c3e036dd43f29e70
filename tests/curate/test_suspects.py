"""Wrong labels stand out; what nobody can judge is not judged."""

from pathlib import Path

import numpy as np
import pytest

from curate.noise import wrongness
from curate.suspects import SUSPICIOUS, judge, score_answers, scored_labels, suspects
from curate.vectors import CropVectors
from garments.answers import value_of
from garments.dataset import Dataset
from tests.curate.wardrobe import embed, scene, wear

COLORS = ("red", "blue", "green")


def crops(count: int, seed: int = 0) -> tuple[CropVectors, dict[str, tuple[str, ...]]]:
    """`count` garments of three colors, each color in a corner of its own, rightly labelled."""
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 3, count)
    vectors = np.eye(3, 16)[places] * 2 + rng.normal(size=(count, 16)) * 0.3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"g{number:03d}" for number in range(count)]
    found = CropVectors("m", ids, vectors.astype(np.float32))
    return found, {name: (COLORS[place],) for name, place in zip(ids, places, strict=True)}


def other(color: str) -> str:
    return COLORS[(COLORS.index(color) + 1) % 3]


def test_wrong_labels_are_the_most_suspicious():
    vectors, answers = crops(300)
    wrong = [f"g{number:03d}" for number in range(0, 300, 20)]
    given = {n: (other(v[0]),) if n in wrong else v for n, v in answers.items()}
    found = score_answers("color", given, vectors, {})
    assert set(found) == set(answers)
    order = sorted(found, key=lambda name: -found[name].score)
    assert set(order[: len(wrong)]) == set(wrong)
    assert all(found[name].likely == answers[name][0] for name in wrong)
    right = [found[name].score for name in answers if name not in wrong]
    assert min(found[name].score for name in wrong) > 0.1 + max(right)
    assert all(0 <= one.score <= 1 for one in found.values())


def test_one_wrong_value_of_two_is_found_and_two_right_ones_are_not():
    vectors, answers = crops(300)
    both = vectors.vectors[:40] + np.roll(vectors.vectors[:40], 0)
    mixed = [("blue", "red") if v != ("green",) else v for v in list(answers.values())[:40]]
    both[:, :2] = np.where(np.array([v == ("green",) for v in mixed])[:, None], both[:, :2], 1.0)
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    vectors.vectors[:40] = both
    given = dict(answers) | dict(zip(vectors.garment_ids[:40], mixed, strict=True))
    green = next(n for n in vectors.garment_ids[100:] if answers[n] == ("green",))
    given[green] = ("green", "red")
    found = score_answers("color", given, vectors, {})
    right = [n for n in vectors.garment_ids[:40] if len(given[n]) == 2]
    assert found[green].score > max(found[name].score for name in right)


def test_a_label_that_others_often_get_wrong_is_more_suspicious():
    """One in five of what is red is called blue, nothing green; two labels are believed alike."""
    red, blue, green = np.eye(3) * 0.85 + 0.05
    doubtful = np.array([0.4, 0.3, 0.3])
    given = [(0,)] * 160 + [(1,)] * 40 + [(1,)] * 200 + [(2,)] * 200 + [(1,), (2,)]
    shares = [red] * 200 + [blue] * 200 + [green] * 200 + [doubtful] * 2
    *_, called_blue, called_green = wrongness(given, np.stack(shares))
    assert called_blue > 2 * called_green > 0


def test_what_is_listed_first_was_flipped_far_more_often_than_chance():
    """Five in a hundred labels are wrong; of so many that come first, nine in ten must be."""
    vectors, answers = crops(800, seed=3)
    rng = np.random.default_rng(3)
    wrong = set(rng.choice(vectors.garment_ids, 40, replace=False).tolist())
    given = {n: (other(v[0]),) if n in wrong else v for n, v in answers.items()}
    found = score_answers("color", given, vectors, {})
    order = sorted(found, key=lambda name: -found[name].score)
    assert len(wrong & set(order[:40])) >= 36, "by chance two would be; 36 has a chance below 1e-40"
    again = score_answers("color", given, vectors, {})
    assert again == found


def test_answers_of_one_value_are_scored_alike_whether_or_not_others_have_several():
    given = [(0,), (1,), (0,), (1,), (0, 1), (0,)] * 10
    shares = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7], [0.5, 0.5], [0.8, 0.2]] * 10)
    scores = wrongness(given, shares).reshape(10, 6)
    assert np.allclose(scores, scores[0])
    assert scores[0, 2] == scores[0].max() and scores[0, 4] == scores[0].min() < 0.01


def test_unknown_shares_are_not_judged_and_one_value_is_never_wrong():
    shares = np.array([[0.9, 0.1], [np.nan, 1.0], [0.4, 0.6]])
    assert np.isnan(wrongness([(0,), (0,), (0,)], shares)).tolist() == [False, True, False]
    assert np.nanmax(wrongness([(0,), (0,), (0,)], shares)) == 0
    assert np.isnan(wrongness([()], shares[:1])).all()


def test_what_cannot_be_judged_is_not():
    vectors, answers = crops(60)
    rare = {"g000": ("pink",), "g001": ("pink",)}
    assert not rare.keys() & score_answers("color", answers | rare, vectors, {}).keys()
    few = dict(list(answers.items())[:20])
    assert score_answers("color", few, vectors, {}) == {}
    same = dict.fromkeys(answers, ("red",))
    assert score_answers("color", same, vectors, {}) == {}
    together = dict.fromkeys(answers, "one photo")
    assert score_answers("color", answers, vectors, together) == {}, "all would vouch for all"


def test_the_same_labels_in_another_order_give_the_same():
    vectors, answers = crops(100)
    back = CropVectors("m", vectors.garment_ids[::-1], vectors.vectors[::-1])
    one, two = (score_answers("color", answers, v, {}) for v in (vectors, back))
    assert {n: round(s.score, 3) for n, s in one.items()} == {
        n: round(s.score, 3) for n, s in two.items()
    }


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "d")


def label(dataset: Dataset, said: dict[str, tuple[str, ...]], **more: object) -> None:
    both = {"attribute": "color", "kind": "annotator", "annotator": "a"} | more
    rows = [
        {"label_id": f"l-{name}-{more}", "garment_id": name, "value": value_of(values), **both}
        for name, values in said.items()
    ]
    dataset.catalog.add("labels", rows)


def wear_all(dataset: Dataset, names: list[str]) -> None:
    """Three garments a photo."""
    picture = scene(1, 32, 48)
    for first in range(0, len(names), 3):
        wear(dataset, f"p{first}", picture, dict.fromkeys(names[first : first + 3], picture))


def test_suspects_of_a_data_set(dataset):
    vectors, answers = crops(90)
    wear_all(dataset, vectors.garment_ids)
    embed(dataset, dict(zip(vectors.garment_ids, vectors.vectors, strict=True)))
    assert suspects(dataset) == []
    label(dataset, answers | {"g004": (other(answers["g004"][0]),)})
    copies = dict.fromkeys(vectors.garment_ids[:2], "g000")
    found = scored_labels(dataset, copies=copies)
    assert set(found) == {"color"} and set(found["color"]) == set(answers)
    listed = sorted(found["color"].values(), key=lambda one: -one.score)
    assert listed[0].garment_id == "g004" and listed[0].likely == answers["g004"][0]
    label(dataset, {"g004": answers["g004"]}, kind="curator")
    assert scored_labels(dataset, copies=copies)["color"]["g004"].score < 0.6, "it was corrected"


def test_why_an_attribute_is_not_judged_is_said(dataset):
    vectors, answers = crops(60)
    wear_all(dataset, vectors.garment_ids)
    label(dataset, {name: answers[name] for name in vectors.garment_ids[:12]})
    told = judge(dataset, copies={})
    assert told.scored == {} and told.labels["color"] == 12
    assert told.unjudged["color"] == "12 labels by people, and 30 are needed"
    assert told.unjudged["gender"] == "no labels by people, and 30 are needed"
    label(dataset, {name: answers[name] for name in vectors.garment_ids[12:]})
    assert "garmentloop prelabel" in judge(dataset, copies={}).unjudged["color"]
    some = dict(zip(vectors.garment_ids[:24], vectors.vectors[:24], strict=True))
    embed(dataset, some)
    why = judge(dataset, copies={}).unjudged["color"]
    assert why == "24 of 60 labels have an embedding and no rare value, and 30 are needed"
    embed(dataset, dict(zip(vectors.garment_ids[24:], vectors.vectors[24:], strict=True)))
    together = judge(dataset, copies=dict.fromkeys(vectors.garment_ids, "g000"))
    assert "vouch" in together.unjudged["color"] and together.scored == {}
    label(dataset, dict.fromkeys(answers, ("red",)), kind="curator")
    why = judge(dataset, copies={}).unjudged["color"]
    assert why == "only red has at least 5 labels to learn from"


def test_on_real_products_most_of_what_is_found_is_wrong(shared_data):
    """Every twelfth article type is replaced by another; embeddings are 24 x 32 pixels."""
    import cv2

    from garments.images import decode
    from garments.sets.fashion_products import read_fashion_products

    root = shared_data("fashion_products")
    products = [p for p in read_fashion_products(root) if "category" in p.values][:1500]
    pictures = [decode(p.path.read_bytes()).pixels for p in products]
    flat = np.array([cv2.resize(p, (12, 16)).ravel() for p in pictures], np.float32) / 255
    ids = [f"{number:04d}" for number in range(len(products))]
    truth = [p.values["category"] for p in products]
    values = sorted(set(truth))
    rng = np.random.default_rng(0)
    wrong = {name for name in ids if int(name) % 12 == 0}
    given = {
        name: (str(rng.choice([v for v in values if v != value])),) if name in wrong else (value,)
        for name, value in zip(ids, truth, strict=True)
    }
    found = score_answers("category", given, CropVectors("pixels", ids, flat), {})
    order = sorted(found, key=lambda name: -found[name].score)
    assert len(set(order[: len(wrong)]) & wrong) > 0.5 * len(wrong)
    listed = [name for name, one in found.items() if one.score >= SUSPICIOUS]
    assert len(set(listed) & wrong) > 0.8 * len(wrong & found.keys())
    assert len(set(listed) & wrong) > 0.4 * len(listed)
