"""A curator at a real Chromium acts on ticked crops by our operators, and is heard at once."""

import httpx
import pytest
from curated_data import garment_ids, retire

from curate.fiftyone import sync as syncing
from curate.fiftyone.environment import garments_name, photos_name
from curate.fiftyone.sync import sync
from curate.fiftyone.window import connected
from garments.dataset import Dataset

pytest.importorskip("curating")


@pytest.fixture
def shown(curated, mongo_uri, monkeypatch) -> Dataset:
    """Twelve garments as FiftyOne shows them, without what takes a sync's time."""
    monkeypatch.setattr(syncing.measures, "update", lambda window, touched: None)
    monkeypatch.setattr(syncing.views, "save", lambda window: None)
    monkeypatch.setattr(syncing.workspace, "save", lambda window: None)
    dataset = curated(photos=6, name="hands")
    list(sync(dataset, mongo=mongo_uri))
    return dataset


def said(dataset: Dataset, attribute: str) -> dict[str, tuple[str, str, str]]:
    rows = dataset.catalog.rows("labels", where=f"attribute = '{attribute}'").to_pylist()
    return {row["garment_id"]: (row["value"], row["kind"], row["annotator"]) for row in rows}


def placed(url: str, name: str) -> list[str]:
    """The operators of ours that have a place above that grid, as the App's page asks."""
    asked = {"dataset_name": name, "params": {}}
    found = httpx.post(f"{url}/operators/resolve-placements", json=asked, timeout=60).json()
    names = [one["operator_uri"] for one in found["placements"]]
    return [name.rpartition("/")[2] for name in names if name.startswith("@garmentloop/")]


def test_a_curator_acts_on_ticked_crops(shown, mongo_uri, curator_at):
    with connected(shown, mongo_uri) as window:
        ticked = window.garments.limit(3).values("garment_id")
    curator = curator_at(shown, mongo_uri)
    assert {"set_value", "exclude", "explain"} <= set(placed(curator.app.url, garments_name(shown)))
    assert placed(curator.app.url, photos_name(shown)) == []
    curator.visit(garments_name(shown))
    curator.run("Set a value for selected crops")
    curator.told("Nothing is selected.")
    curator.close()

    curator.choose(3)
    curator.set_value("Color", "navy")
    curator.keep("bulk-form")
    curator.send()
    curator.told("color is navy: 3 crops")
    curator.keep("bulk-done")
    assert said(shown, "color") == dict.fromkeys(ticked, ('["navy"]', "curator", "mara"))
    with connected(shown, mongo_uri) as window:
        assert window.garments.limit(3).values("color.label") == ["navy"] * 3

    retire(shown, ticked[0])  # while the page is open
    curator.set_value("Pattern", "striped")
    curator.send()
    curator.told("1 skipped: retired by a newer extraction")
    curator.keep("bulk-stale")
    curator.close()
    assert set(said(shown, "pattern")) == set(ticked[1:])

    curator.set_value("Style", "smart")
    taxonomy = shown.folder / "taxonomy.toml"
    taxonomy.write_text(taxonomy.read_text().replace('id = "smart-casual"', 'id = "smart"'))
    curator.send()
    curator.told("'smart-casual' is none in the taxonomy that is in force now")
    curator.keep("bulk-taxonomy")
    curator.close()
    assert said(shown, "style") == {}

    curator.run("Explain this crop's labels")
    curator.told("mara said so, as curator")
    curator.keep("explain")
    curator.close()
    curator.run("Select all crops of this view")
    curator.told(str(len(garment_ids(shown))))
    curator.run("Exclude selected crops")
    curator.told("12 crops")
    curator.keep("exclude")
    curator.send()
    curator.told("Excluded: 11 crops")
    rows = shown.catalog.rows("decisions").to_pylist()
    assert {row["garment_id"] for row in rows} == set(garment_ids(shown)) - {ticked[0]}
    assert {(row["kind"], row["who"]) for row in rows} == {("excluded", "mara")}
