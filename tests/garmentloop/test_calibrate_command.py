"""`garmentloop calibrate` as a user sees it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from garments.answers import value_of
from garments.dataset import Dataset

Command = Callable[..., Any]


def labelled(folder: Path, count: int) -> Dataset:
    """Garments whose pattern a tagger guesses right two times in three, and people know."""
    dataset = Dataset.create(folder)
    values = dataset.taxonomy.values("pattern")
    names = [f"{number:04}" for number in range(count)]
    dataset.catalog.add(
        "garments",
        [{"garment_id": n, "photo_id": n, "region": "upper", "crop_sha": n} for n in names],
    )
    proposal = {
        "attribute": "pattern",
        "tagger": "t",
        "model": "starter",
        "vocabulary_hash": dataset.taxonomy.vocabulary_hash("pattern"),
        "activation": "softmax",
        "logits": [9.0, *[0.0] * (len(values) - 1)],
    }
    dataset.catalog.add(
        "proposals",
        [proposal | {"proposal_id": n, "garment_id": n, "crop_sha": n} for n in names],
    )
    label = {"attribute": "pattern", "kind": "annotator", "annotator": "ann"}
    said = [value_of([values[0 if number % 3 else 1]]) for number in range(count)]
    dataset.catalog.add(
        "labels",
        [
            label | {"label_id": n, "garment_id": n, "value": value}
            for n, value in zip(names, said, strict=True)
        ],
    )
    return dataset


def test_figures_page_and_dry_run(tmp_path: Path, garmentloop_command: Command) -> None:
    dataset = labelled(tmp_path / "d", 60)
    dry = garmentloop_command("calibrate", "-d", dataset.folder, "--dry-run")
    assert "starter, in force: right on 66.7% of 60 labels" in dry.stdout
    assert "Page:" not in dry.stdout
    assert not dataset.reports.exists()
    result = garmentloop_command("calibrate", "-d", dataset.folder, "--precision", "0.9")
    assert result.returncode == 0, result.stderr
    assert "precision of 0.9" in result.stdout
    assert 'always "don\'t know"' in result.stdout
    assert (dataset.reports / "calibration.html").is_file()
    assert dataset.catalog.count("calibrations") == 1


def test_an_empty_data_set_is_no_error(tmp_path: Path, garmentloop_command: Command) -> None:
    dataset = Dataset.create(tmp_path / "d")
    result = garmentloop_command("calibrate", "-d", dataset.folder)
    assert result.returncode == 0, result.stderr
    assert "Nothing to calibrate" in result.stdout
