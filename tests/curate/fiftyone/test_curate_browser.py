"""A curator at a real Chromium in the real App: looks at failures, filters, tags, and is heard."""

import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from curated_data import garment_ids, label

from curate.fiftyone import app
from curate.fiftyone.evaluate import evaluation_key
from curate.fiftyone.sync import sync
from curate.fiftyone.views import slug_of
from curate.fiftyone.window import Window, open_window
from curate.fiftyone.workspace import TSNE, WORKSPACE
from garments.dataset import Dataset
from garments.proposals import readings
from garments.said import people_say_in

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
PATIENCE = 120_000.0
"""Milliseconds for a page to do what it should, on a machine that does other things too."""

CATEGORY, OTHER = "dress", "coat"


class Curator:
    """Somebody at a browser, in whose first visit FiftyOne advertises itself."""

    def __init__(self, browser, found: app.App, folder: Path) -> None:
        self.browser, self.app, self.folder = browser, found, folder
        self.come_in()

    def come_in(self) -> None:
        """A fresh page, as after a reload: without a GPU a page takes long to draw a new grid."""
        self.page = self.browser.new_context(viewport={"width": 1600, "height": 950}).new_page()
        self.page.set_default_timeout(PATIENCE)
        self.greeted = False

    def visit(self, name: str, query: str = "") -> None:
        """Go there; a page that comes while the App still starts may end up without a dataset."""
        for patience in (40_000, 40_000, PATIENCE):
            self.page.goto(f"{self.app.url}/datasets/{name}{query}")
            try:
                self.cy("entry-counts").wait_for(timeout=patience)
            except sync_api.TimeoutError:
                continue
            if not self.greeted:  # its popover swallows clicks
                self.page.get_by_role("button", name="Dismiss").first.click()
                self.greeted = True
            self.page.wait_for_timeout(2000)
            if self.cy("entry-counts").is_visible():
                return
        raise AssertionError(f"{self.page.url} instead of {name}{query}")

    def cy(self, name: str, within: str = ""):
        inside = f"[data-cy='{within}'] " if within else ""
        return self.page.locator(f"{inside}[data-cy='{name}']").first

    def sees(self, samples: int, of: int | None = None) -> None:
        told = re.compile(rf"^{samples} {f'of {of} ' if of else ''}samples?\s*$")
        sync_api.expect(self.cy("entry-counts")).to_have_text(told, timeout=PATIENCE)

    def keep(self, name: str) -> None:
        self.page.wait_for_timeout(1500)
        self.page.screenshot(path=self.folder / f"curate-{name}.png")

    def filter(self, field: str, value: str) -> None:
        self.cy(f"sidebar-field-arrow-enabled-{field}").click()
        self.cy(f"checkbox-{value}", f"categorical-filter-{field}.label").click()

    def choose(self, count: int) -> None:
        """Tick the first crops of the grid, in the corner where the pointer finds a box."""
        for number in range(count):
            crop = self.page.locator("[data-cy='fo-grid'] [data-cy='looker']").nth(number)
            crop.hover()
            box = crop.bounding_box()
            self.page.mouse.click(box["x"] + 14, box["y"] + 14)
        self.cy("selection-count-container").wait_for()

    def tag(self, word: str) -> None:
        self.cy("action-tag-sample-labels").click()
        self.cy("sample-tag-input").fill(word)
        self.cy("sample-tag-input").press("Enter")
        self.page.get_by_text("Apply").click()


@pytest.fixture
def curator_at(tmp_path) -> Iterator:
    """Opens the App on a data set, and a browser on the App; both are closed at the end."""
    if not Path(CHROMIUM).exists():
        pytest.skip("needs Chromium: sudo apt-get install chromium")
    folder = Path(os.environ.get("GARMENTLOOP_ARTIFACTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    opened: list[Dataset] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())

        def open_at(dataset: Dataset, uri: str) -> Curator:
            opened.append(dataset)
            return Curator(browser, app.launch(dataset, uri, 0)[0], folder)

        try:
            yield open_at
        finally:
            for dataset in opened:
                app.stop(dataset)
            browser.close()


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
    panel.get_by_text(evaluation_key("category")).first.click()
    curator.page.wait_for_timeout(5000)  # the list goes while the figures come
    panel.get_by_text("Confusion Matrices", exact=True).first.click()
    cells = panel.locator(".js-plotly-plot .heatmaplayer image").first
    cells.wait_for(state="attached")
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
