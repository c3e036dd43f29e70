"""A real MongoDB for tests: started once a session. All tests here skip where FiftyOne is missing.

`mongo_uri` is its address; `curated` makes small data sets, each with names of its own in it;
`curator_at` is somebody at a browser.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from curated_data import make

from garments.dataset import Dataset

MakeDataset = Callable[..., Dataset]


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running MongoDB; stopped at the end of the session."""
    if importlib.util.find_spec("fiftyone") is None:
        pytest.skip("needs FiftyOne: pip install -c constraints.txt -e '.[curate]'")
    from curate.fiftyone import mongod

    home = Dataset.create(tmp_path_factory.mktemp("mongo") / "home")
    try:
        yield mongod.start(home)[0].uri
    finally:
        mongod.stop(home)


@pytest.fixture
def curated(mongo_uri: str, tmp_path: Path, request: pytest.FixtureRequest) -> MakeDataset:
    """`curated(photos=5, name=None, simulated=False)`: a new data set with garments."""
    made: list[Dataset] = []

    def create(photos: int = 5, name: str | None = None, simulated: bool = False) -> Dataset:
        own = f"{request.node.name}-{len(made)}"
        made.append(make(tmp_path / f"data-{len(made)}", name or own, photos, simulated))
        return made[-1]

    return create


@pytest.fixture
def curator_at(tmp_path: Path) -> Iterator[Any]:
    """Opens the App on a data set, and a browser on the App; both are closed at the end."""
    sync_api = pytest.importorskip("playwright.sync_api")
    from curating import CHROMIUM, FLAGS, Curator

    from curate.fiftyone import app

    if not Path(CHROMIUM).exists():
        pytest.skip("needs Chromium: sudo apt-get install chromium")
    folder = Path(os.environ.get("GARMENTLOOP_ARTIFACTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    opened: list[Dataset] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())

        def open_at(dataset: Dataset, uri: str) -> Curator:
            opened.append(dataset)
            return Curator(browser, app.launch(dataset, uri, 0, who="mara")[0], folder)

        try:
            yield open_at
        finally:
            for dataset in opened:
                app.stop(dataset)
            browser.close()
