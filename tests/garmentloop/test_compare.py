"""Strategies compared: what is measured, that it goes on, and what is told."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from rehearsing import CLASSES

from curate.select.doubt import doubts
from curate.select.pool import pool_of
from garmentloop.simulate.compare import PREPARED, RUNS, CompareOptions, Comparison
from garmentloop.simulate.compare_page import plot, sentences, write_comparison
from garmentloop.simulate.curve import COLUMNS, Mean, Run, curves, reached, table_rows
from garmentloop.simulate.quick import f1_in_force
from garments.dataset import Dataset
from garments.errors import BadInput, BadSetting, DatasetError
from garments.images import encode_jpeg
from garments.said import audit_slice
from garments.whole import write_whole
from tests.curate.wardrobe import scene

STRATEGIES = ("random", "uncertain-diverse")
OPTIONS = CompareOptions(STRATEGIES, seeds=1, rounds=2, budget=8)


def tinted_set(root: Path, count: int = 36) -> Path:
    """`count` different pictures, in a color for each class; every third one is held out."""
    rows = []
    for number in range(count):
        name = list(CLASSES)[number % len(CLASSES)]
        pixels = scene(number, 80, 96) * 0.5 + np.array(CLASSES[name]) * 0.5
        file = f"images/{number:03d}.jpg"
        write_whole(root / file, encode_jpeg(pixels.astype(np.uint8), 90))
        rows.append((file, name, "validation" if number // 3 % 3 == 0 else "train"))
    with (root / "labels.csv").open("w", newline="", encoding="utf-8") as table:
        csv.writer(table).writerows([("file", "category", "split"), *rows])
    return root


def made(strategy: str, seed: int, *f1: float) -> Run:
    labels = tuple(range(0, 100 * len(f1), 100))
    return Run(strategy, seed, False, labels, {"category": f1}, 1.0)


# --- figures


def test_labels_that_reach_a_target_lie_on_the_line_between() -> None:
    assert reached([0, 100, 200], [0.2, 0.4, 0.6], 0.5) == pytest.approx(150)
    assert reached([0, 100, 200], [0.2, 0.4, 0.3], 0.4) == pytest.approx(100)
    assert reached([0, 100], [0.5, 0.6], 0.4) == 0
    assert math.isnan(reached([0, 100], [0.2, 0.3], 0.4))


def test_the_interval_is_students() -> None:
    found = Mean.of([0.5, 0.6, 0.7])
    assert found.value == pytest.approx(0.6)
    assert found.high - found.value == pytest.approx(4.302653 * 0.1 / math.sqrt(3))
    one = Mean.of([0.5, math.nan])
    assert (one.value, one.n) == (0.5, 1) and math.isnan(one.low)
    assert math.isnan(Mean.of([]).value)


def test_strategies_are_held_against_random_seed_by_seed() -> None:
    runs = [
        made("random", 0, 0.2, 0.4, 0.6),
        made("random", 1, 0.2, 0.3, 0.4),
        made("uncertain", 0, 0.2, 0.6, 0.7),
        made("uncertain", 1, 0.2, 0.3, 0.5),
        made("diverse", 0, 0.2, 0.3, 0.4),
    ]
    random, uncertain, diverse = curves(runs, "category")
    assert [one.value for one in random.means] == pytest.approx([0.2, 0.35, 0.5])
    assert uncertain.against(random).value == pytest.approx(0.1)
    assert uncertain.labels_for(random.end.value) == pytest.approx(100 + 100 / 3)
    assert uncertain.saved(random).value == pytest.approx((0.5 + 0.75) / 2)
    assert diverse.saved(random).value == 1.0  # it never gets there
    rows = table_rows(runs)
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert [row[0] for row in rows] == ["random", "uncertain", "diverse"]
    assert rows[1][6] == "133 (67%)" and rows[2][6] == "more"
    told = sentences([random, uncertain, diverse])
    assert "about 133 labels reach what random has with 200 labels (0.500), 67%" in told[0]
    assert "random choice is as good" in told[1]
    shown, grid = plot("category", [random, uncertain])
    assert [one.name for one in shown.lines] == ["random", "uncertain"]
    assert [labels for _, labels in shown.ticks] == [0, 100, 200]
    assert [y for y, _ in grid] == sorted((y for y, _ in grid), reverse=True)


def test_options_that_make_no_sense() -> None:
    with pytest.raises(BadSetting, match="a strategy of new, random"):
        CompareOptions(("random", "errors"))
    with pytest.raises(BadSetting, match="each once"):
        CompareOptions(("random", "random"))
    with pytest.raises(BadSetting, match="at least 1 seed"):
        CompareOptions(seeds=2, studio=3)


# --- a whole one


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, list[Run]]:
    """Two strategies with real models; it was stopped in the first one's second round."""
    folder = tmp_path_factory.mktemp("compare")
    root = tinted_set(folder / "set")
    first = Comparison(root, folder / "out", OPTIONS)
    assert first.prepare() == 12
    for event in first.runs():
        if event.what.endswith("round-2") and event.event and event.event.step == "release":
            break  # as if it was killed
    again = Comparison(root, folder / "out", OPTIONS)
    again.prepare()
    steps = [one.event for one in again.runs() if one.what == "random, seed 0, round-2"]
    assert "skipped" in {one.state for one in steps if one}
    return again, again.finished()


def test_each_run_has_a_point_for_every_round(compared: tuple[Comparison, list[Run]]) -> None:
    comparison, runs = compared
    assert [run.strategy for run in runs] == list(STRATEGIES)
    for run in runs:
        assert run.labels == (0, 8, 16)
        assert list(run.f1) == ["category"]
        assert run.f1["category"][0] < run.f1["category"][2] <= 1  # it learns colors
    assert runs[0].f1["category"][0] == runs[1].f1["category"][0]
    assert {path.name for path in (comparison.folder / RUNS).iterdir()} == {
        f"{name}-0.json" for name in STRATEGIES
    }  # copies are let go


def test_what_is_prepared_stays_as_it_was(compared: tuple[Comparison, list[Run]]) -> None:
    comparison, _ = compared
    dataset = Dataset.open(comparison.folder / PREPARED)
    assert dataset.catalog.count("tasks") == 12
    assert dataset.catalog.count("rounds") == dataset.catalog.count("promotions") == 0
    pool = pool_of(dataset, 0.0, "0", ("category",))
    assert len(pool) == 24 and not set(pool.ids) & audit_slice(dataset)
    assert doubts(pool).proposed == 24
    truth = comparison.base.annotator().truth
    assert f1_in_force(dataset, ("category",), truth)["category"] == pytest.approx(
        comparison.finished()[0].f1["category"][0]
    )


def test_a_probe_says_from_features_what_it_says_of_crops(
    compared: tuple[Comparison, list[Run]], tmp_path: Path
) -> None:
    from annotate.in_force import trained_models
    from annotate.prelabel import PrelabelOptions, prelabel
    from annotate.taggers import load_tagger
    from garmentloop.simulate.compare import _copy, _leave_out
    from garmentloop.simulate.quick import quick_steps
    from garmentloop.simulate.run import Rehearsal

    comparison, _ = compared
    _copy(comparison.folder / PREPARED, tmp_path / "one")
    one = Dataset.open(tmp_path / "one")
    _leave_out(one, 0)
    _leave_out(one, 0)
    assert len(pool_of(one, 0.0, "0").ids) == 19  # four fifths of 24
    options = CompareOptions(STRATEGIES, rounds=1, budget=12).simulate("random", 0)
    rehearsal = Rehearsal(comparison.data, tmp_path / "one", options)
    rehearsal.steps = quick_steps(("category",), rehearsal.annotator().truth)
    list(rehearsal.rounds())
    dataset = rehearsal.dataset
    rows = dataset.catalog.rows("proposals", where="model = 'model:round-1'").to_pylist()
    quick = {row["garment_id"]: row["logits"] for row in rows}
    assert len(quick) == 36
    _copy(comparison.folder / PREPARED, tmp_path / "other")
    other = Dataset.open(tmp_path / "other")
    tagger = load_tagger(
        "model:round-1", other.taxonomy, attributes=("category",), models=trained_models(dataset)
    )
    list(prelabel(other, PrelabelOptions(attributes=("category",)), [tagger]))
    rows = other.catalog.rows("proposals", where="model = 'model:round-1'").to_pylist()
    assert len(rows) == 36
    for row in rows:
        np.testing.assert_allclose(quick[row["garment_id"]], row["logits"], atol=0.02)


def test_record_and_page_are_written(compared: tuple[Comparison, list[Run]]) -> None:
    comparison, runs = compared
    record, page = write_comparison(comparison, runs, 12)
    told = json.loads(record.read_text(encoding="utf-8"))
    assert (told["set"], told["held_out"], len(told["runs"])) == ("clothing", 12, 2)
    assert [Run.read(one) for one in told["runs"]] == runs
    text = page.read_text(encoding="utf-8")
    assert text.count("<circle") == 6
    assert "The annotators are simulated" in text
    assert "16 labels" in text


def test_other_options_need_another_folder(compared: tuple[Comparison, list[Run]]) -> None:
    comparison, _ = compared
    with pytest.raises(BadSetting, match="there it is budget 8"):
        Comparison(comparison.data, comparison.folder, CompareOptions(STRATEGIES, 1, 2, 9))
    more = Comparison(comparison.data, comparison.folder, CompareOptions(STRATEGIES, 2, 2, 8))
    assert len(more.finished()) == 2  # more seeds add to it
    online = CompareOptions(STRATEGIES, 1, 2, 8, studio=1)
    with pytest.raises(BadSetting, match="a way to Label Studio"):
        Comparison(comparison.data, comparison.folder, online)


def test_a_refused_set_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="laid out like the set clothing"):
        Comparison(tmp_path, tmp_path / "out", OPTIONS)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    root = tinted_set(tmp_path / "set", 12)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DatasetError, match="holds something else"):
        Comparison(root, tmp_path / "out", OPTIONS)
