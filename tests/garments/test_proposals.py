"""Readings of a data set: who is in force, what is current, what a person's word changes."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from garments.answers import value_of
from garments.boxes import Box
from garments.catalog.rows import garment_row, retire_row
from garments.dataset import Dataset
from garments.errors import CatalogError
from garments.parts import Region
from garments.proposals import all_readings, readings, uncertainty
from garments.reading import Reading
from garments.records import Garment
from garments.truth import Basis, held_in

numbers = itertools.count(1)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    found = Dataset.create(tmp_path / "d")
    add_garments(found, "g")
    return found


def add_garments(dataset: Dataset, names: str, region: Region = Region.UPPER) -> list[Garment]:
    found = [Garment(n, "p", None, region, Box(0, 0, 1, 1), None, 0, f"crop-{n}") for n in names]
    dataset.catalog.add("garments", [garment_row(garment) for garment in found])
    return found


def propose(
    dataset: Dataset, attribute: str, *values: str, model: str = "starter", **more: Any
) -> None:
    """One proposal that is sure of `values`."""
    taxonomy = dataset.taxonomy
    garment = more.pop("garment_id", "g")
    logits = [6.0 if value in values else -6.0 for value in taxonomy.values(attribute)]
    row = {
        "proposal_id": f"p{next(numbers)}",
        "garment_id": garment,
        "crop_sha": f"crop-{garment}",
        "attribute": attribute,
        "tagger": f"{model}-1",
        "model": model,
        "vocabulary_hash": taxonomy.vocabulary_hash(attribute),
        "activation": "sigmoid" if model == "rule:color" else "softmax",
        "logits": logits,
    }
    dataset.catalog.add("proposals", [row | more])


def promote(dataset: Dataset, attribute: str | None, **more: Any) -> None:
    row = {"promotion_id": f"m{next(numbers)}", "kind": "tagger", "attribute": attribute}
    dataset.catalog.add("promotions", [row | more])


def say(dataset: Dataset, attribute: str, *values: str, garment_id: str = "g") -> None:
    row = {
        "label_id": f"l{next(numbers)}",
        "garment_id": garment_id,
        "attribute": attribute,
        "value": value_of(values),
        "kind": "annotator",
        "annotator": "ann",
    }
    dataset.catalog.add("labels", [row])


def value(dataset: Dataset, attribute: str) -> tuple[str, ...]:
    return readings(dataset)["g"][attribute].values


def test_nothing_was_proposed(dataset: Dataset) -> None:
    assert readings(dataset) == {}
    assert all_readings(dataset) == {}
    assert readings(Dataset.create(dataset.folder.parent / "empty")) == {}


def test_the_settings_say_who_counts(dataset: Dataset) -> None:
    propose(dataset, "color", "red", model="rule:color")
    propose(dataset, "color", "blue", model="starter")
    propose(dataset, "category", "shirt", model="starter")
    propose(dataset, "category", "blouse", model="other")
    assert value(dataset, "color") == ("red",)
    assert value(dataset, "category") == ("shirt",)
    dataset.change({"models.tagger": "other", "prelabel.color_by": "starter"})
    assert value(dataset, "color") == ("blue",)
    assert value(dataset, "category") == ("blouse",)


def test_else_whoever_spoke_last(dataset: Dataset) -> None:
    dataset.change({"models.tagger": "hf:never/ran"})
    propose(dataset, "category", "shirt", model="one")
    propose(dataset, "category", "blouse", model="two")
    assert value(dataset, "category") == ("blouse",)


def test_a_promotion_goes_first(dataset: Dataset) -> None:
    propose(dataset, "category", "blouse", model="other")
    propose(dataset, "category", "shirt", model="starter")
    propose(dataset, "color", "blue", model="other")
    propose(dataset, "color", "red", model="rule:color")
    promote(dataset, None, model="other", tagger="other-1")
    assert (value(dataset, "category"), value(dataset, "color")) == (("blouse",), ("blue",))
    promote(dataset, "color", model="rule:color", tagger="rule:color-1")
    assert (value(dataset, "category"), value(dataset, "color")) == (("blouse",), ("red",))
    promote(dataset, "category", tagger="never ran")
    assert value(dataset, "category") == ("shirt",), "until it runs, as the settings say"


def test_of_the_model_in_force_the_newest_version_speaks(dataset: Dataset) -> None:
    add_garments(dataset, "h")
    for name in "gh":
        propose(dataset, "category", "shirt", tagger="v1", garment_id=name)
    propose(dataset, "category", "blouse", tagger="v2")
    found = readings(dataset)
    assert found["g"]["category"].values == ("blouse",)
    assert found["h"]["category"].values == ("shirt",), "no garment is left without"
    assert {found[name]["category"].tagger for name in "gh"} == {"v1", "v2"}


def test_the_promoted_version_goes_before_a_newer_one(dataset: Dataset) -> None:
    add_garments(dataset, "h")
    propose(dataset, "category", "shirt", tagger="v1")
    for name in "gh":
        propose(dataset, "category", "blouse", tagger="v2", garment_id=name)
    promote(dataset, "category", model="starter", tagger="v1")
    found = readings(dataset)
    assert found["g"]["category"].values == ("shirt",)
    assert found["h"]["category"].values == ("blouse",)


def test_a_proposal_about_the_present_crop_goes_first(dataset: Dataset) -> None:
    propose(dataset, "category", "shirt", tagger="v1")
    propose(dataset, "category", "blouse", tagger="v1", crop_sha="cut otherwise")
    assert value(dataset, "category") == ("shirt",)


def test_other_vocabularies_regions_and_garments_are_left_out(dataset: Dataset) -> None:
    add_garments(dataset, "f", Region.FEET)
    gone = add_garments(dataset, "r")
    dataset.catalog.add("extractions", [retire_row(gone[0], "x")])
    propose(dataset, "category", "shirt", vocabulary_hash="older")
    propose(dataset, "category", "shirt", garment_id="r")
    propose(dataset, "category", "shirt", garment_id="unheard of")
    assert readings(dataset) == {}
    propose(dataset, "category", "boots", garment_id="f")
    assert list(readings(dataset)) == ["f"]
    assert readings(dataset, ["g"]) == {}
    assert readings(dataset, []) == {}
    assert list(readings(dataset, ["f", "r"])) == ["f"]


def test_attributes_that_are_not_asked_are_not_read(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "d")
    path = dataset.folder / "taxonomy.toml"
    text = path.read_text() + (
        '\n[[attributes]]\nid = "heel"\ntitle = "Heel"\nregions = ["feet"]\ntemplates = ["{}"]\n'
        'values = [{ id = "flat", title = "Flat" }, { id = "high", title = "High" }]\n'
    )
    path.write_text(text)
    dataset = Dataset.open(dataset.folder)
    add_garments(dataset, "g")
    add_garments(dataset, "f", Region.FEET)
    for name in "gf":
        propose(dataset, "heel", "flat", garment_id=name)
    assert {name: list(found) for name, found in readings(dataset).items()} == {"f": ["heel"]}


def test_a_persons_category_limits_the_sub_category(dataset: Dataset) -> None:
    propose(dataset, "category", "shirt")
    propose(dataset, "sub_category", "denim-shirt", "wrap-blouse")
    before = readings(dataset)["g"]
    assert before["sub_category"].values == ("denim-shirt",)
    assert before["sub_category"].confidence <= before["category"].confidence
    say(dataset, "category", "blouse")
    assert value(dataset, "sub_category") == ("wrap-blouse",)
    assert value(dataset, "category") == ("shirt",), "what the tagger said stays visible"
    held = held_in(dataset)
    assert held["g", "category"].basis == Basis.ANNOTATOR
    assert held["g", "sub_category"].value == '["wrap-blouse"]'
    say(dataset, "category", "not_visible")
    assert readings(dataset)["g"]["sub_category"].abstained
    assert ("g", "sub_category") not in held_in(dataset)


def test_every_tagger_beside_the_others(dataset: Dataset) -> None:
    propose(dataset, "color", "red", "black", model="rule:color")
    propose(dataset, "color", "blue", model="starter", tagger="old")
    propose(dataset, "color", "green", model="starter", tagger="new")
    propose(dataset, "category", "shirt")
    found = all_readings(dataset)["g"]
    assert {model: reading.values for model, reading in found["color"].items()} == {
        "rule:color": ("black", "red"),
        "starter": ("green",),
    }
    assert list(found["category"]) == ["starter"]
    assert found["color"]["rule:color"] == readings(dataset)["g"]["color"]


def test_calibrations_of_labels_go_before_those_of_the_model(dataset: Dataset) -> None:
    propose(dataset, "category", "shirt")
    same = {"tagger": "starter-1", "attribute": "category", "bias": 0.0, "items": 9}
    sure = readings(dataset)["g"]["category"].confidence

    def calibrate(source: str, temperature: float, threshold: float) -> None:
        row = same | {"source": source, "temperature": temperature, "threshold": threshold}
        dataset.catalog.add("calibrations", [row | {"calibration_id": f"c{next(numbers)}"}])

    calibrate("labels", 4.0, 0.9)
    calibrate("model", 1.0, 0.0)
    reading = readings(dataset)["g"]["category"]
    assert reading.confidence < sure
    assert reading.abstained
    assert held_in(dataset) == {}
    calibrate("labels", 1.0, 0.5)
    assert readings(dataset)["g"]["category"] == Reading(
        ("shirt",), pytest.approx(sure), False, "starter-1", reading.proposal_id
    )


def test_damaged_proposals_are_named(dataset: Dataset) -> None:
    propose(dataset, "category", "shirt", logits=[1.0, 2.0])
    with pytest.raises(CatalogError, match="logits in each proposal for category"):
        readings(dataset)


def test_uncertainty() -> None:
    sure, unsure = Reading(("a",), 0.9, False), Reading(("b",), 0.3, True)
    assert uncertainty({}) == 1.0
    assert uncertainty({"x": sure, "y": unsure}) == pytest.approx(0.4)
    nothing = Reading((), 0.0, True)
    assert uncertainty({"x": sure, "z": nothing}) == pytest.approx(0.1), "nothing was asked"


def test_many_garments_are_read_in_blocks(dataset: Dataset, monkeypatch: Any) -> None:
    monkeypatch.setattr("garments.spoken._BLOCK", 3)
    names = "abcdefgh"
    add_garments(dataset, names)
    wanted = ["shirt", "blouse", "top"]
    for at, name in enumerate(names):
        propose(dataset, "category", wanted[at % 3], garment_id=name, tagger=f"v{at % 2}")
    found = readings(dataset, np.array(list(names)).tolist())
    assert [found[n]["category"].values for n in names] == [(wanted[i % 3],) for i in range(8)]
