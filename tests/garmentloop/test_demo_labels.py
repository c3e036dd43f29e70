"""The demonstration's figures of labels: matched to what was drawn, and counted rightly."""

from pathlib import Path

import pytest

from garmentloop.demo_labels import Score, scores
from garments.catalog.rows import garment_row, source_row
from garments.dataset import Dataset
from garments.ids import stable_id
from garments.records import Garment, Source
from garments.sets.crops import LabelledCrop, street_crops
from garments.synthetic import write_street


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    list(write_street(folder, 3, 20, "unseen"))
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def cut(dataset: Dataset, drawn: list[LabelledCrop], shift: float = 0.0) -> list[str]:
    """Put the garments into the catalogue, boxes moved by a share of their width; their ids."""
    garments, origins = [], []
    for truth in drawn:
        photo_id = stable_id("photo", truth.photo.photo.name)
        by = shift * truth.box.width
        box = truth.box._replace(x1=truth.box.x1 + by, x2=truth.box.x2 + by)
        name = stable_id("garment", truth.name)
        garments.append(
            Garment(name, photo_id, None, truth.region, box, None, 100, crop_sha="0" * 16)
        )
        origins.append(Source(photo_id, str(truth.photo.photo), photo_id))
    rows = [{**garment_row(garment), "config_hash": "c"} for garment in garments]
    dataset.catalog.put("garments", rows)
    dataset.catalog.add("sources", [source_row(origin) for origin in origins])
    return [garment.garment_id for garment in garments]


def propose(dataset: Dataset, attribute: str, said: dict[str, tuple[str, float]]) -> None:
    """Propose, for each garment, a value with its logit; that of the other values is 0."""
    values = dataset.taxonomy.values(attribute)
    rows = [
        {
            "proposal_id": stable_id("proposal", garment, attribute),
            "garment_id": garment,
            "crop_sha": "0" * 16,
            "attribute": attribute,
            "tagger": "t",
            "model": "starter",
            "weights_hash": "w",
            "vocabulary_hash": dataset.taxonomy.vocabulary_hash(attribute),
            "prompt_version": "",
            "crop_preparation": "grey",
            "activation": "softmax",
            "logits": [logit * (one == value) for one in values],
        }
        for garment, (value, logit) in said.items()
    ]
    dataset.catalog.add("proposals", rows)


def abstain_below(dataset: Dataset, attribute: str, threshold: float) -> None:
    row = {
        "calibration_id": "c",
        "tagger": "t",
        "attribute": attribute,
        "temperature": 1.0,
        "bias": 0.0,
        "threshold": threshold,
        "items": 50,
        "source": "labels",
        "details": "{}",
    }
    dataset.catalog.add("calibrations", [row])


def other(dataset: Dataset, attribute: str, value: str) -> str:
    return next(one for one in dataset.taxonomy.values(attribute) if one != value)


def test_right_given_and_commonest_are_counted(dataset: Dataset, street: Path) -> None:
    drawn = street_crops(street)
    ids = cut(dataset, drawn)
    # The first is right and sure, the second wrong and sure, the others right and unsure.
    said = {name: (one.values["pattern"], 0.5) for name, one in zip(ids, drawn, strict=True)}
    said[ids[0]] = (drawn[0].values["pattern"], 9.0)
    said[ids[1]] = (other(dataset, "pattern", drawn[1].values["pattern"]), 9.0)
    propose(dataset, "pattern", said)
    abstain_below(dataset, "pattern", 0.9)
    (score,) = scores(dataset, street)
    count = len(drawn)
    solid = sum(truth.values["pattern"] == "solid" for truth in drawn)
    assert score == Score(
        "pattern",
        garments=count,
        right=(count - 1) / count,
        commonest=solid / count,
        given=2 / count,
        right_of_given=0.5,
    )


def test_nothing_given_is_no_division_by_zero(dataset: Dataset, street: Path) -> None:
    drawn = street_crops(street)
    (garment,) = cut(dataset, drawn[:1])
    propose(dataset, "color", {garment: (drawn[0].values["color"], 9.0)})
    abstain_below(dataset, "color", 1.0)
    (score,) = scores(dataset, street)
    assert score.given == 0
    assert score.right_of_given is None


def test_a_garment_cut_elsewhere_is_not_scored(dataset: Dataset, street: Path) -> None:
    drawn = street_crops(street)
    moved = cut(dataset, drawn[:2], shift=0.6)
    propose(dataset, "pattern", dict.fromkeys(moved, ("solid", 9.0)))
    assert scores(dataset, street) == []


def test_without_proposals_nothing_is_scored(dataset: Dataset, street: Path) -> None:
    cut(dataset, street_crops(street))
    assert scores(dataset, street) == []
