"""Champion and challenger: who is promoted, who is refused and why, and how it is taken back."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import examined
import pytest
from examined import GOOD, divide, knows, load, photo_of, split_of, trained

from annotate.in_force import references_in_force
from annotate.prelabel import prelabel
from curate.release.write import release
from finetune.promotion import Outcome, PromoteOptions, promote, rollback
from finetune.promotion.history import newest_rows
from garments.calibrate import calibrate
from garments.calibration import Calibration
from garments.dataset import Dataset
from garments.errors import BadSetting, DatasetError
from garments.inforce import Speaker, in_force, promotions

ROOT = Path(__file__).resolve().parents[2]
SETTLED = {"category": "starter", "sub_category": "starter", "color": "rule:color"}
ALL = ("category", "sub_category", "color")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    dataset = examined.make(tmp_path_factory.mktemp("promoted") / "world", 400)
    trained(dataset, "v1")
    trained(dataset, "v2")
    return dataset.folder


@pytest.fixture
def dataset(made, tmp_path) -> Dataset:
    return Dataset.open(shutil.copytree(made, tmp_path / "data"))


def judged(dataset, model="model:v1", options=None, **says):
    """The verdict, and by attribute the outcome and the reason."""
    verdict = promote(dataset, model, None, options, load=load(dataset, **{**GOOD, **says}))
    return verdict, {one.attribute: (one.outcome, one.reason) for one in verdict.attributes}


def test_a_better_one_is_promoted(dataset):
    verdict, found = judged(dataset)
    assert verdict.promoted == ALL and verdict.recorded == 3
    assert found["category"][1].startswith("right on 9")
    assert references_in_force(dataset) == dict.fromkeys(ALL, "model:v1")
    row = promotions(dataset)["color"]
    evidence = json.loads(row["evidence"])
    assert row["who"] == "garmentloop promote" and evidence["instead_of"] == "rule:color"
    assert evidence["release"] == "v1" and evidence["release_hash"] == verdict.release_hash
    assert evidence["difference_low"] > 0 and evidence["zero_shot_difference_low"] > 0
    assert evidence["labels"] == 240 and evidence["photos"] == 120
    # all of it was one commit
    rows = dataset.catalog.rows("promotions").to_pylist()
    assert len({each["created_at"] for each in rows}) == 1
    # what is read from proposals follows it, too
    spoke = [Speaker("model:v1", row["tagger"]), Speaker("starter", "x")]
    assert in_force(dataset, "color", spoke, row).model == "model:v1"
    json.dumps(verdict.flat(), allow_nan=False)


def test_again_adds_nothing(dataset):
    judged(dataset)
    verdict, found = judged(dataset)
    assert {outcome for outcome, _ in found.values()} == {Outcome.IN_FORCE}
    assert verdict.recorded == 0 and dataset.catalog.count("promotions") == 3


def test_a_dry_run_writes_nothing(dataset):
    verdict, _ = judged(dataset, options=PromoteOptions(dry_run=True))
    assert verdict.promoted == ALL and verdict.recorded == 0
    assert dataset.catalog.count("promotions") == 0 and references_in_force(dataset) == SETTLED


def test_a_worse_one_is_refused_with_the_reason(dataset):
    verdict, found = judged(dataset, v1=knows(0.55, seed=1), starter=knows(0.85))
    outcome, reason = found["category"]
    assert outcome is Outcome.REFUSED and not verdict.promoted
    assert "is worse than the tagger in force by more than noise: right on 5" in reason
    assert "instead of 8" in reason and "of 240 labels, a difference of -" in reason
    assert references_in_force(dataset) == SETTLED


def test_it_must_beat_zero_shot_as_well_as_the_one_in_force(dataset):
    _, found = judged(dataset, starter=knows(0.97, seed=5))
    outcome, reason = found["color"]  # for color the rule is in force, which knows little
    assert outcome is Outcome.REFUSED and "the zero-shot tagger" in reason
    assert "the tagger in force" not in reason


def test_noise_is_no_win(dataset):
    """Equal taggers differ on some labels; of many challengers hardly any may pass by luck."""
    options = PromoteOptions(dry_run=True, attributes=["category"])
    outcomes = [
        judged(dataset, f"model:v{seed}", options, **{f"v{seed}": knows(0.6, seed=seed)})
        for seed in (1, 2)
    ]
    assert not any(verdict.promoted for verdict, _ in outcomes)
    _, found = judged(dataset, v1=GOOD["starter"])
    assert found["category"][0] is Outcome.REFUSED  # a tie
    assert "a difference of 0.0 points to 0.0 points" in found["category"][1]


def test_an_uncalibrated_one_is_refused(dataset):
    _, found = judged(dataset, v1=knows(0.8, sure=0.995, seed=1))
    outcome, reason = found["category"]
    assert outcome is Outcome.REFUSED and "it is not calibrated: its ECE is 0.1" in reason
    assert "above 0.05" in reason and "noise" not in reason


def test_who_is_right_more_often_but_seldom_says_so_is_refused(dataset):
    """What counts for annotators is what is filled in for them."""
    silent = knows(0.95, seed=1)
    silent.calibrations = {"category": Calibration(threshold=0.97)}
    verdict, found = judged(dataset, v1=silent)
    outcome, reason = found["category"]
    assert outcome is Outcome.REFUSED and "by more than noise" not in reason
    assert "people would have more to do: what it proposes is right on 0.0% of the labels" in reason
    assert "color" in verdict.promoted


def test_it_must_not_lose_elsewhere(dataset):
    def upper_only(attribute, number):
        return knows(0.65 if number % 2 else 0.999, seed=1)(attribute, number)

    def lower_better(attribute, number):
        return knows(0.85 if number % 2 else 0.55, seed=2)(attribute, number)

    options = PromoteOptions(attributes=["category"], dry_run=True)
    says = {"v1": upper_only, "starter": lower_better}
    _, found = judged(dataset, options=options, **says)
    outcome, reason = found["category"]
    assert outcome is Outcome.REFUSED and "in region lower it is right on" in reason
    assert "of 120 labels, more than 2.0 points" in reason and "by more than noise" not in reason
    # who says beforehand that much may be lost, gets it
    lenient = PromoteOptions(attributes=["category"], dry_run=True, margin=0.6)
    _, found = judged(dataset, options=lenient, **says)
    assert "in region lower" not in found["category"][1]


def test_a_category_must_not_cost_the_sub_category(dataset):
    """Its category is better, but takes some shirts for coats; only shirts' kinds were known."""

    def category(shirts, coats, lower, seed):
        def says(number):
            upper = coats if number // 2 % 2 else shirts
            return knows(lower if number % 2 else upper, 0.95, seed=seed)("category", number)

        return says

    in_force, new = category(1, 0.85, 0.6, 3), category(0.85, 1, 0.999, 4)

    def starter(attribute, number):
        if attribute == "category":
            return in_force(number)
        shirt = examined.truth_of(number)["category"] == ("shirt",)
        return knows(1 if shirt else 0, 0.9)(attribute, number)

    def challenger(attribute, number):
        return new(number) if attribute == "category" else []

    _, found = judged(dataset, starter=starter, v1=challenger)
    assert found["category"][0] is Outcome.REFUSED
    assert found["category"][1].startswith("sub_category, which is read under it, would be right")

    only = PromoteOptions(attributes=["category"])  # it counts whether or not it is asked about
    _, found = judged(dataset, options=only, starter=starter, v1=challenger)
    assert found["category"][0] is Outcome.REFUSED and list(found) == ["category"]

    # unless it takes that over as well
    def all_rounder(attribute, number):
        return new(number) if attribute == "category" else knows(0.99)(attribute, number)

    all_rounder.weights = "all"
    assert not judged(dataset, options=only, starter=starter, v1=all_rounder)[0].promoted
    verdict, _ = judged(dataset, starter=starter, v1=all_rounder)
    assert {"category", "sub_category"} <= set(verdict.promoted)


def test_too_few_labels(tmp_path):
    dataset = examined.make(tmp_path / "small", 60)
    trained(dataset)
    _, found = judged(dataset)
    assert found["category"][0] is Outcome.REFUSED
    assert "36 labels of it on 18 photos, and it takes 50 on 20" in found["category"][1]


def test_what_it_does_not_answer(dataset):
    loaded = load(dataset, **GOOD)

    def colorless(reference, names):
        return loaded(reference, ["category"] if reference == "model:v1" else names)

    verdict = promote(dataset, "model:v1", load=colorless)
    found = {one.attribute: one for one in verdict.attributes}
    assert verdict.promoted == ("category",) and "does not answer" in found["color"].reason


def test_only_some_attributes(dataset):
    verdict, found = judged(dataset, options=PromoteOptions(attributes=["color"]))
    assert verdict.promoted == ("color",) == tuple(found)
    assert references_in_force(dataset) == {**SETTLED, "color": "model:v1"}
    with pytest.raises(BadSetting, match="but got size"):
        judged(dataset, options=PromoteOptions(attributes=["size"]))
    with pytest.raises(BadSetting, match="expected a margin"):
        PromoteOptions(margin=2)


@pytest.mark.parametrize("kind", ["garment", "photo", "group"])
def test_a_planted_leak_is_refused(dataset, kind):
    """Something of what it was trained on is in the test split of a later release."""
    seen = next(number for number in range(400) if split_of(number) == "train")
    test = next(number for number in range(400) if split_of(number) == "test")
    if kind == "garment":
        divide(dataset, [seen, seen + 1], lambda number: "test", "split-2")
    elif kind == "photo":  # it saw one garment of the photo, and is examined on the other one
        exclude(dataset, seen + 1)
        list(release(dataset, "v2"))
        trained(dataset, "late", on="v2")
        exclude(dataset, seen)
        exclude(dataset, seen + 1, back=True)
        divide(dataset, [seen, seen + 1], lambda number: "test", "split-2")
    else:  # a near-duplicate of what is no longer there
        exclude(dataset, seen)
        exclude(dataset, seen + 1)
        same = {"version": "split-2", "group": lambda number: photo_of(seen)}
        divide(dataset, [test, test + 1], lambda number: "test", **same)
    list(release(dataset, "v3"))
    model = "model:late" if kind == "photo" else "model:v1"
    verdict, found = judged(dataset, model, late=GOOD["v1"])
    assert verdict.release == "v3" and not verdict.promoted
    assert all(outcome is Outcome.REFUSED for outcome, _ in found.values())
    assert "a leak:" in found["color"][1] and f" {kind}s of the test split" in found["color"][1]
    assert references_in_force(dataset) == SETTLED
    # on the release that it was trained on, there is none
    assert promote(dataset, "model:v1", "v1", load=load(dataset, **GOOD)).promoted == ALL


def exclude(dataset: Dataset, number: int, back: bool = False) -> None:
    row = {"garment_id": examined.name_of(number), "kind": "excluded", "who": "cora"}
    key = {"decision_id": f"back-{number}", "withdraws": f"no-{number}"} if back else {}
    dataset.catalog.add("decisions", [row | {"decision_id": f"no-{number}"} | key])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"on": None}, "does not say on which release"),
        ({"on": "gone"}, "release gone, which is not here"),
        ({"on": "v1", "of": "0" * 64}, "another release v1"),
    ],
)
def test_nobody_is_trusted_who_may_have_seen_it(dataset, change, reason):
    trained(dataset, "odd", **change)
    _, found = judged(dataset, "model:odd", odd=GOOD["v1"])
    assert all(outcome is Outcome.REFUSED for outcome, _ in found.values())
    assert reason in found["category"][1]


def test_calibrate_does_not_believe_what_a_tagger_learnt_by_heart(dataset):
    """On the labels that it was trained on it is right, which earns it nothing."""
    taggers = load(dataset, starter=knows(0.6), v1=knows(1))
    list(prelabel(dataset, taggers=[taggers("starter", None), taggers("model:v1", None)]))
    found = calibrate(dataset)
    assert {each.speaker.model for each in found.measured} == {"starter"}
    assert not found.promoted and references_in_force(dataset) == SETTLED


def test_rollback(dataset):
    judged(dataset, options=PromoteOptions(attributes=["category"]))
    before = references_in_force(dataset)
    verdict, _ = judged(dataset, "model:v2", starter=knows(0.55), v1=knows(0.6), v2=knows(0.95))
    assert verdict.promoted == ALL
    back = rollback(dataset)
    assert [(one.attribute, one.model, one.restored) for one in back] == [
        ("category", "model:v2", "model:v1"),
        ("sub_category", "model:v2", ""),
        ("color", "model:v2", ""),
    ]
    assert references_in_force(dataset) == before == {**SETTLED, "category": "model:v1"}
    row = newest_rows(dataset)["category"]
    assert row["tagger"] and "undoes" in row["evidence"]
    # and one more step, to where nobody was promoted
    assert [one.attribute for one in rollback(dataset)] == ["category"]
    assert references_in_force(dataset) == SETTLED
    with pytest.raises(DatasetError, match="settings' taggers are in force already"):
        rollback(dataset)
    # what is read from proposals follows as well
    spoke = [Speaker("model:v2", "t"), Speaker("starter", "s")]
    assert in_force(dataset, "category", spoke, promotions(dataset)["category"]).model == "starter"


def test_rollback_of_one_attribute_and_promotion_anew(dataset):
    judged(dataset)
    assert [one.attribute for one in rollback(dataset, ["color"])] == ["color"]
    assert references_in_force(dataset) == {**dict.fromkeys(ALL, "model:v1"), "color": "rule:color"}
    with pytest.raises(BadSetting, match="but got size"):
        rollback(dataset, ["size"])
    verdict, _ = judged(dataset)  # the same tagger wins again: a new row, not an old one
    assert verdict.promoted == ("color",) and verdict.recorded == 1
    assert references_in_force(dataset) == dict.fromkeys(ALL, "model:v1")
    assert [one.attribute for one in rollback(dataset)] == ["color"]


def test_rollback_of_a_promotion_for_all(dataset):
    """A row without an attribute stands for all of them."""
    row = {"promotion_id": "p", "kind": "tagger", "model": "model:v1", "tagger": "t", "who": "x"}
    dataset.catalog.add("promotions", [row])
    assert references_in_force(dataset) == dict.fromkeys(ALL, "model:v1")
    assert len(rollback(dataset)) == 3 and references_in_force(dataset) == SETTLED


def start(folder: Path, model: str = "model:v1", **environment: object) -> "subprocess.Popen[str]":
    given = {key: str(value) for key, value in environment.items()}
    return subprocess.Popen(
        [sys.executable, examined.__file__, str(folder), model],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check(folder: Path) -> None:
    """Who is in force is the old one or the new one, whole; promoted again, it is the new one."""
    dataset = Dataset.open(folder)
    assert references_in_force(dataset) in (SETTLED, dict.fromkeys(ALL, "model:v1"))
    assert dataset.catalog.count("promotions") in (0, 3)
    judged(dataset)
    assert references_in_force(dataset) == dict.fromkeys(ALL, "model:v1")
    assert dataset.catalog.count("promotions") == 3


@pytest.mark.faults
def test_killed_at_random_writes(made, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    last = 2 * 15  # files of what was said, then the table: before and after each
    for turn in range(fault_rounds):
        # the last ones are the promotion itself
        write = chance.randrange(last - 6, last) if turn % 2 else chance.randrange(last)
        folder = shutil.copytree(made, tmp_path / f"{seed}-{turn}-{write}")
        process = start(folder, DIE_AT=write)
        process.communicate()
        assert process.returncode in (0, -9)
        check(folder)


@pytest.mark.faults
def test_killed_at_random_moments(made, tmp_path, fault_rounds):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(fault_rounds):
        folder = shutil.copytree(made, tmp_path / f"{seed}-{turn}")
        process = start(folder)
        process.stdout.readline()
        time.sleep(chance.random() * 0.6)
        process.kill()
        process.communicate()
        check(folder)


@pytest.mark.faults
def test_two_at_once(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "data")
    ends = [(p.communicate(), p.returncode) for p in [start(folder), start(folder)]]
    assert [code for _, code in ends] == [0, 0]
    check(folder)


@pytest.mark.faults
def test_two_challengers_at_once(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "data")
    processes = [start(folder), start(folder, "model:v2")]
    ends = [(process.communicate(), process.returncode) for process in processes]
    for (_, errors), code in ends:
        assert code == 0 or "somebody promoted or took back another one meanwhile" in errors
    dataset = Dataset.open(folder)
    assert set(references_in_force(dataset).values()) <= {"model:v1", "model:v2"}
    assert any(code == 0 for _, code in ends)
    # whoever is in force for an attribute was held against the one before
    for row in dataset.catalog.rows("promotions").to_pylist():
        assert json.loads(row["evidence"])["difference_low"] > 0
