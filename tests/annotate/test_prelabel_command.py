"""`garmentloop prelabel` and `garmentloop similar` as a user runs them, with a real CLIP inside."""

import csv

import numpy as np
import pytest
from PIL import Image
from random_clips import save_open_clip
from standin_taggers import add_garments

from garments.dataset import Dataset


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    """A data set whose tagger is a small CLIP with random weights."""
    made = Dataset.create(tmp_path / "data")
    made.change({"models.tagger": f"dir:{save_open_clip(tmp_path / 'clip')}"})
    return made


def test_an_empty_data_set_is_a_sentence(garmentloop_command, dataset):
    result = garmentloop_command("prelabel", "--dataset", dataset.folder)
    assert result.returncode == 0, result.stderr
    assert "has no garments yet" in result.stdout and "garmentloop extract" in result.stdout
    foreseen = garmentloop_command("prelabel", "--dataset", dataset.folder, "--dry-run")
    assert foreseen.stdout.startswith("0 garments to tag")


def test_propose_then_look_for_what_is_alike(garmentloop_command, dataset, tmp_path):
    ids = add_garments(dataset, 6)
    dataset.crop_path(_sha(dataset, ids[5])).unlink()
    ran = garmentloop_command("prelabel", "-d", dataset.folder, "--attributes", "color, pattern")
    assert ran.returncode == 0, ran.stderr
    assert "5 garments tagged: 15 proposals, 1 garments left out" in ran.stdout
    assert f"left out: garment {ids[5]}" in ran.stderr
    assert "Contact sheet" in ran.stdout
    again = garmentloop_command("prelabel", "-d", dataset.folder, "--attributes", "color,pattern")
    assert "0 garments tagged: 0 proposals, 1 garments left out, 5 done before" in again.stdout

    near = garmentloop_command("similar", ids[0], "-d", dataset.folder, "-n", "3")
    assert near.returncode == 0, near.stderr
    assert sum(name in near.stdout for name in ids[1:5]) == 3
    assert (dataset.reports / "similar" / f"{ids[0]}.html").is_file()

    picture = tmp_path / "coat.png"
    Image.fromarray(np.full((40, 30, 3), (200, 30, 40), np.uint8)).save(picture)
    near = garmentloop_command("similar", picture, "-d", dataset.folder, "-n", "2")
    assert near.returncode == 0, near.stderr
    assert "like coat.png" in near.stdout

    unknown = garmentloop_command("similar", "nothing", "-d", dataset.folder)
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("Error: expected a garment of")


def test_extract_and_prelabel_in_one_pass(garmentloop_command, dataset, tmp_path):
    shop = tmp_path / "shop"
    shop.mkdir()
    for number in range(3):
        pixels = np.full((60, 50, 3), (60 * number, 80, 90), np.uint8)
        Image.fromarray(pixels).save(shop / f"{number}.png")
    command = ("extract", shop, "-d", dataset.folder, "--as-crops", "--prelabel")
    ran = garmentloop_command(*command)
    assert ran.returncode == 0, ran.stderr
    assert "3 photos extracted" in ran.stdout and "3 garments tagged" in ran.stdout
    catalog = dataset.catalog
    assert len(catalog.embeddings(catalog.embedding_models()[0]).garment_ids) == 3
    again = garmentloop_command(*command)
    assert "0 garments tagged: 0 proposals, 3 done before" in again.stdout
    table = tmp_path / "proposals.csv"
    assert garmentloop_command("export", "proposals", "-d", dataset.folder, "-o", table).stderr
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {dataset.settings.models.tagger, "rule:color"}


def test_an_unknown_tagger_is_told_before_anything_is_extracted(garmentloop_command, tmp_path):
    Image.fromarray(np.zeros((60, 50, 3), np.uint8)).save(tmp_path / "a.png")
    made = Dataset.create(tmp_path / "data")
    made.change({"models.tagger": "dir:nowhere"})
    ran = garmentloop_command(
        "extract", tmp_path / "a.png", "-d", made.folder, "--as-crops", "--prelabel"
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: no model folder at 'nowhere'")
    assert made.catalog.count("photos") == 0


def _sha(dataset, garment: str) -> str:
    return dataset.catalog.rows("garments", where=f"garment_id = '{garment}'").to_pylist()[0][
        "crop_sha"
    ]
