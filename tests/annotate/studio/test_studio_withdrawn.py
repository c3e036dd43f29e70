"""What was taken down is in no task, no database and no log of a real Label Studio any more."""

import json
import sqlite3
from contextlib import closing

import pytest
from pulling import answer, holds, pulled, push_all
from teaming import vouch

from annotate.studio import server
from annotate.studio.adjudicate import adjudicate
from annotate.studio.client import Studio, connect
from annotate.studio.journal import DISPUTE_JOURNAL, read_journal, write_journal
from annotate.studio.project import Kind, studio_folder
from annotate.studio.push import PushOptions, push
from annotate.studio.withdraw import withdraw_tasks
from garmentloop.takedown.find import find
from garmentloop.takedown.run import Services, resume, take_down
from garments.answers import value_of
from garments.catalog.rows import photo_row
from garments.dataset import Dataset
from garments.errors import DatasetError
from garments.records import Photo
from garments.scrub import Terms
from garments.withdrawals import Withdrawals

VICTIM, NEXT = f"{3:016x}", f"{4:016x}"
"""Garments, their photos and people: in these data sets they have one name."""

PEOPLES = (Kind.MAIN, Kind.ADJUDICATION)
"""Projects in which there are checks."""


def traces(dataset: Dataset, garment: str = VICTIM) -> set[str]:
    rows = dataset.catalog.rows("garments", ["crop_sha"], f"garment_id = '{garment}'")
    tasks = dataset.catalog.rows("tasks", ["task_id"], f"garment_id = '{garment}'")
    checks = dataset.catalog.rows("checks", ["task_id", "name"], f"garment_id = '{garment}'")
    found = [*rows.columns, *tasks.columns, *checks.columns]
    return {garment, *(name for column in found for name in column.to_pylist())}


def held(dataset: Dataset, terms: set[str]) -> list[str]:
    """Files of the data set, databases packed or not, in which any of these stands."""
    files = (path for path in dataset.folder.rglob("*") if path.is_file())
    return [
        f"{path.relative_to(dataset.folder)} {term}"
        for path in files
        for term in terms
        if term.encode() in str(path).encode() + path.read_bytes()
    ]


def answered(dataset: Dataset) -> Studio:
    """Everything pushed, each task answered and drafted, all of it pulled."""
    names = dataset.catalog.rows("garments", ["photo_id"]).column(0).to_pylist()
    dataset.catalog.put("photos", [photo_row(Photo(name, 48, 64)) for name in names])
    studio = connect(dataset)
    project = push_all(studio)
    for garment, task in studio.task_ids_by_garment(project).items():
        answer(studio, task, color=["red"])
        draft = {"result": [], "lead_time": 1}
        studio.request("POST", f"/api/tasks/{task}/drafts", json=draft)
        image = studio.request("GET", f"/api/tasks/{task}/")["data"]["image"]
        if garment == VICTIM:  # as a browser does, so that the log has it
            studio.connection._http.get(
                studio.url + image, headers={"Authorization": studio.connection._authorization}
            )
    assert pulled(studio).labels
    return studio


def down(dataset: Dataset, photo: str = VICTIM, **services) -> list[str]:
    events = take_down(dataset, find(dataset, photo), services=Services(**services))
    return [told.note for told in events if told.note]


def test_tasks_answers_drafts_and_exports_are_gone_whether_the_server_runs_or_not(own_server):
    dataset, _ = own_server(6)
    studio = answered(dataset)
    set_aside = studio_folder(dataset) / "set-aside.jsonl"
    set_aside.write_text(json.dumps({"id": "x", "garment_id": VICTIM}) + "\n{}\n")
    exported = studio_folder(dataset) / "data" / "export"
    exported.mkdir(exist_ok=True)
    (exported / "old.json").write_text(json.dumps([{"garment_id": VICTIM}]))
    (exported / "other.json").write_text("[]")
    terms, before = traces(dataset), holds(dataset)
    where = " ".join(held(dataset, terms))
    for place in ("label_studio.sqlite3", "set-aside", "server.log", "export/old.json"):
        assert place in where
    down(dataset)
    assert held(dataset, terms) == []
    assert [path.name for path in exported.iterdir()] == ["other.json"]
    assert server.running(dataset), "annotators go on"
    left = studio.task_ids_by_garment(studio.project(Kind.MAIN))
    assert len(left) == 5 and VICTIM not in left
    assert set_aside.read_text() == "{}\n"
    assert len(holds(dataset)) == len(before) - 1 == 5
    assert pulled(studio, everything=True).changes == 0
    assert held(dataset, terms) == [], "nothing comes back"
    server.stop(dataset)
    terms = traces(dataset, NEXT)
    assert any("label_studio.sqlite3" in line for line in held(dataset, terms))
    down(dataset, NEXT)
    assert not server.running(dataset), "it was started for that and stopped again"
    assert held(dataset, terms) == []
    path = studio_folder(dataset) / "data" / "label_studio.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("select count(*) from task").fetchone() == (4,)


def test_a_server_that_cannot_be_reached_is_told_and_the_rest_is_done(
    studio_dataset, studio_server, monkeypatch
):
    dataset = studio_dataset(5)
    studio = answered(dataset)
    terms, number = traces(dataset), studio.task_ids_by_garment(studio.project(Kind.MAIN))[VICTIM]
    for name in ("state.json", "server.pid"):  # as if it were on another machine
        (studio_folder(dataset) / name).unlink()
    events = take_down(dataset, find(dataset, VICTIM))
    with pytest.raises(DatasetError, match="LABEL_STUDIO_API_KEY"):
        list(events)
    assert not dataset.catalog.known("garments", [VICTIM])
    assert Withdrawals(dataset).pending()
    assert studio.request("GET", f"/api/tasks/{number}/")["id"] == number
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", studio_server.state.token)
    notes = [told.note for told in resume(dataset) if told.note]
    assert any("which is not ours" in note for note in notes)
    assert VICTIM not in studio.task_ids_by_garment(studio.project(Kind.MAIN))
    assert held(dataset, terms) == []


def test_a_server_that_is_gone_for_ever_can_be_left_out(studio_dataset):
    dataset = studio_dataset(4)
    answered(dataset)
    terms = traces(dataset)
    for name in ("state.json", "server.pid"):
        (studio_folder(dataset) / name).unlink()
    down(dataset, without_studio=True)
    assert held(dataset, terms) == [] and Withdrawals(dataset).pending() is None


def test_a_project_that_was_deleted_has_no_tasks(studio_dataset):
    dataset = studio_dataset(4)
    studio = answered(dataset)
    studio.request("DELETE", f"/api/projects/{studio.project(Kind.MAIN).id}/")
    assert withdraw_tasks(dataset, {VICTIM}, Terms({VICTIM})).tasks == 0


def test_uploaded_pictures_are_deleted_too(studio_dataset, studio_server):
    dataset = studio_dataset(4)
    push_all(connect(dataset))
    state = studio_server.state
    remote = Studio(state.url, state.token, dataset)
    project = remote.project(Kind.MAIN)
    rows = dataset.catalog.rows("garments", ["garment_id", "crop_sha"]).to_pylist()
    shas = {row["garment_id"]: row["crop_sha"] for row in rows}
    files = {f"{sha}.jpg": dataset.crop_path(sha) for sha in shas.values()}
    remote.upload(project, files)
    found = withdraw_tasks(dataset, {VICTIM}, Terms({VICTIM, shas[VICTIM]}))
    assert (found.tasks, found.uploads) == (1, 1)
    rows = remote.request("GET", f"/api/projects/{project.id}/file-uploads", params={"all": "true"})
    assert len(rows) == 3 and not any(shas[VICTIM] in row["file"] for row in rows)


def test_gold_tasks_and_disputes_go_by_their_own_names(studio_dataset):
    dataset = studio_dataset(6)
    studio = answered(dataset)
    say = {"attribute": "gender", "kind": "annotator"}
    for name in (VICTIM, NEXT):
        vouch(dataset, [name])
        dataset.catalog.add(
            "labels",
            [
                {"label_id": f"{who}{name}", "garment_id": name, "annotator": who, **say}
                | {"value": value_of([value])}
                for who, value in (("ann", "women"), ("bob", "men"))
            ],
        )
    list(push(dataset, studio, PushOptions(audit=0, gold=0.3)))
    assert list(adjudicate(dataset, studio))[-1].created == 2
    tasks = {kind: studio.task_ids_by_garment(studio.project(kind)) for kind in PEOPLES}
    rows = {row["name"]: row for row in dataset.catalog.rows("checks").to_pylist()}
    mine = {name for name, row in rows.items() if row["garment_id"] == VICTIM}
    assert len(mine) == 2 and len(rows) == 4
    for kind, there in tasks.items():
        [name] = mine & there.keys()
        values = {"color": ("red",)} if kind is Kind.MAIN else {"gender": ("men",)}
        answer(studio, there[name], **values)
    pulled(studio)
    kinds = set(dataset.catalog.rows("labels", ["kind"], f"garment_id = '{VICTIM}'")["kind"])
    assert {"gold", "adjudicated"} <= {str(kind) for kind in kinds}
    keys = frozenset(row["task_id"] for row in rows.values())
    write_journal(dataset, keys, DISPUTE_JOURNAL)  # as if it had been cut off
    terms = traces(dataset)
    assert len(terms) == 7 and held(dataset, terms)
    down(dataset)
    assert held(dataset, terms) == []
    assert len(read_journal(dataset, DISPUTE_JOURNAL)) == 2
    for kind in PEOPLES:
        left = studio.task_ids_by_garment(studio.project(kind)).keys()
        assert left == tasks[kind].keys() - mine - {VICTIM}
