"""What is annotated next: by every strategy only what may be asked, and always the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotate.studio.choose import named_garments
from curate.select.batch import uncrowded
from curate.select.choose import Selection, SelectOptions, select
from curate.select.doubt import doubt, doubts
from curate.select.keep import newest_selected, selected_file, write_selected
from curate.select.pool import pool_of
from curate.select.spread import farthest_first, representatives
from curate.select.strategies import FOR_NEW, STRATEGIES
from curate.select.worth import worth
from garments.calibration import Calibration
from garments.dataset import Dataset
from garments.errors import BadSetting, BadTaxonomy
from garments.reading import read
from garments.taxonomy import Taxonomy
from tests.curate.selecting import ask, label, names, place, propose, world

TAXONOMY = Taxonomy.default()
IDS = names(60)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """60 garments in four clusters, surer and surer; some are sent, blind or turned down."""
    dataset = world(tmp_path_factory.mktemp("select") / "d")
    propose(dataset, {name: number / 10 for number, name in enumerate(IDS)})
    rng = np.random.default_rng(0)
    vectors = np.eye(4, 16)[np.arange(60) % 4] * 3 + rng.normal(size=(60, 16)) * 0.15
    place(dataset, vectors, IDS)
    ask(dataset, IDS[:6])
    ask(dataset, IDS[6:12], audit=True)
    dataset.catalog.add(
        "decisions", [{"decision_id": "d", "garment_id": IDS[12], "kind": "excluded"}]
    )
    return dataset


def chosen(dataset: Dataset, strategy: str, budget: int = 10, **more: object) -> Selection:
    given = {"audit": 0.0, "attributes": ("category",), **more}
    return select(dataset, SelectOptions(strategy, budget, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", FOR_NEW)
def test_only_what_may_be_asked_and_as_much_as_there_is_budget_for(
    made: Dataset, strategy: str
) -> None:
    first = list(chosen(made, strategy).picked.garments)
    assert len(set(first)) == len(first) == 10
    everything = chosen(made, strategy, 500)
    assert sorted(everything.picked.garments) == sorted(IDS[13:])
    assert everything.pool == 47
    assert first == list(chosen(made, strategy).picked.garments)
    if strategy != "uncertain":  # which draws only where doubts are equal
        assert first != list(chosen(made, strategy, seed="2").picked.garments)


@pytest.mark.parametrize("strategy", FOR_NEW)
def test_the_audit_slice_is_never_chosen_whatever_its_share(made: Dataset, strategy: str) -> None:
    open_ = set(pool_of(made, 0.5, "0").ids)
    assert len(open_) < 47
    assert set(chosen(made, strategy, 500, audit=0.5).picked.garments) == open_


def test_the_least_sure_come_first(made: Dataset) -> None:
    found = chosen(made, "uncertain").picked
    assert list(found.garments) == IDS[13:23]
    assert list(found.scores) == sorted(found.scores, reverse=True)
    assert found.scores[0] == pytest.approx(1 - np.tanh(1.3 / 2))


def test_the_diverse_are_of_all_clusters_and_both_is_both(made: Dataset) -> None:
    number = {name: at for at, name in enumerate(IDS)}
    spread = [number[name] % 4 for name in chosen(made, "diverse", 4).picked.garments]
    assert sorted(spread) == [0, 1, 2, 3]
    both = [number[name] for name in chosen(made, "uncertain-diverse", 4).picked.garments]
    assert sorted(at % 4 for at in both) == [0, 1, 2, 3]
    assert max(both) < 25  # of the fifth that is least sure, or twice the budget


def test_of_a_photo_one_garment_is_chosen_while_there_are_others(tmp_path: Path) -> None:
    dataset = world(tmp_path / "d", 40, photos=10)
    propose(dataset, {name: number / 10 for number, name in enumerate(names(40))})
    photo_of = pool_of(dataset, 0.0, "0").photo_of
    for strategy in ("uncertain", "uncertain-diverse", "diverse"):
        found = chosen(dataset, strategy, 10).picked.garments
        assert len({photo_of[name] for name in found}) == 10
        assert len(set(chosen(dataset, strategy, 15).picked.garments)) == 15


@pytest.mark.parametrize("strategy", ["uncertain", "diverse", "uncertain-diverse", "errors"])
def test_without_proposals_and_embeddings_it_still_chooses_and_says_so(
    tmp_path: Path, strategy: str
) -> None:
    dataset = world(tmp_path / "d", 20)
    found = chosen(dataset, strategy, 5).picked
    if strategy == "errors":
        assert list(found.garments) == []
        assert "has a label yet" in found.notes[0]
        return
    assert len(set(found.garments)) == 5
    assert list(found.garments) != sorted(found.garments)[:5]
    assert any("prelabel" in note for note in found.notes)


@pytest.mark.parametrize("strategy", ["uncertain", "diverse", "uncertain-diverse"])
def test_garments_that_are_all_alike_are_chosen_all_the_same(tmp_path: Path, strategy: str) -> None:
    dataset = world(tmp_path / "d", 20)
    propose(dataset, dict.fromkeys(names(20), 1.0))
    place(dataset, np.ones((20, 4)), names(20))
    assert len(set(chosen(dataset, strategy, 5).picked.garments)) == 5
    assert len(set(chosen(dataset, strategy, 30).picked.garments)) == 20


def test_copies_of_what_was_labelled_come_last(tmp_path: Path) -> None:
    dataset = world(tmp_path / "d", 20)
    some = names(20)
    propose(dataset, {name: number / 10 for number, name in enumerate(some)})
    vectors = np.random.default_rng(1).normal(size=(20, 16))
    vectors[1] = vectors[0]  # the next in turn is a copy of one that has its label
    place(dataset, vectors, some)
    ask(dataset, [some[0]])
    label(dataset, {some[0]: "shirt"})
    assert list(chosen(dataset, "uncertain", 3).picked.garments) == some[2:5]
    assert some[1] in chosen(dataset, "uncertain", 19).picked.garments


@pytest.mark.parametrize("strategy", ["uncertain", "diverse", "uncertain-diverse"])
def test_proposals_that_are_no_numbers_are_wholly_unsure(tmp_path: Path, strategy: str) -> None:
    dataset = world(tmp_path / "d", 12)
    some = names(12)
    propose(
        dataset, {name: float("nan") if number < 2 else 3.0 for number, name in enumerate(some)}
    )
    found = chosen(dataset, strategy, 12).picked
    scores = dict(zip(found.garments, found.scores, strict=True))
    assert [scores[name] for name in some[:2]] == [1.0, 1.0]
    assert all(0 <= score < 1 for name, score in scores.items() if name not in some[:2])


def test_what_people_answered_is_not_asked_and_does_not_count(tmp_path: Path) -> None:
    dataset = world(tmp_path / "d", 4)
    some = names(4)
    propose(dataset, dict.fromkeys(some, 0.0))
    label(dataset, {some[0]: "shirt"})  # as an import does, without a task
    assert some[0] not in chosen(dataset, "uncertain").picked.garments[:3]
    pool = pool_of(dataset, 0.0, "0", ("category", "color"))
    found = doubts(pool)
    row = pool.ids.index(some[0])
    assert np.isnan(found.by_attribute["category"][row])
    assert found.by_attribute["color"][row] == 1.0  # nobody said anything about it yet
    assert found.overall[row] == 1.0
    assert found.proposed == 4


def logits(*values: float) -> np.ndarray:
    return np.array([[*values, *[-40.0] * (len(TAXONOMY.values("category")) - len(values))]])


def test_doubt_is_the_margin_and_at_least_a_half_where_the_tagger_abstains() -> None:
    sure = read(TAXONOMY, "category", logits(9, 0), "softmax")
    torn = read(TAXONOMY, "category", logits(2, 2), "softmax")
    held = read(TAXONOMY, "category", logits(9, 0), "softmax", Calibration(threshold=1.1))
    assert doubt(sure)[0] < 0.001
    assert doubt(torn)[0] == pytest.approx(1.0)
    assert doubt(held)[0] == pytest.approx(0.5, abs=0.001)


def test_of_several_colors_the_most_doubtful_counts() -> None:
    values = np.full((2, len(TAXONOMY.values("color"))), -9.0)
    values[:, 0] = 9.0
    values[1, 1] = 0.0  # perhaps there is a second one
    found = doubt(read(TAXONOMY, "color", values, "sigmoid"))
    assert found[0] < 0.01 and found[1] == pytest.approx(1.0)


def test_errors_are_labels_that_the_tagger_contradicts(made: Dataset, tmp_path: Path) -> None:
    dataset = world(tmp_path / "d", 12)
    some = names(12)
    propose(dataset, dict.fromkeys(some, 6.0))
    said, other = dataset.taxonomy.allowed("category", "upper")[:2]
    ask(dataset, some)
    ask(dataset, some[:1], audit=True)
    label(dataset, {some[0]: other, some[1]: other, some[2]: said})
    found = chosen(dataset, "errors").picked
    assert list(found.garments) == [some[1]]  # the first is of the audit slice
    assert found.reasons == [f"category: {other}; the tagger says {said}"]
    assert found.scores[0] > 0.95


# --- new labels or second looks


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float, bool], Dataset]:
    """200 garments, of which 80 are labelled, and 40 more by two people in the audit slice."""

    def make(wrong: float, shared: bool) -> Dataset:
        dataset = world(tmp_path_factory.mktemp("worth") / "d", 200)
        some = names(200)
        values = dataset.taxonomy.allowed("category", "upper")[:3]
        rng = np.random.default_rng(0)
        true = rng.integers(0, 3, 200)
        vectors = np.eye(3, 8)[true] * 4 + rng.normal(size=(200, 8)) * 0.5
        place(dataset, vectors, some)
        propose(dataset, dict.fromkeys(some, 2.0))
        ask(dataset, some[:80])
        ask(dataset, some[80:120], audit=True)
        for who in ("ann", "bea") if shared else ("ann",):
            off = rng.random(200) < wrong
            told = {n: values[(true[at] + off[at]) % 3] for at, n in enumerate(some[:120])}
            mine = dict(list(told.items())[80:]) if who == "bea" else told
            label(dataset, mine, who=who)
        return dataset

    return make


def worth_of(dataset: Dataset) -> object:
    [found] = worth(pool_of(dataset, 0.0, "0", ("category",)), 20)
    return found


def test_second_looks_are_worth_more_the_worse_people_are(
    judged: Callable[[float, bool], Dataset],
) -> None:
    good, bad = worth_of(judged(0.0, True)), worth_of(judged(0.3, True))
    assert (good.labels, good.shared, good.budget) == (80, 40, 20)
    assert (good.better, good.mixed) == ("new label", 0)
    assert "category: a new label is worth more" in str(good)
    assert bad.again > good.again + 0.1
    assert 0 < bad.new < 1


def test_nobody_is_judged_by_the_classifier_alone(judged: Callable[[float, bool], Dataset]) -> None:
    alone = worth_of(judged(0.1, False))
    assert alone.better == ""
    assert "no garment was answered by two people" in str(alone)


def test_too_few_labels_say_nothing(made: Dataset) -> None:
    assert worth(pool_of(made, 0.0, "0"), 10) == []


# --- parts


def test_what_would_crowd_comes_last() -> None:
    photos = ["a", "a", "b", "c"]
    assert uncrowded(range(4), 3, photos) == [0, 2, 3]
    assert uncrowded(range(4), 4, photos) == [0, 2, 3, 1]
    vectors = np.eye(3, dtype=np.float32)[[0, 1, 0, 2]]
    assert uncrowded(range(4), 3, list("abcd"), vectors, 0.99) == [0, 1, 3]
    assert uncrowded(range(4), 2, list("abcd"), vectors, 0.99, vectors[:1]) == [1, 3]
    assert uncrowded([], 3, []) == []


def test_the_farthest_comes_first() -> None:
    turned = np.radians([0, 1, 90, 180, 45])
    vectors = np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)
    nothing = np.zeros((0, 2), np.float32)
    assert farthest_first(vectors, 3, nothing) == [0, 3, 2]
    assert farthest_first(vectors, 2, vectors[:1]) == [3, 2]
    assert sorted(farthest_first(vectors, 9, nothing)) == [0, 1, 2, 3, 4]
    assert farthest_first(nothing, 3, nothing) == []


def test_representatives_are_one_a_cluster_and_the_heaviest_is_first() -> None:
    rng = np.random.default_rng(0)
    middles = np.eye(3, 6)[np.repeat([0, 1, 2], [30, 5, 10])]
    vectors = (middles + rng.normal(size=(45, 6)) * 0.01).astype(np.float32)
    found = representatives(vectors, np.ones(45), 3, 0)
    assert [int(middles[at].argmax()) for at in found] == [0, 2, 1]
    assert representatives(vectors, np.ones(45), 3, 0) == found
    assert len(representatives(np.ones((4, 2), np.float32), np.ones(4), 3, 0)) == 1
    many = rng.normal(size=(12_000, 2)).astype(np.float32)  # a part at a time
    assert 800 < len(set(representatives(many, np.ones(12_000), 900, 0))) <= 900
    assert representatives(np.zeros((0, 2), np.float32), np.ones(0), 3, 0) == []


def test_the_newest_selection_is_kept_for_a_push(made: Dataset) -> None:
    assert newest_selected(made) is None
    found = chosen(made, "uncertain", 3)
    path = write_selected(selected_file(made), found.picked.garments, found.options.about)
    assert named_garments(path) == IDS[13:16]
    kept = newest_selected(made)
    assert kept and kept.garments == tuple(IDS[13:16])
    assert kept.about == "uncertain, budget 3, seed 0, by category"
    path.unlink()


def test_options_that_make_no_sense(made: Dataset) -> None:
    with pytest.raises(BadSetting, match="a strategy of new, random, uncertain"):
        SelectOptions("clever")
    with pytest.raises(BadSetting, match="at least 1 garment"):
        SelectOptions(budget=0)
    with pytest.raises(BadSetting, match="share from 0 to 1"):
        SelectOptions(audit=2)
    with pytest.raises(BadTaxonomy, match="expected an attribute"):
        chosen(made, "uncertain", attributes=("colour",))
    assert [one.name for one in STRATEGIES.values() if one.again] == ["errors"]
