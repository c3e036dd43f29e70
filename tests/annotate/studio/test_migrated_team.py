"""A migration while a team is at work: overlap, gold, disputes and verdicts follow."""

import json

import pytest
from pulling import pulled, result
from test_migrated_form import held, migrated, on_server, propose, pushed

from annotate.studio.adjudicate import AdjudicateOptions, adjudicate
from annotate.studio.agreement import agreements
from annotate.studio.client import Studio
from annotate.studio.gold import gold_answers
from annotate.studio.listing import list_tasks
from annotate.studio.project import Kind
from annotate.studio.push import PushOptions, plan
from annotate.studio.scores import scores
from garments.dataset import Dataset
from garments.said import Basis, people_say_in


def said(studio: Studio, person, task: int, **values) -> None:
    """Somebody's own answer, by the form that `studio` knows."""
    theirs = Studio(studio.url, person.token, studio.dataset)
    body = {"result": result(studio.dataset, **values), "lead_time": 2.0}
    theirs.request("POST", f"/api/tasks/{task}/annotations/", json=body, replay=False)
    theirs.connection.close()


def named(studio: Studio, kind: Kind = Kind.MAIN) -> dict[str, int]:
    """Numbers of tasks on the server by what they are called; each is there once."""
    listed = list_tasks(studio, studio.project(kind))
    found = {task.name: task.id for task in listed}
    assert len(found) == len(listed)
    return found


def gold(dataset: Dataset, colors: dict[str, str]) -> None:
    """A curator vouches for a color of each of these garments."""
    rows = [
        {"label_id": f"c-{name}", "garment_id": name, "attribute": "color", "kind": "curator"}
        | {"value": json.dumps([color]), "annotator": "cora"}
        for name, color in colors.items()
    ]
    dataset.catalog.add("labels", rows)
    vouched = [
        {"decision_id": f"gold-{name}", "garment_id": name, "kind": "gold", "who": "cora"}
        for name in colors
    ]
    dataset.catalog.add("decisions", vouched)


def colors_scored(dataset: Dataset, who: str) -> tuple[int, int, int]:
    """Answers to gold tasks about the color: all, right and missing ones."""
    [found] = [s for s in scores(dataset) if (s.annotator, s.attribute) == (who, "color")]
    return found.answers, found.right, found.missing


def test_what_a_team_answered_is_asked_again_and_gold_scores_go_on(studio, studio_server):
    one, other = studio_server.first, studio_server.second
    propose(studio)
    first, second, third = sorted(studio.dataset.catalog.ids("garments"))[:3]
    gold(studio.dataset, {first: "blue", second: "red"})
    assert pushed(studio, gold=0.2, overlap=2, overlap_share=1.0).plan.gold == 2
    tasks = named(studio)
    checks = {
        row["garment_id"]: tasks[row["name"]]
        for row in studio.dataset.catalog.rows("checks").to_pylist()
    }
    said(studio, one, checks[first], color=("navy",))
    said(studio, one, checks[second], color=("red",))
    for name in (second, third):
        said(studio, one, tasks[name], color=("red",), gender=("women",))
        said(studio, other, tasks[name], color=("red",), gender=("men",))
    pulled(studio)
    assert colors_scored(studio.dataset, one.email) == (2, 1, 0)

    new = migrated(studio)
    assert colors_scored(new.dataset, one.email) == (1, 1, 0), "navy is called blue by now"
    foreseen = plan(new.dataset, new, PushOptions(audit=0))
    assert (foreseen.created, foreseen.again) == (2, 2)
    assert "2 for several people, 2 asked again after a migration" in str(foreseen)
    assert pushed(new).created == 2 and pushed(new).created == 0
    on_it = {task["data"]["garment_id"]: task for task in on_server(new).values()}
    again = {n.partition("/")[0]: number for n, number in named(new).items() if "/" in n}
    assert again.keys() == {second, third}, "the untouched task of a gold garment is no answer"
    assert [on_it[name]["overlap"] for name in again] == [2, 2], "as many people as before"
    assert {row["state"] for row in new.dataset.catalog.rows("checks").to_pylist()} == {"done"}
    for name in again:
        for person in (one, other):
            said(new, person, again[name], color=("crimson",), gender=("men",))
    pulled(new)
    assert held(new)[second] == held(new)[third] == '["crimson"]'
    assert gold_answers(new.dataset)[second]["color"] == {"crimson"}
    assert colors_scored(new.dataset, one.email) == (1, 1, 0), "what was taken back is not missing"
    found = {agreed.attribute: agreed.overall for agreed in agreements(new.dataset)}
    assert (found["color"].garments, found["color"].alike) == (2, 1.0)
    assert (found["gender"].garments, found["gender"].alike) == (2, 0.0), "men was filled in"


@pytest.fixture
def disputed(studio, studio_server) -> dict[str, str]:
    """Blind tasks that two people answered differently: garments by what they differ in."""
    pushed(studio, audit=1.0, limit=4)
    tasks = named(studio, Kind.AUDIT)
    told = {
        "merged": ({"color": ("navy",)}, {"color": ("blue",)}),
        "renamed": ({"color": ("green",)}, {"color": ("black",)}),
        "late": ({"pattern": ("solid",)}, {"pattern": ("striped",)}),
        "begun": ({"pattern": ("solid",)}, {"pattern": ("checked",)}),
    }
    names = dict(zip(told, sorted(tasks), strict=True))
    for what, answers in told.items():
        people = (studio_server.first, studio_server.second)
        for person, values in zip(people, answers, strict=True):
            said(studio, person, tasks[names[what]], **values)
    pulled(studio)
    return names


def test_disputes_and_late_verdicts_follow(studio, studio_server, disputed):
    one = studio_server.first
    sent = list(adjudicate(studio.dataset, studio, AdjudicateOptions()))[-1]
    assert sent.created == 4
    rows = studio.dataset.catalog.rows("checks").to_pylist()
    called = {row["garment_id"]: row["name"] for row in rows}
    tasks = named(studio, Kind.ADJUDICATION)
    number = {what: tasks[called[garment]] for what, garment in disputed.items()}
    new = migrated(studio)
    said(studio, one, number["late"], pattern=("striped",))  # the page was open meanwhile
    draft = {"result": [], "lead_time": 1}
    studio.request("POST", f"/api/tasks/{number['begun']}/drafts", json=draft)
    pulled(new)
    holds = people_say_in(new.dataset)
    late = holds[disputed["late"], "print"]
    assert (late.value, late.basis) == ('["striped"]', Basis.ADJUDICATED)

    end = list(adjudicate(new.dataset, new, AdjudicateOptions()))[-1]
    assert (end.created, end.withdrawn) == (2, 2), "said in new words, and what is alike is over"
    there = named(new, Kind.ADJUDICATION)
    assert number["merged"] not in there.values() and number["renamed"] not in there.values()
    assert 'name="pattern"' in new.project(Kind.ADJUDICATION).label_config, "it was answered once"
    said(new, one, number["begun"], print=("checked",))
    [renamed] = [
        there[row["name"]]
        for row in new.dataset.catalog.rows("checks").to_pylist()
        if row["garment_id"] == disputed["renamed"] and row["state"] == "created"
    ]
    said(new, one, renamed, color=("leaf",))
    pulled(new)
    holds = people_say_in(new.dataset)
    for what, attribute, value in (
        ("begun", "print", "checked"),
        ("renamed", "color", "leaf"),
        ("merged", "color", "blue"),
    ):
        assert holds[disputed[what], attribute].value == f'["{value}"]'
    assert holds[disputed["merged"], "color"].basis is Basis.CONSENSUS
    end = list(adjudicate(new.dataset, new, AdjudicateOptions()))[-1]
    assert (end.created, end.withdrawn) == (0, 1), "what the begun one settled is not asked twice"
