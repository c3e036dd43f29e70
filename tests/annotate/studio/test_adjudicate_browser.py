"""Somebody settles a dispute in a browser, and no name is on the page."""

import re
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")

from browsing import CHROMIUM, Labeller, artifacts, chromium
from playwright.sync_api import Error, Response
from pulling import pulled, result
from real_studio import Person

from annotate.studio.adjudicate import AdjudicateOptions, adjudicate
from annotate.studio.client import Studio
from annotate.studio.project import Kind
from annotate.studio.push import PushOptions, push
from garments.answers import value_of
from garments.said import Basis, people_say_in

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium")

COLORS = ("red", "navy")

MEMBERS = "/api/users"
"""Where Label Studio lists all who have an account: to everybody, and of no task."""


def test_a_dispute_is_settled_in_a_browser_without_names(studio, people, tmp_path) -> None:
    dataset, (judge, *annotators) = studio.dataset, people
    dispute(studio, annotators)
    titles = {value.id: value.title for value in dataset.taxonomy.attribute("color").values}
    with chromium() as browser:
        person = Labeller(browser, studio.url, judge, artifacts(tmp_path))
        person.log_in()
        responses: list[Response] = []
        person.page.on("response", lambda answer: responses.append(answer))
        task = person.label_all(studio.project(Kind.ADJUDICATION))
        person.shot("adjudication")
        said = person.page.locator(".gl-said")
        told = {said.nth(place).inner_text().replace("\n", " ") for place in range(said.count())}
        assert {text.partition(" ")[0] for text in told} == {"A", "B"}
        assert {text.partition(" ")[2] for text in told} == {titles[color] for color in COLORS}
        assert person.field("color").is_visible()
        for hidden in ("style", "category", "pattern"):
            assert not person.field(hidden).is_visible()
        assert not person.page.locator(".gl-form input:checked").count(), "nothing is filled in"
        person.chip("color", "navy").click()
        person.shot("adjudicated")
        person.accept(task)
        received = [(answer.url, text_of(answer)) for answer in responses]
        received.append(("the page", person.page.content()))
        seen = person.page.locator("body").inner_text()
        assert not person.errors
    about = [(url, text) for url, text in received if MEMBERS not in url]
    assert sum("What is right?" in text for _, text in about) >= 2, "the tasks are among them"
    for who in annotators:
        name = who.email.partition("@")[0]
        assert not [url for url, text in about if who.email in text]
        shown = [text for url, text in about if "What is right?" in text and "/api/" in url]
        assert not [text for text in (seen, *shown) if re.search(rf"\b{name}\b", text)]
    pulled(studio)
    held = people_say_in(dataset)
    colors = [one for (_, name), one in held.items() if name == "color"]
    assert sorted(one.basis for one in colors) == [Basis.ADJUDICATED, Basis.DISPUTED]
    [verdict] = [one for one in colors if one.basis is Basis.ADJUDICATED]
    assert (verdict.value, verdict.who) == (value_of(["navy"]), judge.email)


def dispute(studio: Studio, annotators: list[Person]) -> None:
    """Two people differ about the color of two garments, which is sent to be settled."""
    dataset = studio.dataset
    list(push(dataset, studio, PushOptions(audit=1.0, limit=2)))
    tasks = studio.task_ids_by_garment(studio.project(Kind.AUDIT))
    for who, color in zip(annotators, COLORS, strict=True):
        theirs = Studio(studio.url, who.token, dataset)
        for task in tasks.values():
            body = {"result": result(dataset, color=(color,), style=("casual",)), "lead_time": 2.0}
            theirs.request("POST", f"/api/tasks/{task}/annotations/", json=body, replay=False)
        theirs.connection.close()
    pulled(studio)
    list(adjudicate(dataset, studio, AdjudicateOptions()))


def text_of(answer: Response) -> str:
    """What the browser received; nothing where it has thrown it away, as it does with redirects."""
    try:
        return answer.body().decode("utf-8", "replace")
    except Error:
        return ""
