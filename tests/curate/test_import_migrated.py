"""A set that is imported again after the taxonomy was migrated says what it said before."""

from pathlib import Path

import public_sets
import pytest
from public_sets import product, said, take

from garmentloop.migration.run import Request, migrate
from garments.dataset import Dataset
from garments.taxonomy import Taxonomy

MAP = """
[attributes]
rename = { color = "hue" }
remove = ["sub_category"]

[category]
rename = { hat = "headwear" }
split = { dress = ["gown", "frock"] }

[color]
merge = { blue = ["blue", "navy"] }
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def changed(taxonomy: Taxonomy) -> Taxonomy:
    """The default taxonomy without sub-categories and as the map above leaves it."""
    data = taxonomy.model_dump()
    category, color = (a for a in data["attributes"] if a["id"] in ("category", "color"))
    named = {value["id"]: value for value in category["values"]}
    named["hat"]["id"] = "headwear"
    dress = named.pop("dress")
    two = [{**dress, "id": name, "title": name, "synonyms": ()} for name in ("gown", "frock")]
    category["values"] = [*named.values(), *two]
    color["id"] = "hue"
    color["values"] = [value for value in color["values"] if value["id"] != "navy"]
    data["attributes"] = [a for a in data["attributes"] if a["id"] != "sub_category"]
    return Taxonomy.model_validate(data)


def test_sets_that_are_imported_again_change_nothing(dataset, tmp_path):
    sets = {
        "clothing": public_sets.clothing(tmp_path / "clothing"),
        "fashion-products": public_sets.products(tmp_path / "products", [product(9)]),
    }
    public_sets.noise(sets["fashion-products"] / product(9)["file"], 99)  # unlike the others
    for name, root in sets.items():
        take(dataset, name, root)
    new, map_ = tmp_path / "new.toml", tmp_path / "map.toml"
    changed(dataset.taxonomy).save(new)
    map_.write_text(MAP)
    migrate(dataset, Request(new, map_))
    migrated = Dataset.open(dataset.folder)
    before, labels = said(migrated), migrated.catalog.rows("labels").to_pylist()
    assert before["0002.png accessories"] == {"category": "headwear"}
    assert before["9.png upper"]["hue"] == "blue"
    assert not before["0000.png whole"], "people have to say which dress it is"
    for name, root in sets.items():
        end = take(migrated, name, root)
        assert end.labels == 0 and not end.words.foreign.get("category hat")
    assert migrated.catalog.rows("labels").to_pylist() == labels
    assert said(migrated) == before
    # and a photo that is new says it in the words of now
    take(migrated, "clothing", public_sets.clothing(tmp_path / "more", ["pants", "hat"]))
    hats = [values for values in said(migrated).values() if values == {"category": "headwear"}]
    assert len(hats) == 2
