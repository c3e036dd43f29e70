"""A curator at a real Chromium in the real App: looks, filters, ticks crops, runs operators."""

import re
import shutil
from pathlib import Path

from playwright import sync_api

from curate.fiftyone import app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
PATIENCE = 120_000.0
"""Milliseconds for a page to do what it should, on a machine that does other things too."""


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

    def open(self, pressed: sync_api.Locator, shown: sync_api.Locator) -> None:
        """Press until that shows: a panel that still reads its figures forgets a click."""
        for _ in range(10):
            if pressed.is_visible():
                pressed.click()
            try:
                shown.wait_for(timeout=PATIENCE / 10)
                return
            except sync_api.TimeoutError:
                continue
        raise AssertionError(f"{shown} does not come")

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

    @property
    def dialog(self):
        """The form that is asked, or what an operator tells."""
        return self.page.get_by_role("dialog").first

    def run(self, title: str) -> None:
        """Run an operator from the keyboard, as from the list behind the backtick."""
        for _ in range(10):  # a page that has just come does not listen yet
            self.page.keyboard.press("`")
            try:
                self.dialog.locator("input").wait_for(timeout=PATIENCE / 10)
                break
            except sync_api.TimeoutError:
                continue
        self.dialog.locator("input").fill(title)
        self.dialog.get_by_text(title, exact=True).wait_for()
        self.page.keyboard.press("Enter")

    def set_value(self, attribute: str, value: str) -> None:
        """Fill in the form of the bulk operator; nothing is sent yet."""
        self.run("Set a value for selected crops")
        self.dialog.get_by_label(attribute, exact=True).check()
        field = self.dialog.get_by_role("combobox").first
        self.page.wait_for_timeout(1500)  # the form is asked for anew
        field.fill(value)
        self.page.get_by_role("option").first.wait_for()
        self.page.keyboard.press("ArrowDown")
        self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(1500)

    def send(self) -> None:
        """The key that sends a form."""
        self.page.keyboard.press("Control+Enter")

    def told(self, text: str) -> None:
        """Wait until the App says that."""
        self.page.get_by_text(text).first.wait_for()

    def close(self) -> None:
        """Close what is told or asked."""
        self.dialog.get_by_role("button", name=re.compile("Close|Cancel")).click()
        self.dialog.wait_for(state="hidden")
