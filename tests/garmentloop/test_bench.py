"""The benchmarks can be run, and say what they measured."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from garmentloop.bench import (
    FULL,
    LARGE,
    SMALL,
    Figure,
    benches,
    catalogue,
    floor,
    gpu,
    models,
    stages,
    suspects,
    told,
)
from garmentloop.bench.__main__ import app, line
from garmentloop.bench.suspects import Labelled
from garments.images import decode


def test_small_is_smaller_than_full() -> None:
    assert SMALL.photos < FULL.photos < FULL.many_photos
    assert SMALL.garments < FULL.garments and FULL.grid < LARGE.grid


def test_line_of_a_figure() -> None:
    assert line(Figure("rows", 1_000_000, "rows")).split() == ["rows", "1,000,000", "rows"]
    assert line(Figure("pace", 2.5, "1/s", "starter")).endswith("2.50 1/s  (starter)")


def test_unknown_benchmark_names_the_known_ones() -> None:
    result = CliRunner().invoke(app, ["nonsense"])
    assert result.exit_code == 2
    assert all(name in result.output for name in benches())


def test_catalogue_benchmark_counts_what_it_wrote(tmp_path: Path) -> None:
    figures = {figure.key: figure.value for figure in catalogue.measure(tmp_path, SMALL)}
    assert figures["catalogue_garments"] == SMALL.garments
    assert figures["status_seconds"] > 0


def test_figures_are_written_as_json(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    result = CliRunner().invoke(
        app, ["catalogue", "--small", "--json", str(out), "--scratch", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    written = json.loads(out.read_text())
    assert written["catalogue_garments"] == written["garments"] == SMALL.garments
    assert "cores of" in written["machine"]
    table = told.table(written)
    assert table.count("\n| ") == 3, "a row was made of figures that nobody measured"
    assert f"`status` of {SMALL.garments:,} garments" in table


def test_products_of_matrices_are_counted_as_what_they_are() -> None:
    conv = nn.Conv2d(8, 12, 3, padding=1, groups=4)
    line_, query = nn.Linear(5, 7), torch.zeros(1, 2, 6, 4)
    with floor.Products() as counting, torch.inference_mode():
        conv(torch.zeros(2, 8, 10, 9))
        line_(torch.zeros(3, 11, 5))
        nn.functional.scaled_dot_product_attention(query, query, query)
    assert counting.seen == {
        (4, 2 * 10 * 9, 2 * 9, 3): 1,
        (1, 33, 5, 7): 1,
        (2, 6, 4, 6): 1,
        (2, 6, 6, 4): 1,
    }
    assert floor.gflop(Counter({(1, 1000, 1000, 1000): 3})) == 6.0
    assert floor.seconds_of(Counter({(1, 64, 64, 64): 2, (8, 9, 9, 1): 1})) > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    (figure,) = gpu.measure(tmp_path)
    assert "no GPU" in figure.note and "GPU" not in told.table({"seconds": 1, "machine": "-"})


def some_labels(count: int = 400) -> Labelled:
    """Three values with a centre each; 0 and 1 are near to one another."""
    given = np.arange(count) % 3
    vectors = np.array([[1, 0.0], [1, 0.3], [0, 1]], np.float32)[given]
    return Labelled(given, 3, vectors, np.arange(count) % 5)


@pytest.mark.parametrize("kind", suspects.KINDS)
def test_as_many_labels_are_changed_as_told_and_each_to_another(kind: str) -> None:
    found = some_labels()
    given, wrong = suspects.changed(found, kind, 0)
    assert wrong.sum() == 20 and ((given != found.given) == wrong).all()
    again, _ = suspects.changed(found, kind, 0)
    assert (again == given).all()
    if kind == "look-alike":
        assert suspects.look_alikes(found).tolist() == [1, 0, 1]
        assert set(given[wrong & (found.given == 2)]) <= {1}


def test_quality_is_that_of_the_order() -> None:
    wrong = np.array([True, True, False, False])
    assert suspects.quality(np.array([4.0, 3, 2, 1]), wrong)[0::2] == (1.0, 1.0)
    assert suspects.quality(np.array([1.0, 2, 3, 4]), wrong)[0] == 0.0
    assert suspects.quality(np.array([4.0, 1, 3, 2]), wrong)[:2] == (0.5, 0.5)


def test_stages_are_told_apart(tmp_path: Path) -> None:
    few = replace(SMALL, stage_photos=2)
    figures = {figure.key: figure.value for figure in stages.measure(tmp_path, few)}
    assert {f"stage_{name}" for name in stages.WORDS} < figures.keys()
    assert figures["stage_detect"] > 0 and 0 < figures["stage_outside_models"] < 100


def test_photos_of_the_model_benchmark_are_large_enough(tmp_path: Path) -> None:
    words = models.write_photos(tmp_path / "photos", 2)
    assert "one pinned core" in words
    for path in (tmp_path / "photos").iterdir():
        height, width, _ = decode(path.read_bytes()).pixels.shape
        assert width >= models.LEAST[0] and height >= models.LEAST[1]
