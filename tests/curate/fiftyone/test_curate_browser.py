"""A curator at a real Chromium in the real App: looks at failures, filters, tags, and is heard."""

import time
from collections import Counter

import pytest
from curated_data import garment_ids, label

from curate.fiftyone.evaluate import evaluation_key
from curate.fiftyone.sync import sync
from curate.fiftyone.views import slug_of
from curate.fiftyone.window import Window, open_window
from curate.fiftyone.workspace import TSNE, WORKSPACE
from garments.dataset import Dataset
from garments.proposals import readings
from garments.said import people_say_in

PATIENCE = pytest.importorskip("curating").PATIENCE
CATEGORY, OTHER = "dress", "coat"


@pytest.fixture
def judged(curated) -> Dataset:
    """40 garments; people said dress of most, coat of some, whatever the tagger proposed."""
    dataset = curated(photos=20)
    for number, garment in enumerate(garment_ids(dataset)[:30]):
        label(dataset, garment, "category", OTHER if number % 5 == 0 else CATEGORY)
    return dataset


def wrong(dataset: Dataset) -> dict[str, str]:
    """What the catalogue says that people said, of garments where the tagger said otherwise."""
    said, proposed = people_say_in(dataset), readings(dataset)
    return {
        garment: held.value.strip('[]"')
        for (garment, name), held in said.items()
        if name == "category" and held.value.strip('[]"') != proposed[garment][name].values[0]
    }


def tagged_rows(dataset: Dataset) -> list[tuple[str, str, str]]:
    rows = dataset.catalog.rows("decisions").to_pylist()
    return sorted((row["garment_id"], row["kind"], row["who"]) for row in rows)


def test_a_curator_finds_failures_tags_three_crops_and_is_heard(judged, mongo_uri, curator_at):
    failures = wrong(judged)
    list(sync(judged, mongo=mongo_uri, who="mara"))
    with open_window(judged, mongo_uri) as window:
        name, photos = window.garments.name, window.photos.name
        slug = slug_of(window.garments, "confidently wrong: category")
        turned_down = slug_of(window.photos, "turned down: too small")
        shown = failures_in_order(window)
    assert sorted(shown) == sorted(failures)
    curator = curator_at(judged, mongo_uri)
    curator.visit(name, f"?view={slug}")
    curator.sees(len(failures))
    curator.keep("failures")
    coats = [garment for garment in shown if failures[garment] == OTHER]
    curator.filter("category_human", OTHER)
    curator.sees(len(coats), of=len(failures))
    curator.choose(3)
    curator.keep("filtered")
    curator.tag("exclude")
    until_tagged(judged, mongo_uri, 3)
    curator.come_in()
    end = list(sync(judged, mongo=mongo_uri, who="mara"))[-1]
    assert end.read_back == "3 tagged exclude"
    assert tagged_rows(judged) == sorted((garment, "excluded", "mara") for garment in coats[:3])
    curator.visit(name, f"?view={slug}")
    curator.sees(len(failures) - 3)
    curator.visit(photos, f"?view={turned_down}")
    curator.sees(20)
    curator.keep("turned-down")


@pytest.fixture
def confused(curated) -> tuple[Dataset, str, str, int]:
    """People agree with the tagger, but for some garments: what it said, what they are, how many.

    The App's matrix has only labels that were right at least once.
    """
    dataset = curated(photos=20)
    proposed = {name: said["category"].values[0] for name, said in readings(dataset).items()}
    (often, count), (next_often, _) = Counter(proposed.values()).most_common(2)
    mistaken = [name for name, value in sorted(proposed.items()) if value == often][1:]
    for name, value in proposed.items():
        label(dataset, name, "category", next_often if name in mistaken else value)
    assert len(mistaken) == count - 1 > 0
    return dataset, often, next_often, len(mistaken)


def test_a_click_in_the_confusion_matrix_opens_the_crops(confused, mongo_uri, curator_at):
    dataset, said, truth, count = confused
    list(sync(dataset, mongo=mongo_uri))
    with open_window(dataset, mongo_uri) as window:
        name, results = (
            window.garments.name,
            window.garments.load_evaluation_results("eval_category"),
        )
    right = {
        str(one) for one, other in zip(results.ytrue, results.ypred, strict=True) if one == other
    }
    labels = [*(one for one in map(str, results.classes) if one in right), "(none)"]
    curator = curator_at(dataset, mongo_uri)
    curator.visit(name, f"?workspace={WORKSPACE}")
    curator.sees(40)
    curator.cy("panel-content-Histograms").wait_for()
    curator.page.get_by_text(TSNE).click()
    curator.page.get_by_text("40 points").wait_for()
    curator.keep("workspace")
    curator.cy("panel-tab-model_evaluation_panel_builtin").click()
    panel = curator.cy("panel-content-model_evaluation_panel_builtin")
    matrices = panel.get_by_text("Confusion Matrices", exact=True).first
    curator.open(panel.get_by_text(evaluation_key("category")).first, matrices)
    cells = panel.locator(".js-plotly-plot .heatmaplayer image").first
    curator.open(matrices, cells)
    cells.scroll_into_view_if_needed()
    curator.page.wait_for_timeout(2000)
    curator.keep("confusion")
    box = cells.bounding_box()
    across, down = ((labels.index(label) + 0.5) / len(labels) for label in (said, truth))
    curator.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    curator.page.wait_for_timeout(500)
    curator.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
    curator.page.wait_for_timeout(2000)
    curator.cy("panel-tab-samples").click()
    curator.sees(count)
    curator.keep("confused")


def until_tagged(dataset: Dataset, mongo_uri: str, count: int) -> None:
    """Until what the App was told is in its database."""
    deadline = time.monotonic() + PATIENCE / 1000
    with open_window(dataset, mongo_uri) as window:
        while (found := window.garments.count_sample_tags().get("exclude", 0)) != count:
            assert time.monotonic() < deadline, f"{found} are tagged"
            time.sleep(0.5)


def failures_in_order(window: Window) -> list[str]:
    view = window.garments.load_saved_view("confidently wrong: category")
    return view.values("garment_id")
