"""The client: nothing twice, nothing missed, nothing of others touched, and clear messages."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from real_studio import log_in

from annotate.studio.client import Studio, connect
from annotate.studio.project import Kind, change_record, find_record, mark_of, xml_hash
from garments.dataset import Dataset
from garments.errors import (
    NotOurProject,
    StudioDenied,
    StudioDown,
    StudioError,
    StudioRefused,
)

FORM = """<View>
  <Image name="image" value="$image"/><Image name="photo" value="$photo"/>
  <Choices name="color" toName="image" choice="multiple">
    <Choice value="red"/><Choice value="blue"/>
  </Choices>
</View>"""
WITHOUT_BLUE = FORM.replace('<Choice value="blue"/>', "")
RED = [{"from_name": "color", "to_name": "image", "type": "choices", "value": {"choices": ["red"]}}]


class Answering:
    """A small web server that answers what it is told to, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        """The last of `answers` (status, JSON or text) is given for ever."""
        self.asked: list[str] = []
        asked, left = self.asked, list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(f"{self.command} {self.path} {self.headers['Authorization']}")
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                status, body = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(status)
                self.send_header("Location", "https://elsewhere.test/")
                self.end_headers()
                text = body if isinstance(body, str) else json.dumps(body)
                self.wfile.write(text.encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()


class Losing(Studio):
    """A client whose connection is lost at the next POST of `path`: before or after its effect."""

    def lose(self, path: str, after: bool, times: int = 1) -> None:
        real, left = self.connection.request, [None] * times

        def request(method, where, **rest):
            if method != "POST" or not where.endswith(path) or not left:
                return real(method, where, **rest)
            left.pop()
            if after:
                real(method, where, **rest)
            raise StudioDown("the connection was lost")

        self.connection.request = request


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    return Dataset.create(tmp_path / "data")


@pytest.fixture
def losing(studio) -> Losing:
    state = connect(studio.dataset)
    token = state.connection._token
    return Losing(studio.url, token, studio.dataset, root=studio.root)


def rows(dataset: Dataset):
    return dataset.catalog.rows("garments").to_pylist()


def tasks_of(studio: Studio, count: int | None = None):
    def data(row):
        image = studio.file_url(studio.dataset.crop_path(row["crop_sha"]))
        names = {"garment_id": row["garment_id"], "crop_sha": row["crop_sha"]}
        return {"data": {**names, "image": image, "photo": image}}

    return [data(row) for row in rows(studio.dataset)[:count]]


def annotate(studio: Studio, task: int, **more):
    path = f"/api/tasks/{task}/annotations/"
    return studio.request("POST", path, json={"result": RED, "lead_time": 2.5, **more})


# --- address and token


def test_nothing_there(dataset):
    with pytest.raises(StudioDown, match=r"at http://127.0.0.1:9, but nothing answers"):
        connect(dataset, "http://127.0.0.1:9/", "token")


def test_no_address(dataset):
    with pytest.raises(StudioDown, match="an address like"):
        connect(dataset, "127.0.0.1:8080", "token")


@pytest.mark.parametrize("answer", [(200, "<html>"), (404, "no"), (200, {"status": "UP"})])
def test_another_program(dataset, answer):
    with Answering(answer) as other, pytest.raises(StudioDown, match="another program"):
        connect(dataset, other.url, "secret")
    assert "secret" not in str(other.asked), "a token is shown to nobody but Label Studio"


def test_sent_elsewhere(dataset):
    with Answering((301, "")) as other, pytest.raises(StudioRefused, match=r"https://elsewhere"):
        connect(dataset, other.url, "token")


def test_failures_are_tried_again_and_refusals_are_not(dataset):
    with Answering((502, "x"), (500, "x"), (200, {"id": 7})) as server:
        assert Studio(server.url, "token", dataset).request("GET", "/api/x/") == {"id": 7}
        assert len(server.asked) == 3
    with Answering((503, {"detail": "busy"})) as server:
        studio = Studio(server.url, "token", dataset, attempts=2)
        with pytest.raises(StudioDown, match="503: busy"):
            studio.request("GET", "/api/x/")
        assert len(server.asked) == 2
    with Answering((400, {"validation_errors": {"label_config": ["bad"]}})) as server:
        with pytest.raises(StudioRefused, match=r'400: {"label_config": \["bad"\]}'):
            Studio(server.url, "token", dataset).request("GET", "/api/x/")
        assert len(server.asked) == 1


def test_no_token(dataset, studio_server):
    with pytest.raises(StudioDenied, match="in LABEL_STUDIO_API_KEY, but that is empty"):
        connect(dataset, studio_server.url)


def test_wrong_token(dataset, studio_server):
    with pytest.raises(StudioDenied, match=r"was refused \(Invalid token.\); copy a fresh one"):
        connect(dataset, studio_server.url, "0" * 40)


def test_legacy_token_from_the_environment(dataset, studio_server, monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_URL", studio_server.url + "/")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", studio_server.second.token)
    studio = connect(dataset)
    assert studio.url == studio_server.url and not studio.local
    assert studio.request("GET", "/api/current-user/whoami")["email"] == studio_server.second.email


def test_personal_access_token(dataset, studio_server):
    second = studio_server.second
    with contextlib.closing(log_in(studio_server.state, second.email, second.password)) as browser:
        token = browser.post("/api/token/", json={}).json()["token"]
        studio = connect(dataset, studio_server.url, token)
        assert studio.request("GET", "/api/current-user/whoami")["email"] == second.email
        studio.connection._token = studio.connection._token[:-3] + "abc"  # expired meanwhile
        assert studio.request("GET", "/api/current-user/whoami")["email"] == second.email
        browser.post("/api/token/blacklist/", json={"refresh": token})
        with pytest.raises(StudioDenied, match="copy a fresh one"):
            connect(dataset, studio_server.url, token)


def test_the_running_server_is_found(studio):
    assert studio.local and studio.check()
    assert {"annotator@localhost", "second@localhost.test"} <= set(
        studio.annotation_members().values()
    )


# --- projects


def test_projects_are_made_once_and_found_again(studio):
    main, audit = studio.project("main", FORM), studio.project(Kind.AUDIT, FORM)
    assert main.id != audit.id and main.uuid != audit.uuid
    assert studio.project("main") == main and studio.project("audit", FORM) == audit
    raw = [studio.request("GET", f"/api/projects/{p.id}/") for p in (main, audit)]
    assert [row["maximum_annotations"] for row in raw] == [1, 2]
    assert [row["show_collab_predictions"] for row in raw] == [True, False]
    assert [mark_of(row["description"]) for row in raw] == [
        (main.uuid, "main"),
        (audit.uuid, "audit"),
    ]
    record = find_record(studio.dataset, Kind.MAIN)
    assert (record.project_id, record.server, record.cursor) == (main.id, studio.url, None)


def test_no_project_yet(studio):
    with pytest.raises(NotOurProject, match="make it with `garmentloop annotate push"):
        studio.project("main")
    assert find_record(studio.dataset, Kind.MAIN) is None


@pytest.mark.parametrize("after", [False, True])
def test_a_project_is_made_once_though_the_answer_was_lost(losing, after):
    losing.lose("/api/projects/", after)
    made = losing.project("main", FORM)
    marked = [p for p in losing._projects() if made.uuid in p["description"]]
    assert [p["id"] for p in marked] == [made.id]


def test_a_crash_before_the_number_was_kept_is_harmless(studio):
    made = studio.project("main", FORM)
    change_record(studio.dataset, Kind.MAIN, server="", project_id=0)
    assert studio.project("main", FORM) == made


def test_a_server_that_moved_is_the_same(studio):
    made = studio.project("main", FORM)
    change_record(studio.dataset, Kind.MAIN, server="http://127.0.0.1:1", project_id=99)
    assert studio.project("main") == made


def test_a_project_on_another_server_is_not_made_here(studio):
    change_record(studio.dataset, Kind.MAIN, server="http://other.test", project_id=1)
    before = len(list(studio._projects()))
    with pytest.raises(NotOurProject, match=r"but it is at http://other.test; give that address"):
        studio.project("main", FORM)
    assert len(list(studio._projects())) == before


def test_a_deleted_project_is_told_and_not_made_anew(studio):
    made = studio.project("main", FORM)
    studio.request("DELETE", f"/api/projects/{made.id}/")
    with pytest.raises(NotOurProject, match=r"but it is gone; .* take \"main\" out of .*projects"):
        studio.project("main", FORM)
    with pytest.raises(NotOurProject):
        studio.import_tasks(made, tasks_of(studio, 1))
    with pytest.raises(NotOurProject):
        list(studio.tasks(made))


@pytest.mark.parametrize(
    "description",
    ["", "by hand", "garmentloop:00000000-0000-4000-8000-000000000000:main"],
)
def test_a_project_with_another_mark_is_not_ours(studio, description):
    made = studio.project("main", FORM)
    studio.update_project(made, description=description)
    with pytest.raises(NotOurProject, match="Nothing was changed"):
        studio.project("main", FORM)
    raw = studio.request("GET", f"/api/projects/{made.id}/")
    assert raw["description"] == description
    record = find_record(studio.dataset, Kind.MAIN)
    studio.update_project(made, description=f"ours: {record.mark}")
    assert studio.project("main", FORM).id == made.id


def test_broken_records_are_told(studio):
    studio.project("main", FORM)
    path = studio.dataset.run / "labelstudio" / "projects.json"
    path.write_text('{"main": {"uuid": 3, "kind": "main", "more": 1}}')
    with pytest.raises(StudioError, match=r"unknown keys.*mend the file"):
        studio.project("main")


# --- forms


def test_a_form_is_sent_once(studio):
    made = studio.project("main", FORM)
    assert studio.update_config(made, FORM.replace("\n", "")) == made  # laid out otherwise
    changed = studio.update_config(made, WITHOUT_BLUE)
    assert xml_hash(changed.label_config) == xml_hash(WITHOUT_BLUE)
    assert studio.form_is_ours(studio.project("main"))


def test_a_form_edited_by_hand_is_told_and_kept(studio):
    made = studio.project("main", FORM)
    studio.update_project(made, label_config=WITHOUT_BLUE)  # a choice was removed in the browser
    edited = studio.project("main")
    assert not studio.form_is_ours(edited)
    with pytest.raises(StudioRefused, match=r"somebody edited it in the browser .*settings/label"):
        studio.update_config(edited, FORM.replace("red", "green"))
    assert studio.project("main").label_config == WITHOUT_BLUE
    assert studio.update_config(edited, FORM, force=True).label_config == FORM
    assert studio.form_is_ours(studio.project("main"))


def test_a_crash_while_a_form_was_sent_is_not_a_hand(studio):
    made = studio.project("main", FORM)
    studio.update_config(made, WITHOUT_BLUE)
    change_record(studio.dataset, Kind.MAIN, forms=(xml_hash(FORM), xml_hash(WITHOUT_BLUE)))
    studio.update_config(studio.project("main"), FORM.replace("red", "green"))


def test_a_form_that_label_studio_does_not_take(studio):
    with pytest.raises(StudioRefused, match="said 400"):
        studio.project("main", '<View><Choices name="a" toName="nothing"/></View>')


# --- tasks


def test_tasks_are_imported_and_found_by_garment(studio):
    made = studio.project("main", FORM)
    assert studio.import_tasks(made, tasks_of(studio)) == 10
    keys, ids = studio.task_keys(made), studio.task_ids_by_garment(made)
    assert set(keys) == {(row["garment_id"], row["crop_sha"]) for row in rows(studio.dataset)}
    assert ids == {garment: found[0] for (garment, _), found in keys.items()}
    again = tasks_of(studio, 1)
    again[0]["data"]["crop_sha"] = "another"
    studio.import_tasks(made, again)
    garment = again[0]["data"]["garment_id"]
    assert studio.task_ids_by_garment(made)[garment] == max(ids.values()) + 1
    assert studio.delete_tasks(made, [max(ids.values()) + 1]) == 1
    assert studio.task_ids_by_garment(made) == ids


@pytest.mark.parametrize("after", [False, True])
def test_tasks_are_there_once_though_answers_were_lost(losing, after):
    made = losing.project("main", FORM)
    losing.lose("/import", after, times=2)
    assert losing.import_tasks(made, tasks_of(losing)) == 10
    assert [len(ids) for ids in losing.task_keys(made).values()] == [1] * 10


def test_an_endless_failure_ends(losing):
    made = losing.project("main", FORM)
    losing.connection.attempts = 2
    losing.lose("/import", False, times=99)
    with pytest.raises(StudioDown):
        losing.import_tasks(made, tasks_of(losing))


def test_updates_between_pages_hide_no_task(studio):
    """Page numbers would lose one: an updated task leaves its page, and the next ones move up."""
    made = studio.project("main", FORM)
    studio.import_tasks(made, tasks_of(studio))
    ids = sorted(studio.task_ids_by_garment(made).values())
    seen = []
    for task in studio.tasks(made, page_size=3):
        seen.append(task["id"])
        if len(seen) in (2, 5):
            annotate(studio, ids[len(seen) - 2])
    assert set(seen) == set(ids)
    assert seen.count(ids[0]) == 2, "what was updated comes again with its annotation"


def test_tasks_of_one_moment_are_not_passed_over(studio):
    """An action on many tasks gives all of them the same time."""
    made = studio.project("main", FORM)
    studio.import_tasks(made, tasks_of(studio))
    ids = list(studio.task_ids_by_garment(made).values())
    for task in ids:
        annotate(studio, task)
    studio._act(made, "delete_tasks_annotations", ids)
    times = {task["updated_at"] for task in studio.tasks(made)}
    assert len(times) == 1
    assert sorted(task["id"] for task in studio.tasks(made, page_size=2)) == sorted(ids)


def test_only_what_came_later(studio):
    made = studio.project("main", FORM)
    studio.import_tasks(made, tasks_of(studio))
    last = [task["updated_at"] for task in studio.tasks(made)][-1]
    assert list(studio.tasks(made, last)) == []
    first = min(studio.task_ids_by_garment(made).values())
    annotate(studio, first)
    [task] = studio.tasks(made, last)
    assert task["id"] == first
    assert [(a["completed_by"], a["lead_time"]) for a in task["annotations"]] == [(1, 2.5)]
    assert "/data/local-files/?d=" in task["data"]["image"]
    [bare] = studio.tasks(made, last, fields="task_only")
    assert "annotations" not in bare
    assert list(studio.tasks(made, "2999-01-01T00:00:00Z")) == []  # no microseconds


# --- predictions


def test_predictions_are_replaced(studio):
    made = studio.project("main", FORM)
    studio.import_tasks(made, tasks_of(studio))
    ids = list(studio.task_ids_by_garment(made).values())
    for version in ("v1", "v2"):
        sent = [{"task": task, "result": RED, "score": 0.5} for task in ids[:4]]
        assert studio.replace_predictions(made, version, sent) == 4
        assert studio.project("main").model_version == version
    found = {t["id"]: [p["model_version"] for p in t["predictions"]] for t in studio.tasks(made)}
    assert found == {task: ["v2"] if task in ids[:4] else [] for task in ids}
    studio.delete_predictions(made, task_ids=ids[:1])
    studio.delete_predictions(made, model_version="none such")
    assert sum(len(task["predictions"]) for task in studio.tasks(made)) == 3
    studio.delete_predictions(made, model_version="v2")
    assert sum(len(task["predictions"]) for task in studio.tasks(made)) == 0


@pytest.mark.parametrize("after", [False, True])
def test_predictions_are_there_once_though_answers_were_lost(losing, after):
    made = losing.project("main", FORM)
    losing.import_tasks(made, tasks_of(losing, 3))
    ids = losing.task_ids_by_garment(made).values()
    losing.lose("/import/predictions", after)
    losing.replace_predictions(made, "v1", [{"task": t, "result": RED, "score": 1} for t in ids])
    assert [len(task["predictions"]) for task in losing.tasks(made)] == [1, 1, 1]


# --- pictures


def test_crops_are_served_to_people_who_logged_in(studio, studio_server):
    made = studio.project("main", FORM)
    for _ in range(2):
        studio.local_storage(made, studio.dataset.folder / "crops")
    there = studio.request("GET", "/api/storages/localfiles/", params={"project": made.id})
    assert len(there) == 1
    url = tasks_of(studio, 1)[0]["data"]["image"]
    assert httpx.get(studio.url + url).status_code in (401, 403)
    second = studio_server.second
    with contextlib.closing(log_in(studio_server.state, second.email, second.password)) as browser:
        picture = browser.get(url)
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.content == (studio.root / url.partition("=")[2]).read_bytes()
        outside = studio.file_url(studio.dataset.folder / "dataset.toml")
        assert browser.get(outside).status_code == 404


def test_links_are_never_served(studio, tmp_path):
    made = studio.project("main", FORM)
    (tmp_path / "secret").mkdir()
    link = studio.dataset.folder / "run" / "studio-media"
    link.symlink_to(tmp_path / "secret")
    with pytest.raises(StudioError, match="is a symbolic link"):
        studio.local_storage(made, link)
    with pytest.raises(StudioError, match="is a symbolic link"):
        studio.local_storage(made, link / "below")
    with pytest.raises(StudioError, match="expected a folder inside"):
        studio.local_storage(made, tmp_path)
    with pytest.raises(StudioError, match="is a symbolic link"):
        studio.upload(made, {"a.jpg": link})
    assert studio.request("GET", "/api/storages/localfiles/", params={"project": made.id}) == []


def test_pictures_are_uploaded_once(studio):
    made = studio.project("main", FORM)  # with two pictures, for which uploads are refused
    files = {
        f"{row['crop_sha']}.jpg": studio.dataset.crop_path(row["crop_sha"])
        for row in rows(studio.dataset)
    }
    first = studio.upload(made, dict(list(files.items())[:3]))
    urls = studio.upload(made, files)
    assert set(urls) == set(files) and first.items() <= urls.items()
    header = {"Authorization": f"Token {studio.connection._token}"}
    for name, url in urls.items():
        assert httpx.get(studio.url + url, headers=header).content == files[name].read_bytes()
    assert studio.task_keys(made) == {}


# --- webhooks


def test_webhooks_reach_this_machine_only(studio):
    made = studio.project("main", FORM)
    studio.import_tasks(made, tasks_of(studio, 1))
    with Answering((200, {})) as ear:
        number = studio.register_webhook(made, ear.url + "/nudge")
        assert studio.register_webhook(made, ear.url + "/nudge") == number
        annotate(studio, *studio.task_ids_by_garment(made).values())
        assert [asked.split()[:2] for asked in ear.asked] == [["POST", "/nudge"]]
        studio.remove_webhook(number)
        studio.remove_webhook(number)
    for outside in ("http://10.0.0.1/", "http://169.254.169.254/", "http://192.168.1.1/"):
        with pytest.raises(StudioDenied, match="reserved network address"):
            studio.register_webhook(made, outside)
