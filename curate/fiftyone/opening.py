"""Opening FiftyOne on a data set, and closing it again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curate.fiftyone import app, mongod
from curate.fiftyone.app import App
from curate.fiftyone.views import address, slug_of
from curate.fiftyone.window import Window, one_at_a_time
from curate.fiftyone.workspace import WORKSPACE
from garments.dataset import Dataset
from garments.errors import FiftyOneError


@dataclass(frozen=True)
class Page:
    """One thing to look at: a FiftyOne dataset, or a saved view of it."""

    title: str
    url: str


@dataclass(frozen=True)
class Opened:
    """An App that shows a data set; `new` where it was started now, `first` what to look at."""

    app: App
    new: bool
    first: Page
    pages: tuple[Page, ...]


def open_app(
    window: Window,
    port: int | None = None,
    view: str | None = None,
    *,
    who: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Opened:
    """Show what is in the window, in the App that runs or in a new one; it outlives the window.

    `view` names a saved view to look at first, `BadInput` where there is none of that name. `port`,
    `who` and `tell` as in `curate.fiftyone.app.launch`.
    """
    wanted = address(window, view) if view else None
    found, new = app.launch(window.dataset, window.uri, port, who=who, tell=tell)
    pages = _pages(found, "garments", window.garments) + _pages(found, "photos", window.photos)
    if window.garments.has_workspace(WORKSPACE):
        pages[0] = Page(pages[0].title, app.page(found, window.garments.name, None, WORKSPACE))
    first = Page(view or "", app.page(found, *wanted)) if wanted else pages[0]
    return Opened(found, new, first, tuple(pages))


def wait(dataset: Dataset) -> None:
    """Stay until the App is closed; `FiftyOneError` where it ends by itself."""
    while app.running(dataset):
        time.sleep(0.5)
    if app.closed(dataset):
        return
    raise FiftyOneError(
        f"expected FiftyOne to stay open, but it ended; its log is {app.log_path(dataset)}"
    )


def close(dataset: Dataset, timeout: float = 600.0) -> bool:
    """Stop the App, and our own MongoDB once nobody writes to it; whether anything ran.

    What was tagged in the App stays in the database and is read back by the next sync.
    """
    stopped = app.stop(dataset)
    with one_at_a_time(dataset, timeout):
        return mongod.stop(dataset) or stopped


def _pages(found: App, title: str, shown: Any) -> list[Page]:
    """A FiftyOne dataset and its saved views."""
    saved = [(name, slug_of(shown, name)) for name in shown.list_saved_views()]
    views = [Page(name, app.page(found, shown.name, slug)) for name, slug in saved]
    return [Page(title, app.page(found, shown.name)), *views]
