"""The benchmarks can be run, and say what they measured."""

import json
from pathlib import Path

from typer.testing import CliRunner

from garmentloop.bench import FULL, SMALL, Figure, benches, catalogue
from garmentloop.bench.__main__ import app, line


def test_small_is_smaller_than_full() -> None:
    assert SMALL.photos < FULL.photos < FULL.many_photos
    assert SMALL.garments < FULL.garments


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
    assert json.loads(out.read_text())["catalogue_garments"] == SMALL.garments
