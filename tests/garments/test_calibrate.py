"""Calibration on people's labels: what is fitted, what is kept out, who comes in force."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garments.answers import value_of
from garments.calibrate import FEWEST, Calibrated, calibrate, record_model_calibrations
from garments.calibration import Calibration
from garments.calibration_page import bars, write_calibration_page
from garments.catalog.rows import source_row
from garments.dataset import Dataset
from garments.fitting import ENOUGH_FOR_PRECISION, NEVER, fit, threshold_for
from garments.ids import stable_id
from garments.inforce import calibrations
from garments.labelled import labels_to_fit
from garments.measured import Curve
from garments.metrics import expected_calibration_error
from garments.proposals import readings
from garments.reading import probabilities
from garments.records import Source
from garments.tagger import TaggerVersion
from garments.taxonomy import Taxonomy

PATTERN, COLOR = (Taxonomy.default().attribute(name) for name in ("pattern", "color"))


def overconfident(
    width: int, count: int = 2000, temperature: float = 3.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, K) that are too large by `temperature`, and true values (N, K) drawn from them."""
    source = np.random.default_rng(seed)
    honest = source.normal(0, 2, (count, width))
    powers = np.exp(honest)
    drawn = (powers / powers.sum(1, keepdims=True)).cumsum(1) > source.random((count, 1))
    truth = np.arange(width) == drawn.argmax(1)[:, None]
    return honest * temperature, truth


def test_the_temperature_is_found() -> None:
    logits, truth = overconfident(len(PATTERN.ids))
    found = fit(PATTERN, logits, truth, np.ones(truth.shape, bool), Calibration(threshold=0.5))
    assert found.temperature == pytest.approx(3.0, rel=0.1)
    assert (found.bias, found.threshold, found.items) == (0.0, 0.5, 2000)


def test_temperature_and_bias_of_several_values_are_found() -> None:
    source = np.random.default_rng(0)
    honest = source.normal(-1, 2, (1000, len(COLOR.ids)))
    truth = source.random(honest.shape) < 1 / (1 + np.exp(-honest))
    found = fit(COLOR, honest * 2 + 1.5, truth, np.ones(truth.shape, bool), Calibration())
    assert found.temperature == pytest.approx(2.0, rel=0.1)
    assert found.bias == pytest.approx(-1.5, abs=0.2)


def test_few_labels_that_are_all_right_make_nobody_certain() -> None:
    logits = np.zeros((3, len(PATTERN.ids)))
    logits[:, 0] = 2.0
    truth = np.zeros(logits.shape, bool)
    truth[:, 0] = True
    allowed = np.ones(truth.shape, bool)
    assert fit(PATTERN, logits, truth, allowed, Calibration()).temperature > 0.2
    nothing = (logits[:0], truth[:0], allowed[:0])
    assert fit(PATTERN, *nothing, Calibration(1.5, 0.2)) == Calibration(1.5, 0.2)


def test_labels_that_are_not_allowed_are_left_out() -> None:
    logits, truth = overconfident(len(PATTERN.ids), 100)
    allowed = np.repeat(np.arange(100)[:, None] < 50, truth.shape[1], axis=1)
    whole = fit(PATTERN, logits[:50], truth[:50], allowed[:50], Calibration())
    assert fit(PATTERN, logits, truth, allowed, Calibration()) == whole


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0.3, 6), st.floats(0.2, 5))
def test_fitting_never_makes_labels_less_likely(seed: int, start: float, scale: float) -> None:
    logits, truth = overconfident(len(PATTERN.ids), 60, scale, seed)
    allowed = np.ones(truth.shape, bool)
    before = Calibration(temperature=start)
    after = fit(PATTERN, logits, truth, allowed, before)

    def likelihood(calibration: Calibration) -> float:
        return float(np.log(probabilities(PATTERN, logits, calibration, allowed)[truth]).sum())

    assert likelihood(after) >= likelihood(before) - 1e-6


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=ENOUGH_FOR_PRECISION, max_size=80),
    st.floats(0.01, 0.99),
)
def test_the_threshold_keeps_the_wished_precision(
    answers: list[tuple[float, bool]], wished: float
) -> None:
    confidence = np.array([sure for sure, _ in answers])
    correct = np.array([right for _, right in answers])
    found = threshold_for(wished, confidence, correct)
    above = confidence >= found
    if found == NEVER:
        assert not above.any()
    else:
        assert correct[above].mean() >= wished
    lower = confidence[confidence < found]
    for other in lower:
        assert correct[confidence >= other].mean() < wished, "no lower one would do"


def test_with_few_labels_confidence_is_believed() -> None:
    few = np.array([0.1, 0.9, 0.72, 0.78])
    assert threshold_for(0.8, few, np.ones(4, bool)) == 0.72, "0.9, 0.78 and 0.72 are 0.8 together"
    assert threshold_for(0.8, few, np.zeros(4, bool)) == 0.72, "so few say nothing by themselves"
    assert threshold_for(0.95, few, np.ones(4, bool)) == 0.95, "others may be surer"
    assert threshold_for(0.8, np.array([0.85, 0.9]), np.ones(2, bool)) == 0.8
    assert threshold_for(0.8, np.zeros(0), np.zeros(0, bool)) == 0.8


# Whole data sets


class Rehearsal:
    """A data set with garments, proposals that are too sure of themselves, and labels."""

    def __init__(self, folder: Path, count: int = 120) -> None:
        self.dataset = Dataset.create(folder)
        self.ids = [stable_id("garment", number) for number in range(count)]
        same = {"photo_id": "p", "region": "upper", "crop_sha": "c"}
        self.dataset.catalog.add("garments", [same | {"garment_id": name} for name in self.ids])

    def propose(self, attribute: str, logits: np.ndarray, model: str = "starter") -> None:
        taxonomy = self.dataset.taxonomy
        same = {
            "crop_sha": "c",
            "attribute": attribute,
            "tagger": f"{model}-{attribute}",
            "model": model,
            "vocabulary_hash": taxonomy.vocabulary_hash(attribute),
            "activation": "softmax",
        }
        rows = [
            same
            | {
                "proposal_id": stable_id(model, attribute, name),
                "garment_id": name,
                "logits": row.tolist(),
            }
            for name, row in zip(self.ids, logits, strict=False)
        ]
        self.dataset.catalog.add("proposals", rows)

    def label(self, attribute: str, values: Sequence[str], kind: str = "annotator") -> None:
        same = {"attribute": attribute, "kind": kind, "annotator": "ann"}
        rows = [
            same
            | {
                "label_id": stable_id(kind, attribute, name),
                "garment_id": name,
                "value": value_of([value]),
            }
            for name, value in zip(self.ids, values, strict=False)
        ]
        self.dataset.catalog.add("labels", rows)

    def calibrations(self) -> list[dict[str, Any]]:
        return self.dataset.catalog.rows("calibrations").to_pylist()


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    """120 garments of which an overconfident tagger tells the pattern, all labelled."""
    made = Rehearsal(tmp_path / "d")
    logits, truth = overconfident(len(PATTERN.ids), len(made.ids), 4.0)
    made.propose("pattern", logits)
    made.label("pattern", [PATTERN.ids[at] for at in truth.argmax(1)])
    return made


def test_confidence_comes_to_mean_something(rehearsal: Rehearsal) -> None:
    found = calibrate(rehearsal.dataset, precision=0.8)
    [each] = found.measured
    assert each.calibration is not None
    assert each.after is not None
    assert each.after.error < each.before.error
    assert each.after.low <= each.after.error
    assert each.calibration.temperature > 2
    assert each.precision >= 0.8
    assert 0 < each.coverage < 1
    assert (each.labels, each.in_force, found.promoted) == (120, True, [])
    [row] = rehearsal.calibrations()
    assert (row["source"], row["tagger"], row["items"]) == ("labels", "starter-pattern", 120)
    assert json.loads(row["details"])["ece_after"] == each.after.error
    said = [by["pattern"] for by in readings(rehearsal.dataset).values()]
    assert sum(reading.abstained for reading in said) > 10
    sure = np.mean([reading.confidence for reading in said])
    assert sure == pytest.approx(each.accuracy, abs=0.05)


def test_again_on_the_same_labels_adds_nothing(rehearsal: Rehearsal) -> None:
    calibrate(rehearsal.dataset)
    calibrate(rehearsal.dataset)
    assert len(rehearsal.calibrations()) == 1
    calibrate(rehearsal.dataset, precision=0.9)
    first = calibrations(rehearsal.dataset)
    calibrate(rehearsal.dataset)
    assert len(rehearsal.calibrations()) == 3, "what held before may hold again"
    assert calibrations(rehearsal.dataset) != first


def test_a_dry_run_writes_nothing(rehearsal: Rehearsal) -> None:
    before = sorted(rehearsal.dataset.folder.rglob("*"))
    assert calibrate(rehearsal.dataset, dry_run=True).measured
    assert sorted(rehearsal.dataset.folder.rglob("*")) == before


def test_too_few_labels_fit_nothing(tmp_path: Path) -> None:
    made = Rehearsal(tmp_path / "d", FEWEST - 1)
    logits, truth = overconfident(len(PATTERN.ids), len(made.ids))
    made.propose("pattern", logits)
    made.label("pattern", [PATTERN.ids[at] for at in truth.argmax(1)])
    [each] = calibrate(made.dataset).measured
    assert (each.calibration, each.after) == (None, None)
    assert made.calibrations() == []


def test_nothing_to_calibrate(tmp_path: Path) -> None:
    made = Rehearsal(tmp_path / "d", 3)
    assert calibrate(made.dataset).measured == []
    made.label("pattern", ["solid"] * 3)
    assert calibrate(made.dataset).measured == []


def test_the_test_split_and_the_audit_slice_are_never_used(rehearsal: Rehearsal) -> None:
    dataset, ids = rehearsal.dataset, rehearsal.ids

    def split(version: str, names: Sequence[str], where: str) -> None:
        rows = [
            {"split_id": version + name, "version": version, "garment_id": name, "split": where}
            for name in names
        ]
        dataset.catalog.add("splits", rows)

    split("1", ids[:40], "test")
    split("2", ids[:10], "train")
    split("3", ids[:5], "quarantine")
    audit = [{"task_id": n, "garment_id": n, "audit": n in ids[100:]} for n in ids[90:]]
    dataset.catalog.add("tasks", audit)
    labels = labels_to_fit(dataset)
    assert (labels.test, labels.audit) == (30, 20)
    assert labels.garments == set(ids[5:10]) | set(ids[40:100])
    assert calibrate(dataset).measured[0].labels == 65
    held_out = Source("s", "a.jpg", "p", split="test")  # the photo of all of them
    dataset.catalog.add("sources", [source_row(held_out)])
    labels = labels_to_fit(dataset)
    assert labels.test >= 100 and not labels.garments


def test_whose_words_are_fitted_to(tmp_path: Path) -> None:
    made = Rehearsal(tmp_path / "d", 30)
    made.label("pattern", ["solid"] * 30, kind="simulated")
    assert labels_to_fit(made.dataset).answers == {}
    made.dataset.change({"simulated": True})
    assert len(labels_to_fit(made.dataset).answers["pattern"]) == 30
    made.label("color", ["red"] * 5 + ["no color"] * 5 + ["not_visible"] * 5, kind="import")
    assert set(labels_to_fit(made.dataset).answers["color"]) == set(made.ids[:5])


def two_taggers(tmp_path: Path, count: int) -> tuple[Rehearsal, Calibrated]:
    """`other` is always right about the pattern, the tagger in force hardly ever."""
    made = Rehearsal(tmp_path / "d", count)
    logits, truth = overconfident(len(PATTERN.ids), count)
    made.propose("pattern", 4.0 * truth, "other")
    made.propose("pattern", np.roll(logits, 1, axis=1))
    made.label("pattern", [PATTERN.ids[at] for at in truth.argmax(1)])
    return made, calibrate(made.dataset)


def test_the_better_tagger_comes_in_force(tmp_path: Path) -> None:
    made, found = two_taggers(tmp_path, 60)
    assert [(each.speaker.model, each.in_force) for each in found.measured] == [
        ("starter", True),
        ("other", False),
    ]
    [promotion] = found.promoted
    assert (promotion.speaker.model, promotion.instead.model) == ("other", "starter")
    [row] = made.dataset.catalog.rows("promotions").to_pylist()
    assert (row["kind"], row["attribute"], row["model"]) == ("tagger", "pattern", "other")
    assert json.loads(row["evidence"])["accuracy"] == 1.0
    assert readings(made.dataset)[made.ids[0]]["pattern"].tagger == "other-pattern"
    again = calibrate(made.dataset)
    assert again.promoted == []
    assert [each.speaker.model for each in again.measured] == ["other", "starter"]


def test_few_shared_labels_change_nothing(tmp_path: Path) -> None:
    made, found = two_taggers(tmp_path, 49)
    assert len(found.measured) == 2
    assert found.promoted == []
    assert made.dataset.catalog.count("promotions") == 0


def test_an_equal_tagger_changes_nothing(rehearsal: Rehearsal) -> None:
    logits, _ = overconfident(len(PATTERN.ids), len(rehearsal.ids), 4.0)
    rehearsal.propose("pattern", logits / 2, "other")
    assert calibrate(rehearsal.dataset).promoted == []


def test_sub_categories_are_fitted_under_the_category_that_was_read(tmp_path: Path) -> None:
    made = Rehearsal(tmp_path / "d", 200)
    taxonomy = made.dataset.taxonomy
    subs, cats = taxonomy.attribute("sub_category"), taxonomy.attribute("category")
    children = [taxonomy.children("sub_category", name) for name in ("shirt", "blouse")]
    source = np.random.default_rng(0)
    kind = source.integers(0, 2, 200)
    true = [children[k][source.integers(0, 3)] for k in kind]
    logits = source.normal(0, 1, (200, len(subs.ids)))
    logits[np.arange(200), [subs.ids.index(name) for name in true]] += 3
    told = source.normal(0, 1, (200, len(cats.ids)))
    told[np.arange(200), [cats.ids.index(("shirt", "blouse")[k]) for k in kind]] += 5
    made.propose("category", told)
    made.propose("sub_category", logits)
    made.label("category", [("shirt", "blouse")[k] for k in kind])
    made.label("sub_category", true)
    category, sub = calibrate(made.dataset, precision=0.9).measured
    assert (category.attribute, sub.attribute) == ("category", "sub_category")
    assert sub.calibration is not None
    assert sub.accuracy <= category.accuracy
    assert sub.precision >= 0.9


def test_what_a_model_brings_along_is_kept_once(rehearsal: Rehearsal) -> None:
    def version(attribute: str) -> TaggerVersion:
        return TaggerVersion("starter", "w", "v", "p", "grey")

    shipped = {"pattern": Calibration(3.0, 0.0, 0.4, 99), "unheard": Calibration()}
    tagger: Any = SimpleNamespace(
        reference="starter", attributes=("pattern",), calibrations=shipped, version=version
    )
    assert record_model_calibrations(rehearsal.dataset, tagger) == 1
    assert record_model_calibrations(rehearsal.dataset, tagger) == 0
    key = (version("pattern").id, "pattern")
    assert calibrations(rehearsal.dataset) == {key: shipped["pattern"]}
    assert rehearsal.calibrations()[0]["source"] == "model"


def test_the_page_shows_what_was_found(rehearsal: Rehearsal) -> None:
    rehearsal.dataset.change({"name": "<b>mine</b>"})
    found = calibrate(rehearsal.dataset)
    text = write_calibration_page(rehearsal.dataset, found).read_text()
    assert text.count("<svg") == 2
    assert "&lt;b&gt;mine" in text
    assert "<b>mine" not in text
    assert "http" not in text
    assert found.measured[0].after is not None
    assert f"{100 * found.measured[0].after.error:.1f} %" in text


def test_the_page_of_nothing(tmp_path: Path) -> None:
    made = Rehearsal(tmp_path / "d", 1)
    page = write_calibration_page(made.dataset, calibrate(made.dataset))
    assert "Nothing to calibrate yet" in page.read_text()


def test_bars_of_a_diagram() -> None:
    confidence, correct = np.array([0.05, 0.95, 0.97]), np.array([False, True, True])
    curve = Curve.of(confidence, correct)
    assert curve.error == expected_calibration_error(confidence, correct)
    low, high = bars(curve)
    assert low["x"] == 0
    assert high["accuracy"] == 1
    assert high["weight"] == 1
    assert high["y"] == pytest.approx(0)
