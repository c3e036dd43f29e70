"""The commands from end to end, on pictures of the street."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from garmentloop.cli import app


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    assert "3 pictures" in run("street", folder, "--count", 3, "--seed", 5)
    return folder


@pytest.fixture(scope="module")
def product_shots(street: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data set of three product shots, and what the command said."""
    folder = tmp_path_factory.mktemp("datasets") / "shop"
    (street / "photos" / "broken.jpg").write_bytes(b"no picture")
    return folder, run("extract", street / "photos", "--dataset", folder, "--as-crops")


def test_extract_makes_the_data_set_and_tells(product_shots: tuple[Path, str]) -> None:
    folder, told = product_shots
    assert f"Making data set {folder}" in told
    assert "3 photos extracted" in told
    assert "1 unreadable" in told
    assert (folder / "report" / "index.html").exists()


def test_status_and_export_agree(product_shots: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = product_shots
    counted = json.loads(run("status", "--dataset", folder, "--json"))
    assert counted["garments"] == {"unknown": 3}
    assert "unknown 3" in run("status", "--dataset", folder)
    out = tmp_path / "garments.csv"
    assert "3 rows" in run("export", "garments", "--dataset", folder, "--out", out)
    with out.open(newline="", encoding="utf-8") as file:
        assert [row["region"] for row in csv.DictReader(file)] == ["unknown"] * 3


def test_extract_again_does_nothing(street: Path, product_shots: tuple[Path, str]) -> None:
    folder, _ = product_shots
    page = folder / "report" / "index.html"
    before = page.stat().st_mtime_ns
    told = run("extract", street / "photos", "--dataset", folder, "--as-crops")
    assert "0 photos extracted" in told
    assert "3 done before" in told
    assert page.stat().st_mtime_ns == before


def test_report_is_built_again(product_shots: tuple[Path, str]) -> None:
    folder, _ = product_shots
    page = folder / "report" / "index.html"
    page.unlink()
    assert "Contact sheet" in run("report", "--dataset", folder)
    assert page.exists()


def test_dry_run_writes_nothing(street: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    told = run("extract", street / "photos", "-d", folder, "--as-crops", "--dry-run")
    assert f"would make data set {folder}" in told
    assert "3 to extract" in told or "4 to extract" in told
    assert not folder.exists()


def test_empty_folder_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "No photo found" in run("extract", empty, "-d", tmp_path / "mine", "--as-crops")


def test_unknown_region_is_refused_with_the_known_ones(street: Path, tmp_path: Path) -> None:
    wrong = ["extract", str(street / "photos"), "-d", str(tmp_path / "mine"), "--regions", "hat"]
    result = CliRunner().invoke(app, wrong)
    assert result.exit_code == 1
    assert "accessories" in result.output


def test_framing_fit_prints_limits_and_writes_them(tmp_path: Path) -> None:
    labelled = tmp_path / "boxes.csv"
    header = "x1,y1,x2,y2,width,height,verdict,split\n"
    accepted = "".join(
        f"{100 + n},40,{300 + n},760,500,800,accepted,{split}\n"
        for n in range(12)
        for split in ("train", "val")
    )
    close = "".join(f"0,0,{480 + n},800,500,800,too_close,train\n" for n in range(12))
    labelled.write_text(header + accepted + close, encoding="utf-8")
    run("init", tmp_path / "mine")
    told = run("framing", "fit", labelled, "--street", 0, "--write", tmp_path / "mine")
    assert "[framing]" in told
    assert "accepted" in told
    assert "held out" in told
    assert "1.0000" in told
    assert "[framing]" in (tmp_path / "mine" / "dataset.toml").read_text(encoding="utf-8")


def test_evaluate_of_a_folder_without_tables_says_what_is_expected(tmp_path: Path) -> None:
    for what in ("extract", "people"):
        result = CliRunner().invoke(app, ["evaluate", what, "--data", str(tmp_path)])
        assert result.exit_code == 1
        assert "expected" in result.output


def test_demo_end_to_end(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    told = run("demo", "--count", 16, "--no-studio", "--out", folder)
    assert "16 pictures" in told and "the annotator is simulated" in told
    assert "garment boxes, mean IoU" in told
    assert (folder / "report" / "index.html").exists()
    page = (folder / "report" / "simulation.html").read_text(encoding="utf-8")
    assert "Round by round" in page and "Why taggers were refused" in page
    release = folder / "releases" / "round-1"
    assert "Released round-1: " in told and f'load_dataset("{release}")' in told
    assert run("curate", "verify", "round-1", "--dataset", folder)
    before = (release / "manifest.json").read_bytes()
    again = run("demo", "--count", 16, "--no-studio", "--out", folder)
    assert "Released round-1: " in again
    assert (release / "manifest.json").read_bytes() == before
