"""Pull against a real server: everything once, whatever happens in between."""

import json

import pytest
from pulling import (
    Crowd,
    answer,
    change,
    delete,
    everything,
    expect_each_once,
    holds,
    numbers,
    pulled,
    push_all,
    result,
    rows,
)
from standin_taggers import PixelTagger

from annotate.prelabel import prelabel
from annotate.studio.aside import aside_path
from annotate.studio.client import connect
from annotate.studio.project import Kind, change_record, find_record, studio_folder
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import NotOurProject, StudioBusy
from garments.status import status
from garments.taxonomy import Taxonomy
from garments.truth import held_in


@pytest.fixture
def tasks(studio) -> list[int]:
    """Ten tasks in the main project."""
    return numbers(studio, push_all(studio))


def states(studio) -> list[str]:
    return [row["state"] for row in rows(studio.dataset, "tasks")]


def reopened(studio):
    """A client as another process has it."""
    return connect(Dataset.open(studio.dataset.folder))


def asides(studio) -> list[dict]:
    path = aside_path(studio.dataset)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_nothing_was_pushed(studio):
    with pytest.raises(NotOurProject, match="garmentloop annotate push"):
        pulled(studio)


def test_who_said_what_and_how_long(studio, tasks, studio_server):
    first = answer(studio, tasks[0], 3.25, color=("red", "blue"), gender="not_visible")
    second = connect(studio.dataset, studio.url, studio_server.second.token)
    answer(second, tasks[1], 1.5, category=("t-shirt",), sub_category=("henley",))
    end = pulled(studio)
    assert (end.annotations, end.labels, end.done) == (2, 4, 10)
    found = {row["attribute"]: row for row in rows(studio.dataset, "labels")}
    assert {name: row["value"] for name, row in found.items()} == {
        "color": '["blue", "red"]',
        "gender": "not_visible",
        "category": '["t-shirt"]',
        "sub_category": '["henley"]',
    }
    color = found["color"]
    assert (color["annotator"], color["seconds"]) == (studio_server.first.email, 3.25)
    assert found["category"]["annotator"] == studio_server.second.email
    assert color["annotation_id"] == f"{tasks[0]}/{first}"
    by_task = {row["task_id"]: row for row in rows(studio.dataset, "tasks")}
    assert by_task[color["task_id"]]["garment_id"] == color["garment_id"]
    assert by_task[color["task_id"]]["crop_sha"] == color["crop_sha"]
    assert color["vocabulary_hash"] == studio.dataset.taxonomy.vocabulary_hash("color")
    assert color["proposal_id"] is None
    assert sorted(states(studio)) == ["created"] * 8 + ["done"] * 2
    assert status(studio.dataset).labels == {"annotator": 4}


def test_the_proposal_that_was_shown(studio):
    tagger = PixelTagger(studio.dataset.taxonomy)
    list(prelabel(studio.dataset, taggers=[tagger]))
    tasks = numbers(studio, push_all(studio))
    answer(studio, tasks[0], color=("red",), pattern=("solid",))
    pulled(studio)
    shown = {r["task_id"]: json.loads(r["shown"]) for r in rows(studio.dataset, "tasks")}
    for row in rows(studio.dataset, "labels"):
        said = shown[row["task_id"]][row["attribute"]]
        assert row["proposal_id"] == (said["proposal_id"] if said["values"] else None)
    assert any(row["proposal_id"] for row in rows(studio.dataset, "labels"))


def test_the_audit_project(studio, studio_server):
    audit = push_all(studio, audit=1)
    task, other = numbers(studio, audit)[:2]
    one = answer(studio, task, color=("red",))
    pulled(studio)
    assert states(studio) == ["created"] * 10, "another one has to answer too"
    second = connect(studio.dataset, studio.url, studio_server.second.token)
    two = answer(second, task, color=("blue",))
    answer(second, other, cancel=True)
    assert pulled(studio).labels == 1
    assert holds(studio.dataset) == {(one, "color"): '["red"]', (two, "color"): '["blue"]'}
    assert {row["proposal_id"] for row in rows(studio.dataset, "labels")} == {None}
    assert sorted(states(studio)) == ["created"] * 9 + ["done"]
    [held] = held_in(studio.dataset).values()
    assert held.basis == "disputed"


def test_changed_and_deleted(studio, tasks):
    number = answer(studio, tasks[0], color=("red",), pattern=("solid",))
    gone = answer(studio, tasks[1], color=("blue",))
    pulled(studio)
    change(studio, number, color=("green",))
    delete(studio, gone)
    end = pulled(studio)
    assert (end.labels, end.withdrawn) == (1, 2)
    assert holds(studio.dataset) == {(number, "color"): '["green"]'}
    assert sorted(states(studio)) == ["created"] * 9 + ["done"]
    [held] = held_in(studio.dataset).values()
    assert (held.attribute, held.value) == ("color", '["green"]')


def test_all_answers_deleted_at_once(studio, tasks):
    for task in tasks:
        answer(studio, task, color=("red",))
    pulled(studio)
    studio._act(studio.project(Kind.MAIN), "delete_tasks_annotations", tasks)
    assert pulled(studio).withdrawn == 10
    assert holds(studio.dataset) == {} and states(studio) == ["created"] * 10


def test_bad_crops_notes_and_skips(studio, tasks):
    bad = answer(studio, tasks[0], reason="occluded", color=("red",), note="a hand before it")
    answer(studio, tasks[1], cancel=True)
    answer(studio, tasks[2], color=("red",), note="is it?")
    end = pulled(studio)
    assert (end.bad_crops, end.notes, end.skips, end.labels) == (1, 2, 1, 1)
    assert str(end) == "2 annotations: 1 labels, 1 bad crops, 2 notes, 1 tasks skipped"
    held = holds(studio.dataset, "decisions")
    assert held[bad, "bad_crop"] == "occluded" and held[bad, "note"] == "a hand before it"
    assert sorted(states(studio)) == ["created"] * 7 + ["done"] * 2 + ["skipped"]
    change(studio, bad, color=("red",))
    assert pulled(studio).withdrawn == 2
    assert [kind for _, kind in holds(studio.dataset, "decisions")] == ["note"]


def test_drafts_and_predictions_say_nothing(studio):
    list(prelabel(studio.dataset, taggers=[PixelTagger(studio.dataset.taxonomy)]))
    main = push_all(studio)
    tasks = numbers(studio, main)
    body = {"result": result(studio.dataset, color=("red",)), "lead_time": 1}
    studio.request("POST", f"/api/tasks/{tasks[0]}/drafts", json=body)
    assert pulled(studio).changes == 0 and rows(studio.dataset, "labels") == []
    studio.request(
        "POST",
        "/api/dm/actions/",
        params={"id": "predictions_to_annotations", "project": main.id},
        json={"selectedItems": {"all": False, "included": tasks[1:3]}},
    )
    end = pulled(studio)
    assert (end.labels, end.set_aside) == (0, 2) and rows(studio.dataset, "labels") == []
    assert all("nobody looked" in one["reason"] for one in asides(studio))


def test_a_replay_changes_nothing(studio, tasks):
    for task in tasks[:3]:
        answer(studio, task, color=("red",), note="n")
    cursor = find_record(studio.dataset, Kind.MAIN).cursor
    pulled(studio)
    before = everything(studio.dataset)
    assert pulled(studio).changes == 0
    assert pulled(reopened(studio), everything=True).changes == 0
    change_record(studio.dataset, Kind.MAIN, cursor=cursor)  # killed before it was kept
    assert pulled(studio).changes == 0
    assert everything(studio.dataset) == before


def test_dry_run_says_all_and_writes_nothing(studio, tasks):
    answer(studio, tasks[0], color=("red",))
    end = pulled(studio, dry_run=True)
    assert (end.annotations, end.labels) == (1, 1)
    assert rows(studio.dataset, "labels") == [] and set(states(studio)) == {"created"}
    assert find_record(studio.dataset, Kind.MAIN).cursor is None
    assert pulled(studio).labels == 1


@pytest.mark.parametrize("cursor", ["2999-01-01T00:00:00.000000Z", "1999-01-01T00:00:00Z"])
def test_a_server_whose_clock_was_set(studio, tasks, cursor):
    """The cursor is in its future, or far behind: nothing is missed."""
    expected = {}
    crowd = Crowd(studio, expected)
    crowd.annotate(tasks[:2])
    pulled(studio)
    crowd.annotate(tasks[2:4])
    change_record(studio.dataset, Kind.MAIN, cursor=cursor)
    assert pulled(studio).annotations == 2
    expect_each_once(studio.dataset, expected)
    assert find_record(studio.dataset, Kind.MAIN).cursor < "2900"


def test_our_own_clock_does_not_matter(studio, tasks, monkeypatch):
    import time

    monkeypatch.setattr(time, "time", lambda: 0.0)
    expected = {}
    Crowd(studio, expected).annotate(tasks[:2])
    pulled(studio)
    expect_each_once(studio.dataset, expected)


def test_the_taxonomy_changed_meanwhile(studio, tasks):
    answer(studio, tasks[0], color=("red", "blue"), pattern=("solid",))
    pulled(studio)
    answer(studio, tasks[1], color=("red", "blue"), pattern=("solid",))
    path = studio.dataset.folder / "taxonomy.toml"
    before = path.read_text()
    data = Taxonomy.load(path).model_dump()
    data["attributes"] = [a for a in data["attributes"] if a["id"] != "pattern"]
    [color] = [a for a in data["attributes"] if a["id"] == "color"]
    color["values"] = [value for value in color["values"] if value["id"] != "red"]
    Taxonomy.model_validate(data).save(path)
    end = pulled(reopened(studio))
    # What was pulled before is read again, as it changed within the last minute.
    newest = rows(studio.dataset, "labels")[-1]
    assert newest["value"] == '["blue"]'
    assert newest["vocabulary_hash"] == studio.dataset.taxonomy.vocabulary_hash("color")
    assert end.set_aside == 4
    assert {one["reason"].split(":")[0] for one in asides(studio)} == {"color", "pattern"}
    assert pulled(reopened(studio)).changes == 0
    path.write_text(before)
    pulled(reopened(studio), everything=True)
    assert sorted(set(holds(studio.dataset).values())) == ['["blue", "red"]', '["solid"]']
    assert len(holds(studio.dataset)) == 4


def test_a_task_that_is_not_ours_is_set_aside(studio, tasks):
    main = studio.project(Kind.MAIN)
    strange = {"garment_id": "f" * 16, "crop_sha": "x", "image": "/a.jpg", "photo": "/a.jpg"}
    studio.import_tasks(main, [{"data": {**strange, "confidence": ""}}])
    answer(studio, max(numbers(studio, main)), color=("red",))
    for _ in range(2):
        pulled(reopened(studio), everything=True)
    [one] = asides(studio)
    assert "no garment ffffffffffffffff" in one["reason"] and one["what"]
    assert rows(studio.dataset, "labels") == []


def test_a_task_that_the_catalogue_forgot(studio, tasks):
    """Restored from before the push: the garment is known, so the answer counts."""
    data = next(studio.tasks(studio.project(Kind.MAIN)))["data"]
    task = {**data, "crop_sha": "another"}
    studio.import_tasks(studio.project(Kind.MAIN), [{"data": task}])
    number = answer(studio, max(numbers(studio, studio.project(Kind.MAIN))), color=("red",))
    pulled(studio)
    assert holds(studio.dataset) == {(number, "color"): '["red"]'}
    assert rows(studio.dataset, "labels")[0]["crop_sha"] == "another"


def test_a_form_edited_in_the_browser(studio, tasks):
    """A choice was added and one removed: what ours says still counts."""
    main = studio.project(Kind.MAIN)
    form = main.label_config.replace('alias="red"', 'alias="crimson"')
    studio.update_project(main, label_config=form)
    answer(studio, tasks[0], color=("blue",))
    body = {"result": result(studio.dataset, color=("blue",)), "lead_time": 1}
    [entry] = [one for one in body["result"] if one["from_name"] == "color"]
    entry["value"]["choices"].append("crimson")
    studio.request("POST", f"/api/tasks/{tasks[1]}/annotations/", json=body)
    end = pulled(studio)
    assert (end.labels, end.set_aside) == (2, 1)
    assert asides(studio)[0]["what"] == ["color", "crimson"]


def test_a_person_who_left(studio, tasks, monkeypatch):
    answer(studio, tasks[0], color=("red",))
    monkeypatch.setattr(studio, "annotation_members", dict)
    pulled(studio)
    assert rows(studio.dataset, "labels")[0]["annotator"] == "user-1"


def test_another_pull_is_at_work(studio, tasks, monkeypatch):
    monkeypatch.setattr("annotate.studio.pull._PATIENCE", 0.1)
    with (
        exclusive(studio_folder(studio.dataset) / "pull.lock"),
        pytest.raises(StudioBusy, match="expected no other pull"),
    ):
        pulled(studio)


def test_a_project_that_is_not_ours(studio, tasks):
    answer(studio, tasks[0], color=("red",))
    studio.update_project(studio.project(Kind.MAIN), description="by hand")
    before = everything(studio.dataset)
    with pytest.raises(NotOurProject, match="Nothing was changed"):
        pulled(studio)
    assert everything(studio.dataset) == before


def test_a_set_aside_line_that_was_cut_off(studio, tasks):
    aside_path(studio.dataset).write_text('{"id": "cut')
    main = studio.project(Kind.MAIN)
    strange = {"garment_id": "e" * 16, "crop_sha": "x", "image": "/a.jpg", "photo": "/a.jpg"}
    studio.import_tasks(main, [{"data": {**strange, "confidence": ""}}])
    answer(studio, max(numbers(studio, main)), color=("red",))
    assert pulled(studio).set_aside == 1
    assert len(aside_path(studio.dataset).read_text().splitlines()) == 2
    assert pulled(reopened(studio), everything=True).set_aside == 0


def test_commands(studio, tasks, garmentloop_command):
    answer(studio, tasks[0], color=("red",), note="a note")
    folder = studio.dataset.folder
    foreseen = garmentloop_command("annotate", "pull", "-d", folder, "--dry-run")
    assert foreseen.stdout == "would bring 1 annotations: 1 labels, 1 notes\n"
    told = garmentloop_command("annotate", "pull", "-d", folder)
    assert told.stdout == "1 annotations: 1 labels, 1 notes\n"
    assert garmentloop_command("annotate", "pull", "-d", folder).stdout == "nothing new\n"
    wrong = garmentloop_command("annotate", "pull", "-d", folder, "--watch", "--all")
    assert wrong.returncode == 1 and "expected --watch alone" in wrong.stderr
