"""Taggers on the test split of a release: the figures, the page, and what is refused."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import examined
import numpy as np
import pytest
from examined import GOOD, Scripted, knows, load, name_of, split_of, trained, truth_of
from examined import label as say
from typer.testing import CliRunner

from annotate.prelabel import load_taggers
from curate.release.write import release
from finetune.evaluate import contenders, evaluate_release
from finetune.evaluate import hear as hearing
from finetune.evaluate import held_out as held_out_rows
from finetune.evaluate.contenders import loader
from finetune.evaluate.figures import Scored, accuracy, confusion, difference
from finetune.evaluate.held_out import read_held_out
from finetune.evaluate.page import page_of, write_evaluation_page
from finetune.evaluate.resample import error_interval, interval, totals
from garmentloop.cli import app
from garments.dataset import Dataset
from garments.errors import BadSetting, DatasetError, ModelError
from garments.metrics import expected_calibration_error, macro_f1, weighted_f1
from garments.settings import SpeedSettings, settings_toml
from garments.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    dataset = examined.make(tmp_path_factory.mktemp("evaluated") / "world", 200)
    trained(dataset)
    return dataset.folder


@pytest.fixture
def dataset(made, tmp_path) -> Dataset:
    return Dataset.open(shutil.copytree(made, tmp_path / "data"))


def scored(truth, probabilities, chosen=None, abstained=None, attribute="category", units=None):
    """By hand: `probabilities` (n, K), the answer is the top value unless given."""
    probabilities = np.array(probabilities, float)
    top = probabilities.argmax(axis=1)[:, None] == np.arange(probabilities.shape[1])
    return Scored(
        Taxonomy.parse(examined.TAXONOMY).attribute(attribute),
        np.arange(len(truth)),
        tuple(units or [f"photo {at}" for at in range(len(truth))]),
        np.array(truth, bool),
        top if chosen is None else np.array(chosen, bool),
        probabilities,
        probabilities.max(axis=1),
        np.zeros(len(truth), bool) if abstained is None else np.array(abstained),
    )


def values(one: Scored) -> dict[str, float]:
    return {name: figure.value for name, figure in one.figures.items()}


def test_figures_of_one_value_by_hand():
    # truth shirt, shirt, coat, jeans; said shirt, coat, coat, shirt
    truth = np.eye(4)[[0, 0, 1, 2]]
    said = [[0.7, 0.1, 0.1, 0.1], [0.3, 0.4, 0.2, 0.1], [0.1, 0.9, 0, 0], [0.4, 0.3, 0.1, 0.2]]
    found = values(scored(truth, said, abstained=[False, True, False, False]))
    assert found["accuracy"] == found["precision_at_1"] == 0.5
    assert found["precision_at_3"] == 0.75  # jeans is the fourth
    # F1: shirt 2*1/(2+2), coat 2*1/(1+2), jeans 0; nobody is or was called skirt
    assert found["macro_f1"] == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)
    assert found["weighted_f1"] == pytest.approx((2 * 1 / 2 + 1 * 2 / 3 + 0) / 4)
    assert found["coverage"] == 0.75 and found["precision"] == pytest.approx(2 / 3)
    # 0.4 twice, never right; 0.7 and 0.9 each right
    assert found["ece"] == pytest.approx((2 * 0.4 + 0.3 + 0.1) / 4)


def test_figures_of_several_values_by_hand():
    # red + white, blue, red; answered red + white, red, red + blue
    truth = [[1, 0, 1], [0, 1, 0], [1, 0, 0]]
    said = [[0.9, 0.2, 0.8], [0.6, 0.3, 0.1], [0.7, 0.65, 0.1]]
    chosen = [[1, 0, 1], [1, 0, 0], [1, 1, 0]]
    one = scored(truth, said, chosen, attribute="color")
    found = values(one)
    assert found["accuracy"] == pytest.approx(1 / 3)  # the exact set
    assert found["precision_at_1"] == pytest.approx(2 / 3)  # the top value is one of them
    # all labelled values are among the three most probable ones
    assert found["precision_at_3"] == 1
    # red 2*2/(2+3), blue 0 of 1 and 1, white 2*1/(1+1)
    assert found["macro_f1"] == pytest.approx((4 / 5 + 0 + 1) / 3)
    assert confusion(one).tolist() == [[2, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_figures_agree_with_the_shared_metrics():
    random = np.random.default_rng(3)
    truth, said = random.integers(0, 4, 300), random.dirichlet(np.ones(4), 300)
    one = scored(np.eye(4)[truth], said)
    top = said.argmax(axis=1)
    found = values(one)
    assert found["accuracy"] == pytest.approx((truth == top).mean())
    assert found["macro_f1"] == pytest.approx(macro_f1(truth, top))
    assert found["weighted_f1"] == pytest.approx(weighted_f1(truth, top))
    assert found["ece"] == pytest.approx(expected_calibration_error(said.max(axis=1), truth == top))


def test_a_value_that_is_not_possible_is_wrong_however_it_is_read():
    one = scored([[1, 0, 0, 0]] * 2, [[0, 0, 0, 0], [1, 0, 0, 0]], [[0] * 4, [1, 0, 0, 0]])
    assert values(one)["accuracy"] == 0.5 and values(one)["precision_at_3"] == 0.5
    assert confusion(one)[0].tolist() == [1, 0, 0, 0, 1]


def test_photos_are_drawn_not_garments():
    hits = np.repeat([1.0, 0.0], 50)[:, None]
    alone = interval(totals([str(at) for at in range(100)], hits)[1:, 0] / 100)
    # the same hundred garments, but of two photos: nobody knows how the third one would look
    together = totals(["a"] * 50 + ["b"] * 50, np.column_stack([hits, np.ones(100)]))
    wide = interval(together[1:, 0] / together[1:, 1])
    assert 0.38 < alone[0] < 0.45 < 0.55 < alone[1] < 0.62
    assert wide == (0.0, 1.0)


def test_intervals_hold_what_they_say_they_hold():
    """Of many samples with a known share about 95 % have it in their interval."""
    random, held = np.random.default_rng(5), 0
    for _ in range(120):
        hits = (random.random(150) < 0.7).astype(float)[:, None]
        low, high = interval(totals([str(at) for at in range(150)], hits, 400)[1:, 0] / 150)
        held += low <= 0.7 <= high
    assert 0.88 <= held / 120 <= 0.99


def test_a_calibrated_tagger_on_few_labels_is_not_called_uncalibrated():
    """Chance alone makes its error large; a mirrored interval nearly always holds 0.05."""
    random, mirrored, plain = np.random.default_rng(7), 0, 0
    for _ in range(15):
        sure = random.beta(5, 2, 120)
        hit = random.random(120) < sure
        said = np.column_stack([sure, *[(1 - sure) / 3] * 3])
        one = scored(np.eye(4)[np.where(hit, 0, 1)], said, np.eye(4)[[0] * 120])
        mirrored += one.figures["ece"].low <= 0.05
        plain += interval(expected_errors(one))[0] <= 0.05
    assert mirrored >= 12 and plain <= 3  # plain percentiles would turn it down
    assert error_interval(0.1, np.array([0.12, 0.14, 0.16])) == pytest.approx((0.041, 0.1), 0.01)


def expected_errors(one: Scored) -> np.ndarray:
    """Its calibration error in draws of its garments."""
    source, count = np.random.default_rng(0), len(one)
    drawn = [source.integers(0, count, count) for _ in range(200)]
    return np.array([expected_calibration_error(one.confidence[d], one.hit[d]) for d in drawn])


def test_differences_are_in_pairs():
    truth = np.eye(4)[[0] * 60]
    good = scored(truth, np.eye(4)[[0] * 40 + [1] * 20] * 0.9)
    same = scored(truth, np.eye(4)[[0] * 40 + [1] * 20] * 0.6)
    assert difference(good, same).value == difference(good, same).high == 0
    worse = scored(truth, np.eye(4)[[0] * 30 + [1] * 30])
    found = difference(good, worse)
    assert found.value == pytest.approx(1 / 6) and 0 < found.low < 1 / 6 < found.high
    assert accuracy(good).value == pytest.approx(2 / 3)


def test_only_test_rows_with_a_label_are_scored(dataset):
    held_out = read_held_out(dataset)
    test = [number for number in range(200) if split_of(number) == "test"]
    assert held_out.garment_ids == tuple(name_of(number) for number in test)
    uppers = [at for at, number in enumerate(test) if number % 2 == 0]
    assert held_out.labelled("sub_category").tolist() == uppers
    crop = held_out_rows.crops_at(held_out.files, range(3))[1]
    assert crop.region == "lower" and crop.mask is not None and crop.mask.all()
    assert examined.number_of(crop.pixels) == test[1]


def test_not_visible_disputed_and_nothing_applies_are_left_out(dataset):
    say(dataset, {4: {"category": ("not_visible",)}, 6: {"category": ()}})
    # of garments of the audit slice two who differ leave nothing that holds
    dataset.catalog.put(
        "tasks", [{"task_id": "t", "garment_id": name_of(8), "audit": True, "state": "done"}]
    )
    say(dataset, {8: {"category": ("jeans",)}}, who="bert")
    list(release(dataset, "v2"))
    held_out = read_held_out(dataset)
    assert held_out.name == "v2"
    there = {held_out.garment_ids[row] for row in held_out.labelled("category").tolist()}
    everybody = {name_of(number) for number in range(200) if split_of(number) == "test"}
    assert everybody - there == {name_of(4), name_of(6), name_of(8)}


def test_side_by_side(dataset):
    taggers = load(dataset, **GOOD)
    found = evaluate_release(dataset, models=["model:v1"], load=taggers)
    assert list(found.scored) == ["category", "sub_category", "color"]
    assert list(found.scored["color"]) == ["zero_shot", "rule_color", "champion", "model:v1"]
    assert list(found.scored["category"]) == ["zero_shot", "champion", "model:v1"]
    assert found.contenders["champion"].model("color") == "rule:color"
    # each was asked once about each test garment, as its own share of truth shows
    assert all(len(one.seen) == 120 for one in taggers.made.values())
    rows = found.held_out.labelled("category").tolist()
    numbers = [int(found.held_out.garment_ids[row], 16) for row in rows]
    right = [
        GOOD["v1"]("category", number)[0][0] == truth_of(number)["category"][0]
        for number in numbers
    ]
    assert found.scored["category"]["model:v1"].right.tolist() == right
    flat = found.flat()
    assert flat["category_model:v1_accuracy"] == pytest.approx(np.mean(right))
    assert flat["category_n"] == 120 and flat["release"] == "v1"
    assert flat["category_region_upper_model:v1_accuracy"] > 0.8
    json.dumps(flat, allow_nan=False)


def test_sub_category_is_read_under_the_taggers_own_category(dataset):
    says = {**GOOD, "v1": lambda name, number: [] if name == "category" else knows(1)(name, number)}
    found = evaluate_release(dataset, models=["model:v1"], load=load(dataset, **says))
    # it always takes an upper garment for a shirt, so parkas and capes cannot be found
    assert found.scored["sub_category"]["model:v1"].figures["accuracy"].value == 0.5


def test_what_was_said_is_kept(dataset):
    first, again = load(dataset, **GOOD), load(dataset, **GOOD)
    one = evaluate_release(dataset, models=["model:v1"], load=first).flat()
    two = evaluate_release(dataset, models=["model:v1"], load=again).flat()
    assert one == two and not any(tagger.seen for tagger in again.made.values())
    # another version of it, with other weights, is asked anew; a part that broke too
    part = next(iter((dataset.run / "evaluations").rglob("*.npz")))
    part.write_bytes(part.read_bytes()[:100])

    def newer(reference, names):
        tagger = load(dataset, **GOOD)(reference, names)
        tagger.weights_hash += "+" if reference == "model:v1" else ""
        asked[reference] = tagger
        return tagger

    asked: dict[str, Scripted] = {}
    evaluate_release(dataset, models=["model:v1"], load=newer)
    assert len(asked["model:v1"].seen) == 120
    assert sum(bool(tagger.seen) for tagger in asked.values()) in (1, 2)


def test_whoever_is_killed_goes_on(dataset, monkeypatch):
    monkeypatch.setattr(held_out_rows, "PART", 50)
    monkeypatch.setattr(hearing, "PART", 50)
    taggers = load(dataset, **GOOD)

    def stop(done, total):
        if done == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_release(dataset, load=taggers, tell=stop)
    assert len(taggers.made["starter"].seen) == 100
    again = load(dataset, **GOOD)
    found = evaluate_release(dataset, load=again)
    assert len(again.made["starter"].seen) == 20
    whole = evaluate_release(Dataset.open(dataset.folder), load=load(dataset, **GOOD))
    assert found.flat() == whole.flat() and found.held_out.parts == 3


def test_only_some_attributes(dataset):
    found = evaluate_release(dataset, attributes=["sub_category"], load=load(dataset, **GOOD))
    assert list(found.scored) == ["sub_category"]
    assert "category" in found.contenders["zero_shot"].voices  # by which it is read
    with pytest.raises(BadSetting, match=r"category, sub_category, color .* but got size"):
        evaluate_release(dataset, attributes=["size"], load=load(dataset, **GOOD))


def test_taggers_run_as_they_do_when_they_prelabel(dataset):
    settings = dataset.settings.changed({"speed.precision": "bf16"})
    (dataset.folder / "dataset.toml").write_text(settings_toml(settings), encoding="utf-8")
    dataset = Dataset.open(dataset.folder)
    [prelabels] = (one for one in load_taggers(dataset) if one.reference == "starter")
    judged = loader(dataset)("starter", ["category"])
    other = loader(dataset, speed=SpeedSettings(precision="fp32"))("starter", ["category"])
    versions = [one.version("category") for one in (prelabels, judged, other)]
    assert versions[0] == versions[1] != versions[2]


def test_calibrations_of_the_catalogue_go_first(dataset):
    evaluate_release(dataset, load=load(dataset, **GOOD))
    version = load(dataset, **GOOD)("starter", None).version("category")
    row = {"calibration_id": "x", "tagger": version.id, "attribute": "category"}
    more = {"temperature": 1.0, "bias": 0.0, "threshold": 0.99, "items": 9, "source": "labels"}
    dataset.catalog.add("calibrations", [row | more])
    found = evaluate_release(dataset, load=load(dataset, **GOOD))
    assert found.scored["category"]["zero_shot"].figures["coverage"].value == 0


def test_proposals_for_fiftyone(dataset):
    again = {"models": ["model:v1"], "load": load(dataset, **GOOD), "record": True}
    evaluate_release(dataset, **again)
    count = dataset.catalog.count("proposals")
    # three attributes by two taggers and color by the rule, of every test garment
    assert count == 120 * (3 + 3 + 1)
    evaluate_release(dataset, **again)
    assert dataset.catalog.count("proposals") == count


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: shutil.rmtree(d.releases), "no.* is none yet; `garmentloop curate release v1"),
        (lambda d: next(d.releases.glob("v1/data/test-*")).unlink(), "curate verify v1"),
        (lambda d: flip(next(d.releases.glob("v1/data/test-*"))), "its content is another"),
        (lambda d: flip(d.releases / "v1" / "manifest.json"), "take the release again"),
    ],
)
def test_releases_that_cannot_be_used(dataset, spoil, message):
    spoil(dataset)
    with pytest.raises(DatasetError, match=message.replace("no.* is", "is")):
        evaluate_release(dataset, load=load(dataset, **GOOD))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_no_test_rows(dataset):
    examined.divide(dataset, range(200), lambda number: "train", "split-2")
    list(release(dataset, "v2"))
    with pytest.raises(DatasetError, match=r"audit slice .*annotate push --audit"):
        evaluate_release(dataset, load=load(dataset, **GOOD))
    assert evaluate_release(dataset, "v1", load=load(dataset, **GOOD)).held_out.name == "v1"


def test_other_values_than_the_release(dataset):
    white = '{ id = "white", title = "White", anchors = ["#ffffff"] },'
    text = examined.TAXONOMY.replace(white, "")
    (dataset.folder / "taxonomy.toml").write_text(text)
    changed = Dataset.open(dataset.folder)
    found = evaluate_release(changed, attributes=["category"], load=load(changed, **GOOD))
    assert found.held_out.other_values == ("color",)
    text = text.replace('"shirt"', '"tee"').replace('"polo"', '"x"')
    (dataset.folder / "taxonomy.toml").write_text(text)
    with pytest.raises(DatasetError, match="make a new release"):
        evaluate_release(Dataset.open(dataset.folder), load=load(changed, **GOOD))


def test_a_model_of_another_taxonomy(dataset):
    other = Taxonomy.parse(examined.TAXONOMY.replace('"skirt", title', '"kilt", title'))

    def foreign(reference, names):
        taxonomy = other if reference == "model:v1" else dataset.taxonomy
        return Scripted(taxonomy, reference, lambda *_: [], names)

    with pytest.raises(ModelError, match="made for another taxonomy; train it again"):
        evaluate_release(dataset, models=["model:v1"], load=foreign)


def test_page_with_nasty_names(dataset):
    dataset.change({"name": "<script>alert('x')</script>"})
    says = {**GOOD, "v2": knows(0.8, seed=9)}
    models = ["model:v1", "model:v2"]
    trained(dataset, "v2")
    found = evaluate_release(dataset, models=models, load=load(dataset, **says))
    page = write_evaluation_page(dataset, found)
    text = page.read_text()
    assert page.name == "evaluation-v1.html"
    assert "<script" not in text and "&lt;script&gt;alert" in text
    assert "Category &lt;b&gt;&amp;&lt;/b&gt;" in text and "bert &amp; &lt;i&gt;co" in text
    assert "http" not in re.sub(r"data:image/jpeg;base64,[\w+/=]+", "", text)
    assert text.count("data:image/jpeg") == sum(
        min(12, int((~by_key["model:v1"].right).sum())) for by_key in found.scored.values()
    )
    assert "clearly better" in text and "Confusion matrix" in text
    assert not re.search(r"\bnan\b", text)


def test_page_is_drawn_by_a_browser(dataset, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("needs chromium")
    found = evaluate_release(dataset, load=load(dataset, **GOOD))
    page = write_evaluation_page(dataset, found)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'x'}"]
    told = subprocess.run(
        [browser, *flags, "--dump-dom", page.resolve().as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "At a glance" in told.stdout and told.stdout.count("<svg") > 6


def test_commands(dataset, tmp_path, monkeypatch):
    """`evaluate tagger` and `promote` as a user runs them, with stand-ins for the models."""
    monkeypatch.setattr(contenders, "loader", lambda dataset, *how: load(dataset, **GOOD))
    run, folder, figures = CliRunner(), ["--dataset", str(dataset.folder)], tmp_path / "f.json"
    asked = ["evaluate", "tagger", *folder, "--model", "model:v1", "--page", "--json", str(figures)]
    told = run.invoke(app, asked)
    assert told.exit_code == 0, told.output
    assert "zero-shot, in force: starter" in told.output and "challenger: model:v1" in told.output
    assert "Release v1" in told.output and page_of(dataset, "v1").is_file()
    assert json.loads(figures.read_text())["category_model:v1_accuracy"] > 0.9
    assert run.invoke(app, ["evaluate", "tagger"]).exit_code == 2
    assert run.invoke(app, [*asked, "--data", "x"]).exit_code == 2
    told = run.invoke(app, ["promote", "model:v1", *folder, "--dry-run"])
    assert "category: would be promoted instead of starter: right on 9" in told.output
    assert dataset.catalog.count("promotions") == 0
    told = run.invoke(app, ["promote", "model:v1", *folder, "--json", str(figures)])
    assert "In force now for category, sub_category, color." in told.output
    assert json.loads(figures.read_text())["category_outcome"] == "promoted"
    told = run.invoke(app, ["promote", "model:v1", *folder])
    assert "in force already" in told.output and "Nobody was put in force" in told.output
