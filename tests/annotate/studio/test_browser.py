"""A person with a browser alone: from a pushed garment to labels in the catalogue."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")

from browsing import CHROMIUM, Labeller, artifacts, chromium
from pulling import pulled, rows
from real_studio import borrow, copy_data
from standin_taggers import PixelTagger

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "extract"))

from standins import PaintDetector, PaintParser, write_streets

from annotate.prelabel import PrelabelOptions, prelabel
from annotate.studio import server
from annotate.studio.client import Studio, connect
from annotate.studio.ledger import ledger
from annotate.studio.project import Kind, studio_folder
from annotate.studio.push import PushOptions, push
from extract.run import RunOptions, run
from garmentloop import following
from garments.answers import NOT_VISIBLE, value_of
from garments.dataset import Dataset
from garments.settings import Settings

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium")


def make_dataset(folder: Path, streets: int = 4) -> Dataset:
    """Painted people in streets, extracted and pre-labelled: garments with photos."""
    dataset = Dataset.create(folder, name="Browser test")
    photos = str(write_streets(folder.with_name(f"{folder.name}-photos"), streets))
    parts = {"detector": PaintDetector(), "parser": PaintParser()}
    list(run(dataset, [photos], RunOptions(workers=2, batch=4), **parts))
    list(prelabel(dataset, PrelabelOptions(), [PixelTagger(dataset.taxonomy)]))
    return dataset


@pytest.fixture
def pictured(studio_server) -> Studio:
    """A client for a data set with photos, served by the session's server."""
    dataset = make_dataset(studio_server.home.folder / "others" / "browser" / str(time.time_ns()))
    borrow(dataset, studio_server.home)
    return connect(dataset)


def send(studio: Studio, **options) -> None:
    list(push(studio.dataset, studio, PushOptions(**options)))


def garments_of(studio: Studio, kind: Kind) -> dict[int, str]:
    """Garments by the number of their task."""
    found = studio.task_ids_by_garment(studio.project(kind))
    return {number: garment for garment, number in found.items()}


def shown(dataset: Dataset) -> dict[str, dict[str, str]]:
    """What each form holds when it is opened: by garment and attribute, as it would be stored."""
    return {
        row["garment_id"]: {
            name: value_of(one["values"])
            for name, one in json.loads(row["shown"]).items()
            if one["values"]
        }
        for row in rows(dataset, "tasks")
    }


def held(dataset: Dataset) -> dict[tuple[str, str], dict[str, str]]:
    """Labels by (garment, annotator) and attribute; none twice, none withdrawn."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows(dataset, "labels"):
        assert not row["withdraws"] and row["kind"] == "annotator"
        mine = found.setdefault((row["garment_id"], row["annotator"]), {})
        assert row["attribute"] not in mine
        mine[row["attribute"]] = row["value"]
    return found


def by_people(dataset: Dataset, garment: str) -> dict[str, tuple[str, str]]:
    """What an annotator said of a garment, and who, beside labels that came otherwise."""
    return {
        row["attribute"]: (row["value"], row["annotator"])
        for row in rows(dataset, "labels")
        if row["garment_id"] == garment and row["kind"] in ("annotator", "simulated")
    }


def another(dataset: Dataset, attribute: str, stored: str | None) -> str:
    """A value that is not in the form."""
    before = json.loads(stored) if stored and stored != NOT_VISIBLE else []
    return next(value for value in dataset.taxonomy.values(attribute) if value not in before)


def test_a_person_with_a_browser(pictured, studio_server, tmp_path):
    """Accept by key, change by mouse and by menu, say not visible, skip, turn a bad crop down."""
    dataset, folder, who = pictured.dataset, artifacts(tmp_path), studio_server.first
    send(pictured, audit=0.0)
    before, garments = shown(dataset), garments_of(pictured, Kind.MAIN)
    expected: dict[str, dict[str, str]] = {}
    begun = time.monotonic()
    with chromium() as browser:
        person = Labeller(browser, studio_server.url, who, folder)
        person.log_in()
        task = person.label_all(pictured.project(Kind.MAIN))
        person.shot("form")
        assert person.field("pattern").locator("label:has(input:checked)").count() == 1
        expected[garments[task]] = before[garments[task]]

        task = person.accept(task)
        here = before[garments[task]]
        pattern = another(dataset, "pattern", here.get("pattern"))
        person.chip("pattern", pattern).click()
        person.shot("changed-by-mouse")
        expected[garments[task]] = {**here, "pattern": value_of([pattern])}

        task = person.accept(task)
        here = before[garments[task]]
        text, says = menu_entry(dataset, garments[task])
        person.choose_in_menu("category", text)
        person.shot("changed-in-menu")
        kept = {name: value for name, value in here.items() if "category" not in name}
        expected[garments[task]] = kept | says

        task = person.accept(task)
        person.page.keyboard.press(key_of(person, "style", NOT_VISIBLE))
        expected[garments[task]] = {**before[garments[task]], "style": NOT_VISIBLE}

        skipped = person.accept(task)
        bad = person.skip(skipped)
        person.chip("crop-verdict", "not-a-garment").click()
        person.shot("bad-crop")
        draft = person.accept(bad)
        person.chip(
            "color", another(dataset, "color", before[garments[draft]].get("color"))
        ).click()
        person.page.wait_for_timeout(3000)  # long enough for the draft to be kept
        person.shot("draft")
        assert not person.errors
    took = time.monotonic() - begun

    progress = pulled(pictured)
    assert progress.annotations >= 5 and not progress.set_aside
    assert held(dataset) == {(name, who.email): values for name, values in expected.items()}
    assert all(0 < row["seconds"] < took for row in rows(dataset, "labels"))
    states = {row["garment_id"]: row["state"] for row in rows(dataset, "tasks")}
    waiting = dict.fromkeys(states, "created")
    done = dict.fromkeys([*expected, garments[bad]], "done")
    assert states == waiting | done | {garments[skipped]: "skipped"}
    [decision] = rows(dataset, "decisions")
    told = [decision[name] for name in ("garment_id", "kind", "note")]
    assert told == [garments[bad], "bad_crop", "not-a-garment"]
    assert decision["who"] == who.email
    expect_ledger(dataset, before, expected)
    again = [rows(dataset, table) for table in ("labels", "decisions", "tasks")]
    pulled(pictured, everything=True)
    assert [rows(dataset, table) for table in ("labels", "decisions", "tasks")] == again


def menu_entry(dataset: Dataset, garment: str) -> tuple[str, dict[str, str]]:
    """A category of the garment's region that it does not have yet: its text, and what it says."""
    [row] = [row for row in rows(dataset, "garments") if row["garment_id"] == garment]
    [task] = [row for row in rows(dataset, "tasks") if row["garment_id"] == garment]
    now = json.loads(task["shown"])["category"]["values"]
    value = next(
        value
        for value in dataset.taxonomy.attribute("category").values
        if value.id in dataset.taxonomy.allowed("category", row["region"]) and value.id not in now
    )
    return value.title, {"category": value_of([value.id])}


def key_of(person: Labeller, field: str, value: str) -> str:
    """The key that the form shows for a value."""
    shown = person.chip(field, value).locator("kbd").inner_text()
    return shown.replace("⇧", "Shift+") if shown.startswith("⇧") else shown.lower()


def expect_ledger(dataset: Dataset, before, expected) -> None:
    found = ledger(dataset)
    counts = dict.fromkeys(("accepted", "changed", "emptied", "filled"), 0)
    for garment, values in expected.items():
        for name in set(before[garment]) | set(values):
            old, new = before[garment].get(name), values.get(name)
            kind = "filled" if old is None else "emptied" if new is None else "changed"
            counts["accepted" if old == new else kind] += 1
    [tally] = found.tallies(lambda entry: "").values()
    assert {kind: tally.counts[kind] for kind in counts} == counts
    assert counts["changed"] >= 3
    [round_] = found.rounds.values()
    assert (round_.answered, round_.bad_crops, round_.skipped) == (4, 1, 1)


def test_blind_tasks_show_nothing_and_are_answered_twice(pictured, studio_server, tmp_path):
    dataset, folder = pictured.dataset, artifacts(tmp_path)
    send(pictured, audit=1.0)
    garments = garments_of(pictured, Kind.AUDIT)
    people = (studio_server.first, studio_server.second)
    with chromium() as browser:
        for number, person in enumerate(people):
            labeller = Labeller(browser, studio_server.url, person, folder)
            labeller.log_in()
            task = labeller.label_all(pictured.project(Kind.AUDIT))
            assert not labeller.page.locator(".gl-form input:checked").count()
            labeller.shot(f"blind-{number}")
            labeller.chip("color", "red").click()
            labeller.accept(task)
    pulled(pictured)
    assert held(dataset) == {
        (garments[task], person.email): {"color": value_of(["red"])} for person in people
    }
    assert all(row["proposal_id"] is None for row in rows(dataset, "labels"))
    assert ledger(dataset).agreement() == {"color": (1, 1)}


def test_from_the_demonstration_to_a_corrected_label(studio_server, garmentloop_command, tmp_path):
    """What `make demo-open` leaves behind is all that a person with a browser needs."""
    dataset = Dataset.create(tmp_path / "demo", Settings(name="demo", simulated=True))
    copy_data(studio_folder(studio_server.home) / "data", studio_folder(dataset) / "data")
    server.write_state(dataset, replace(studio_server.state, url="http://127.0.0.1:0"))
    try:
        told = garmentloop_command(
            "demo", "--open", "--out", dataset.folder, "--count", "8", timeout=900
        )
        assert told.returncode == 0, told.stderr
        url = server.running(dataset).url
        assert f"{url}/projects/" in told.stdout
        with chromium() as browser:
            person = Labeller(browser, url, studio_server.first, artifacts(tmp_path))
            person.log_in()
            task = person.label_all(connect(dataset).project(Kind.MAIN))
            garment = garments_of(connect(dataset), Kind.MAIN)[task]
            person.chip("pattern", "animal").click()
            person.accept(task)
        deadline = time.monotonic() + 60
        while not (said := by_people(dataset, garment)):
            assert time.monotonic() < deadline, following.log_path(dataset).read_text()
            time.sleep(0.2)
        assert said["pattern"] == (value_of(["animal"]), studio_server.first.email)
    finally:
        garmentloop_command("annotate", "down", "-d", dataset.folder)
        garmentloop_command("curate", "close", "-d", dataset.folder)
    assert server.running(dataset) is None
