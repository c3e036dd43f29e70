"""A person who labels in a real Chromium: sees the form, presses keys, clicks."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright
from real_studio import Person

from annotate.studio.project import Project

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
PATIENCE = 120_000.0
"""Milliseconds for a page to do what it should, on a machine that does other things too."""

SHOWN = """before => {
    const number = parseInt(
        document.querySelector(".lsf-current-task__task-id")?.firstChild?.textContent);
    return number > 0 && number !== before && document.querySelector(".gl-form") ? number : 0;
}"""
"""The task in sight, once it is another one than before."""

LOADED = "picture => picture.complete && picture.naturalWidth > 0"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a fresh profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        try:
            yield browser
        finally:
            browser.close()


def artifacts(default: Path) -> Path:
    """Where screenshots are kept: in GARMENTLOOP_ARTIFACTS, else in a temporary folder."""
    folder = Path(os.environ.get("GARMENTLOOP_ARTIFACTS") or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Labeller:
    """Somebody at a browser, logged in."""

    def __init__(self, browser: Browser, url: str, person: Person, folder: Path) -> None:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE)
        self.page: Page = context.new_page()
        self.url, self.person, self.folder = url, person, folder
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def log_in(self) -> None:
        self.page.goto(f"{self.url}/user/login/")
        self.page.fill("input[name=email]", self.person.email)
        self.page.fill("input[name=password]", self.person.password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "login" not in url)

    def label_all(self, project: Project) -> int:
        """Go to the project and press the button; the number of the task that is shown first."""
        self.page.goto(f"{self.url}/projects/{project.id}/data")
        self.page.get_by_role("button", name=re.compile("Label All Tasks")).click()
        return self.see()

    def see(self, before: int = 0) -> int:
        """Wait for another task than `before` with both of its pictures; its number."""
        number = self.page.wait_for_function(SHOWN, arg=before).json_value()
        for frame in (".gl-crop", ".gl-photo"):
            picture = self.page.locator(f"{frame} img").first
            picture.wait_for()
            self.page.wait_for_function(LOADED, arg=picture.element_handle())
        return int(number)

    def shot(self, name: str) -> None:
        """Keep what is on the screen."""
        self.page.screenshot(path=self.folder / f"{name}.png")

    def field(self, name: str) -> Locator:
        return self.page.locator(f".gl-field-{name}")

    def chip(self, field: str, value: str) -> Locator:
        """The chip of a value, by its id."""
        return self.field(field).locator(f"label:has(.gl-is-{value})")

    def choose_in_menu(self, field: str, text: str) -> None:
        """Open the menu of a field and take an entry, by mouse; the menu is closed then.

        A key that is pressed while it still closes goes to the menu, not to the form.
        """
        self.field(field).locator("[data-slot=popover-trigger]").click()
        self.page.get_by_test_id(f"select-option-{text}").click()
        self.page.locator("[data-slot=popover-content]").wait_for(state="detached")

    def accept(self, before: int) -> int:
        """One key: what is in the form is sent; the next task."""
        self.page.keyboard.press("Space")
        return self.see(before)

    def skip(self, before: int) -> int:
        self.page.keyboard.press("Control+Space")
        return self.see(before)
