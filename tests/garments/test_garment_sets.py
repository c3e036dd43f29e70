from pathlib import Path

import numpy as np
import pytest

from garments.errors import BadTable
from garments.mappings import mapping
from garments.parts import Region
from garments.sets.crops import MIN_PIXELS, _category, ccp_crops, street_crops, street_values
from garments.synthetic import write_street
from garments.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    for _ in write_street(folder, 10, seed=30, look="unseen"):
        pass
    return folder


def test_street_garments_are_cut_along_their_true_masks(street: Path) -> None:
    crops = street_crops(street)
    assert len(crops) > 10
    for labelled in crops[:8]:
        crop = labelled.load()
        assert max(crop.pixels.shape) <= 256
        assert crop.region == labelled.region
        assert crop.mask is None or crop.mask.shape == crop.pixels.shape[:2]
    taxonomy = Taxonomy.default()
    for labelled in crops:
        for attribute, value in labelled.values.items():
            assert value in taxonomy.values(attribute)


def test_particular_kinds_name_their_category() -> None:
    values = street_values("hoodie", "blue", "solid")
    assert values["category"] == "sweatshirt"
    assert values["sub_category"] == "hoodie"
    assert street_values("coat", "blue", "solid")["category"] == "coat"


def test_an_outer_layer_names_the_region_it_covers_enough_of() -> None:
    labels = mapping("ccp")
    names = {1: "coat", 2: "shirt", 3: "skin"}

    def named(coat: int, shirt: int) -> str | None:
        counts = np.zeros(256, np.int64)
        counts[[1, 2]] = coat, shirt
        return _category(counts, names, labels)

    assert named(30, 70) == "coat"
    assert named(20, 80) == "shirt"
    assert named(0, 0) is None


def test_a_folder_without_garments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTable):
        street_crops(tmp_path)


def test_ccp_crops_have_regions_and_categories(shared_data: object) -> None:
    crops = ccp_crops(shared_data("ccp"), "val")  # type: ignore[operator]
    assert {crop.region for crop in crops} >= {Region.UPPER, Region.LOWER, Region.FEET}
    assert all(crop.values["category"] in Taxonomy.default().values("category") for crop in crops)
    assert MIN_PIXELS > 0


def test_an_outfit_tells_whom_its_garments_are_cut_for() -> None:
    labels = mapping("ccp")
    assert labels.outfit(["jacket", "skirt", "skin"]) == {"gender": "women"}
    assert labels.outfit(["jacket", "tie"]) == {"gender": "men"}
    assert labels.outfit(["blouse", "tie"]) == {}, "they disagree"
    assert labels.outfit(["jacket", "pants", "unheard-of"]) == {}
