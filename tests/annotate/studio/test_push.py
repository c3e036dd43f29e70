"""Garments go to a real Label Studio, each once, with what is shown kept on our side."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from pulling import answer
from pushing import MOMENTS
from real_studio import kill_server
from standin_taggers import PixelTagger, SecondOpinion, add_garments

from annotate.prelabel import PrelabelOptions, prelabel
from annotate.studio import sending as module
from annotate.studio import server
from annotate.studio.client import Studio, connect
from annotate.studio.form import form
from annotate.studio.journal import one_push, read_journal
from annotate.studio.listing import list_tasks
from annotate.studio.project import Kind, find_record, studio_folder
from annotate.studio.push import PushOptions, PushProgress, plan, push
from annotate.studio.tasks import MODEL_VERSION, task_id
from garments.dataset import Dataset
from garments.errors import StudioDown, StudioError, StudioRefused
from garments.images import decode

HERE = Path(__file__).parent


def times(fault_rounds: int) -> int:
    """How often something is killed: twice in `make test`, 20 times in `make soak`."""
    return 2 if fault_rounds <= 3 else min(fault_rounds, 20)


def propose(dataset: Dataset, weights: str = "w1") -> None:
    taggers = [PixelTagger(dataset.taxonomy, weights=weights), SecondOpinion(dataset.taxonomy)]
    list(prelabel(dataset, PrelabelOptions(), taggers))


def pushed(studio: Studio, **options) -> PushProgress:
    """The end of a push."""
    return list(push(studio.dataset, studio, PushOptions(**{"audit": 0.2, **options})))[-1]


def rows(dataset: Dataset) -> dict[str, dict]:
    return {row["task_id"]: row for row in dataset.catalog.rows("tasks").to_pylist()}


def there(studio: Studio, kind: Kind = Kind.MAIN) -> dict[str, dict]:
    """Tasks on the server by garment; each must be there once."""
    if find_record(studio.dataset, kind) is None:
        return {}
    found = list(studio.tasks(studio.project(kind)))
    tasks = {task["data"]["garment_id"]: task for task in found}
    assert len(tasks) == len(found)
    return tasks


def assert_as_recorded(studio: Studio) -> None:
    """The catalogue says of every task what the server shows, and nothing else."""
    dataset, asked = studio.dataset, form(studio.dataset.taxonomy)
    recorded = {
        (row["garment_id"], row["audit"]): row
        for row in rows(dataset).values()
        if row["state"] != "deleted"
    }
    found = {}
    for kind in Kind:
        for garment, task in there(studio, kind).items():
            found[garment, kind is Kind.AUDIT] = task
    assert set(found) == set(recorded)
    for key, task in found.items():
        row, data = recorded[key], task["data"]
        uuid = find_record(dataset, Kind.AUDIT if key[1] else Kind.MAIN).uuid
        assert row["task_id"] == task_id(uuid, data["garment_id"], data["crop_sha"])
        for name in ("form_hash", "vocabulary_hash", "round", "audit"):
            assert row[name] == data[name]
        shown = json.loads(row["shown"])
        if key[1]:
            assert (task["predictions"], shown) == ([], {})
            continue
        [prediction] = task["predictions"]
        assert prediction["model_version"] == MODEL_VERSION
        values = asked.answers(prediction["result"]).values
        assert values == {
            name: tuple(sent["values"]) for name, sent in shown.items() if sent["values"]
        }


def test_everything_is_sent_once_with_its_pictures(studio: Studio) -> None:
    dataset = studio.dataset
    propose(dataset)
    before = plan(dataset, studio, PushOptions(audit=0.2))
    assert (before.created, before.updated, rows(dataset)) == (10, 0, {})
    assert find_record(dataset, Kind.MAIN) is None  # a plan makes no project
    end = pushed(studio)
    assert (end.created, end.blind, end.done, end.total) == (10, before.blind, 10, 10)
    assert_as_recorded(studio)
    assert studio.project(Kind.MAIN).model_version == MODEL_VERSION
    task = next(iter(there(studio).values()))
    for name in ("image", "photo"):
        headers = {"Authorization": f"Token {studio.connection._token}"}
        got = studio.connection._http.get(studio.url + task["data"][name], headers=headers)
        assert min(decode(got.content).pixels.shape[:2]) > 1
    shown = json.loads(next(row for row in rows(dataset).values() if not row["audit"])["shown"])
    assert set(shown["category"]) == {"values", "confidence", "proposal_id", "tagger"}
    stored = rows(dataset)
    again = pushed(studio)
    assert (again.created, again.updated, again.plan.left) == (0, 0, 10)
    assert rows(dataset) == stored
    assert dataset.catalog.rows("rounds").to_pylist()[0]["round_id"] == "round-1"
    assert read_journal(dataset) == frozenset()


def test_a_new_model_changes_what_nobody_has_touched_and_nothing_else(studio: Studio) -> None:
    dataset = studio.dataset
    propose(dataset)
    pushed(studio, audit=0.0)
    tasks = list(there(studio).values())
    answered, skipped, begun, gone, *free = [task["id"] for task in tasks]
    answer(studio, answered)
    answer(studio, skipped, cancel=True)
    draft = {"result": tasks[2]["predictions"][0]["result"], "lead_time": 1}
    studio.request("POST", f"/api/tasks/{begun}/drafts?project={tasks[2]['project']}", json=draft)
    studio.delete_tasks(studio.project(Kind.MAIN), [gone])
    dataset.change({"prelabel.color_by": "other"})
    taggers = [PixelTagger(dataset.taxonomy, reference="other", weights="w2")]
    taggers[0].calibrations = {}
    dataset.change({"models.tagger": "other"})
    list(prelabel(dataset, PrelabelOptions(model="other"), taggers))
    before, stored = {task["id"]: task for task in tasks}, rows(dataset)
    foreseen = plan(dataset, studio, PushOptions(audit=0))
    assert (foreseen.created, foreseen.updated, foreseen.left, foreseen.deleted) == (0, 6, 3, 1)
    end = pushed(studio, audit=0.0)
    assert (end.created, end.updated, end.plan.deleted) == (0, 6, 1)
    after = {task["id"]: task for task in there(studio).values()}
    assert set(after) == {answered, skipped, begun, *free}
    for number, task in after.items():
        same = task["predictions"][0]["id"] == before[number]["predictions"][0]["id"]
        assert same == (number not in free)
        assert len(task["predictions"]) == 1
    now = rows(dataset).items()
    changed = {row["garment_id"] for key, row in now if row["shown"] != stored[key]["shown"]}
    assert changed == {after[number]["data"]["garment_id"] for number in free}
    assert {row["state"] for row in rows(dataset).values()} == {"created", "deleted"}
    assert_as_recorded(studio)
    stored = rows(dataset)
    end = pushed(studio, audit=0.0)
    assert (end.created, end.updated) == (0, 0)
    assert rows(dataset) == stored


def test_a_garment_that_was_cut_anew_keeps_its_task(studio: Studio) -> None:
    dataset = studio.dataset
    propose(dataset)
    pushed(studio, audit=0.0)
    before = there(studio)
    first, other = dataset.catalog.rows("garments").sort_by("seq").to_pylist()[:2]
    cut = {key: value for key, value in first.items() if key not in ("seq", "created_at")}
    dataset.catalog.put("garments", [{**cut, "crop_sha": other["crop_sha"]}])
    assert pushed(studio, audit=0.0).updated == 1
    task = there(studio)[first["garment_id"]]
    assert task["id"] == before[first["garment_id"]]["id"]
    assert other["crop_sha"] in task["data"]["image"]
    states = [r["state"] for r in rows(dataset).values() if r["garment_id"] == first["garment_id"]]
    assert sorted(states) == ["created", "deleted"]
    assert_as_recorded(studio)


def test_a_round_takes_as_many_as_its_limit_says(studio: Studio, tmp_path) -> None:
    dataset = studio.dataset
    assert pushed(studio, limit=4, audit=0.0).created == 4
    assert pushed(studio, limit=4, audit=0.0).plan.full
    assert pushed(studio, limit=2, round="second", select="random", audit=0.0).created == 2
    ids = [row["garment_id"] for row in rows(dataset).values()]
    free = sorted(set(dataset.catalog.ids("garments")) - set(ids))
    (tmp_path / "ids").write_text("\n".join([*free[:2], ids[0]]))
    end = pushed(studio, select=str(tmp_path / "ids"), audit=0.0)
    assert (end.created, end.plan.round) == (2, "second")
    assert end.plan.reasons == {"sent before": 1}
    assert Counter(row["round"] for row in rows(dataset).values()) == {"round-1": 4, "second": 4}
    assert_as_recorded(studio)


def test_crops_that_are_gone_or_links_are_not_sent(studio: Studio, tmp_path: Path) -> None:
    dataset = studio.dataset
    first, second, third = dataset.catalog.rows("garments").to_pylist()[:3]
    dataset.crop_path(first["crop_sha"]).unlink()
    link = dataset.crop_path(second["crop_sha"])
    link.unlink()
    (tmp_path / "elsewhere").write_bytes(b"somebody else's")
    link.symlink_to(tmp_path / "elsewhere")
    end = pushed(studio)
    assert (end.created, end.plan.unshown) == (8, 2)
    assert_as_recorded(studio)
    folder = dataset.crop_path(third["crop_sha"]).parent
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))
    add_garments(dataset, 12)
    (dataset.folder / "crops").rename(dataset.folder / "moved")
    (dataset.folder / "crops").symlink_to(dataset.folder / "moved")
    with pytest.raises(StudioError, match="symbolic link"):
        pushed(studio)
    assert len(rows(dataset)) == 8


def test_a_form_edited_in_the_browser_is_left_alone_until_told_otherwise(studio: Studio) -> None:
    propose(studio.dataset)
    pushed(studio, limit=5)
    project = studio.project(Kind.MAIN)
    edited = project.label_config.replace("Style", "Fashion")
    studio.update_project(project, label_config=edited)
    stored = rows(studio.dataset)
    for call in (plan, lambda *args: list(push(*args))):
        with pytest.raises(StudioRefused, match="--reset-form"):
            call(studio.dataset, studio, PushOptions())
    assert rows(studio.dataset) == stored
    assert len(there(studio)) + len(there(studio, Kind.AUDIT)) == 5
    assert pushed(studio, reset_form=True).created == 5
    assert studio.form_is_ours(studio.project(Kind.MAIN))
    with one_push(studio.dataset), pytest.raises(StudioError, match="one is at work"):
        pushed(studio)


def test_to_a_remote_server_pictures_are_uploaded(studio: Studio) -> None:
    propose(studio.dataset)
    remote = Studio(studio.url, studio.connection._token, studio.dataset)
    assert not remote.local
    assert pushed(remote).created == 10
    task = next(iter(there(remote).values()))
    assert task["data"]["image"].startswith("/data/upload/")
    assert_as_recorded(remote)
    assert pushed(remote).updated == 0
    remote.connection.close()


def test_doubles_are_removed_but_not_what_somebody_answered(studio: Studio) -> None:
    propose(studio.dataset)
    pushed(studio, audit=0.0)
    project, tasks = studio.project(Kind.MAIN), list(there(studio).values())
    payload = [{"data": task["data"], "predictions": []} for task in tasks[:3]]
    studio.request("POST", f"/api/projects/{project.id}/import", json=payload)
    late = list_tasks(studio, project)[-1]
    answer(studio, late.id)
    other = {name: "x" for name in tasks[0]["data"] if name not in ("garment_id", "crop_sha")}
    studio.request("POST", f"/api/projects/{project.id}/import", json=[{"data": other}])
    end = pushed(studio, audit=0.0)
    assert (end.created, end.removed) == (0, 3)
    left = {task.id for task in list_tasks(studio, project)}
    assert late.id in left
    assert len(left) == 11  # with the one that is not ours


@pytest.mark.faults
def test_a_killed_push_goes_on_and_sends_nothing_twice(studio_dataset, fault_rounds) -> None:
    for number in range(times(fault_rounds)):
        dataset = studio_dataset(10)
        propose(dataset)
        studio = connect(dataset)
        if number % 2:  # every other time while updating
            pushed(studio)
            propose(dataset, "w2")
        moment = random.randrange(MOMENTS)
        environment = {**os.environ, "DIE_AT": str(moment)}
        command = [sys.executable, str(HERE / "pushing.py"), str(dataset.folder)]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
        pushed(studio)
        tasks = len(there(studio)) + len(there(studio, Kind.AUDIT))
        assert tasks == 10, f"killed at moment {moment}"
        assert_as_recorded(studio)
        assert {row["state"] for row in rows(dataset).values()} == {"created"}
        assert read_journal(dataset) == frozenset()


@pytest.mark.faults
def test_a_server_that_is_killed_during_a_push_gets_each_task_once(
    own_server, fault_rounds, monkeypatch
) -> None:
    dataset, _ = own_server(12)
    propose(dataset)
    monkeypatch.setattr(module, "BATCH", 4)
    for _ in range(times(fault_rounds)):
        studio = connect(dataset)
        studio.connection.attempts = 2
        timer = threading.Timer(random.uniform(0, 2), kill_server, [dataset])
        send = Studio.import_tasks

        def and_kill(self, *args, timer=timer, send=send):
            if not timer.is_alive():
                timer.start()
            return send(self, *args)

        with monkeypatch.context() as patch:
            patch.setattr(Studio, "import_tasks", and_kill)
            try:
                pushed(studio)
            except StudioDown:
                pass
            except RuntimeError as error:  # a timer starts once only
                assert "threads" in str(error)
        if timer.ident:
            timer.join()
        server.start(dataset, timeout=600)
        studio = connect(dataset)
        pushed(studio)
        assert {row["state"] for row in rows(dataset).values()} == {"created"}
        assert_as_recorded(studio)
        add_garments(dataset, 8, first=dataset.catalog.count("garments"))
        propose(dataset)


def test_push_as_a_command(studio: Studio, garmentloop_command) -> None:
    folder = studio.dataset.folder
    tried = garmentloop_command("annotate", "push", "-d", folder, "--dry-run", timeout=600)
    assert "round-1: 10 tasks to create" in tried.stdout, tried.stderr
    assert not rows(studio.dataset)
    sent = garmentloop_command("annotate", "push", "-d", folder, "--limit", "6", timeout=600)
    assert "round-1: 6 tasks created" in sent.stdout, sent.stderr
    again = garmentloop_command("annotate", "push", "-d", folder, "--limit", "6", timeout=600)
    assert "has its 6 tasks; name another with --round" in again.stderr
    wrong = garmentloop_command("annotate", "push", "-d", folder, "--audit", "5", timeout=600)
    assert wrong.returncode == 1 and "like 5% or 0.05" in wrong.stderr
    assert studio_folder(studio.dataset).is_dir()


def test_a_strategy_chooses_what_the_command_sends(studio: Studio) -> None:
    from typer.testing import CliRunner

    from curate.select.keep import newest_selected
    from garmentloop.cli import app

    dataset = studio.dataset
    propose(dataset)
    command = ["annotate", "push", "-d", str(dataset.folder), "--audit", "0", "--select"]
    command += ["uncertain", "--limit", "4"]

    def run(*more: str) -> str:
        result = CliRunner().invoke(app, [*command, *more])
        assert result.exit_code == 0, result.output
        return result.output

    run("--dry-run")
    assert (rows(dataset), newest_selected(dataset)) == ({}, None)
    run()
    sent = {row["garment_id"] for row in rows(dataset).values()}
    kept = newest_selected(dataset)
    assert kept is not None and set(kept.garments) == sent and len(sent) == 4
    run()  # the round is full
    assert {row["garment_id"] for row in rows(dataset).values()} == sent
    refused = CliRunner().invoke(app, command[:-2])
    assert refused.exit_code and "expected --limit" in refused.output
