"""`pull --watch` while people answer and things break: every answer is there once."""

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fault_proxy import FAULTS, FaultyProxy
from pulling import Crowd, answer, expect_each_once, holds, numbers, pulled, push_all, rows
from real_studio import kill_server

from annotate.studio import pull, server, webhook
from annotate.studio.client import Studio, connect
from annotate.studio.project import Kind, change_record
from annotate.studio.watch import Watch
from annotate.studio.webhook import Ear, forget_the_dead
from garments.catalog import Catalog
from garments.dataset import Dataset
from garments.errors import StudioDenied, StudioDown

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 300.0
"""Seconds after which something is lost for good; a busy machine takes its time."""


class Watching:
    """A watch in a thread of its own."""

    def __init__(self, dataset, connect_to, **options):
        self.troubles: list[str] = []
        self.watch = Watch(dataset, connect_to, tell=self.troubles.append, **options)
        self.events, self.error = [], None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            for event in self.watch.run():
                self.events.append(event)
        except Exception as error:
            self.error = error

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.watch.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def until(self, happened):
        until(lambda: happened() or self.error)
        if self.error:
            raise self.error


def until(happened):
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def another(studio: Studio, url: str | None = None) -> Studio:
    """A client of another process, perhaps through a proxy."""
    dataset = Dataset.open(studio.dataset.folder)
    token = studio.connection._token
    return Studio(url or studio.url, token, dataset, root=studio.root)


def hooks(studio: Studio) -> list[dict]:
    number = studio.project(Kind.MAIN).id
    return studio.request("GET", "/api/webhooks/", params={"project": number})


def count(dataset: Dataset) -> int:
    return dataset.catalog.count("labels")


def test_a_webhook_makes_it_quick_and_goes_away(studio):
    """With an hour between two looks, only the nudge can have brought it."""
    tasks = numbers(studio, push_all(studio))
    dead = Ear(lambda: None)
    dead.attach(studio, studio.project(Kind.MAIN))
    dead._server.shutdown()  # as a watch that was killed
    dead._server.server_close()
    crowd = Crowd(studio, {})
    with Watching(studio.dataset, lambda: another(studio), every=3600) as watching:
        watching.until(lambda: watching.events)
        [hook] = hooks(studio)
        assert hook["url"] != dead.url
        crowd.annotate(tasks[:2])
        watching.until(lambda: count(studio.dataset) == 2)
        for _ in range(5):  # doubled, and without a reason
            assert httpx.post(hook["url"], json={"action": "?"}).status_code == 204
        assert httpx.post(hook["url"] + "x").status_code == 404
        crowd.annotate(tasks[2:3])
        watching.until(lambda: count(studio.dataset) == 3)
    assert hooks(studio) == [] and watching.troubles == []
    expect_each_once(studio.dataset, crowd.expected)


def test_a_living_watch_keeps_its_webhook(studio):
    push_all(studio)
    main = studio.project(Kind.MAIN)
    with contextlib.closing(Ear(lambda: None)) as ear:
        ear.attach(studio, main)
        forget_the_dead(studio, main)
        assert len(hooks(studio)) == 1


def test_lost_webhooks_do_not_matter(studio, monkeypatch):
    monkeypatch.setattr(webhook.Ear, "attach", lambda *_: None)
    tasks = numbers(studio, push_all(studio))
    crowd = Crowd(studio, {})
    with Watching(studio.dataset, lambda: another(studio), every=0.2) as watching:
        crowd.annotate(tasks[:3])
        watching.until(lambda: count(studio.dataset) == 3)
    expect_each_once(studio.dataset, crowd.expected)


def test_a_server_that_may_not_call_us(studio, monkeypatch):
    def refuse(*_):
        raise StudioDenied("expected to be called, but that is a reserved network address")

    monkeypatch.setattr(Studio, "register_webhook", refuse)
    crowd = Crowd(studio, {})
    tasks = numbers(studio, push_all(studio))
    with Watching(studio.dataset, lambda: another(studio), every=0.2) as watching:
        crowd.annotate(tasks[:1])
        watching.until(lambda: count(studio.dataset) == 1)
    [told] = watching.troubles
    assert "reserved network address; looking every 0.2 s instead" in told


def test_a_taxonomy_that_changes_while_watching(studio):
    tasks = numbers(studio, push_all(studio))
    path = studio.dataset.folder / "taxonomy.toml"
    with Watching(studio.dataset, lambda: another(studio), every=0.2) as watching:
        watching.until(lambda: watching.events)
        path.write_text(path.read_text().replace('id = "red"', 'id = "crimson"'))
        changed = another(studio)
        push_all(changed)
        answer(changed, tasks[0], color=("crimson",))
        watching.until(lambda: count(studio.dataset) == 1)
    assert list(holds(studio.dataset).values()) == ['["crimson"]']


def test_a_server_that_is_not_there(studio):
    push_all(studio)

    def nowhere():
        return connect(studio.dataset, "http://127.0.0.1:9", "token")

    with pytest.raises(StudioDown, match="nothing answers there"):
        list(Watch(studio.dataset, nowhere).run())


def test_a_token_that_expires_ends_it_and_loses_nothing(studio):
    tasks = numbers(studio, push_all(studio))
    crowd = Crowd(studio, {})
    expired = threading.Event()
    fault = lambda path: "401" if expired.is_set() else None  # noqa: E731
    with FaultyProxy(studio.url, fault) as proxy:

        def reconnect():
            found = another(studio, proxy.url)
            found.check()
            return found

        with Watching(studio.dataset, reconnect, every=0.2) as watching:
            crowd.annotate(tasks[:2])
            watching.until(lambda: count(studio.dataset) == 2)
            expired.set()
            crowd.annotate(tasks[2:4])
            until(lambda: watching.error)
    assert isinstance(watching.error, StudioDenied)
    assert "copy a fresh one" in str(watching.error)
    pulled(another(studio))
    expect_each_once(studio.dataset, crowd.expected)


@pytest.mark.faults
def test_killed_between_any_two_writes(studio, monkeypatch):
    """Labels, decisions, states, cursor: after each of them the process may be gone."""
    tasks = numbers(studio, push_all(studio))
    crowd = Crowd(studio, {})
    real = Catalog.add, Catalog.put, pull.change_record
    left = [0]

    class Killed(BaseException):
        pass

    def counted(call):
        def write(*args, **more):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return call(*args, **more)

        return write

    for after in (0, 1, 2, 3, 2):
        crowd.annotate(tasks[:1])
        tasks = tasks[1:]
        left[0] = after
        with monkeypatch.context() as patch:
            patch.setattr(Catalog, "add", counted(real[0]))
            patch.setattr(Catalog, "put", counted(real[1]))
            patch.setattr(pull, "change_record", counted(real[2]))
            with contextlib.suppress(Killed):
                pulled(another(studio))
    pulled(another(studio))
    expect_each_once(studio.dataset, crowd.expected)
    assert {row["state"] for row in rows(studio.dataset, "tasks")} == {"created", "done"}


@pytest.mark.faults
def test_two_watches_over_a_bad_line(studio_dataset, fault_rounds):
    """500s, cuts before and after, slow answers; webhooks and looks at the same time."""
    studio = connect(studio_dataset(8 * fault_rounds))
    tasks = numbers(studio, push_all(studio))
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    crowd = Crowd(studio, {})

    def fault(path: str) -> str | None:
        return chance.choice(FAULTS) if chance.random() < 0.3 else None

    with FaultyProxy(studio.url, fault) as proxy:
        change_record(studio.dataset, Kind.MAIN, server=proxy.url)  # saves a look at all projects

        def watching():
            return Watching(Dataset.open(studio.dataset.folder), reach, every=0.3)

        def reach():
            return another(studio, proxy.url)

        with watching() as one, watching() as two:
            crowd.annotate(tasks)
            one.until(lambda: count(studio.dataset) >= len(tasks))
            two.until(lambda: two.events)
        assert proxy.faults > 3, seed
    expect_each_once(studio.dataset, crowd.expected)
    assert pulled(another(studio), everything=True).changes == 0


def kills(fault_rounds: int) -> int:
    """2 in `make test`, 20 in `make soak`."""
    return max(2, 2 * fault_rounds // 5)


@pytest.mark.faults
def test_our_process_is_killed_at_random_moments(studio_dataset, fault_rounds):
    studio = connect(studio_dataset(4 * kills(fault_rounds) + 4))
    tasks = numbers(studio, push_all(studio))
    crowd, chance = Crowd(studio, {}), random.Random()
    for _ in range(kills(fault_rounds)):
        process = started(studio.dataset)
        assert "Watching" in process.stderr.readline()
        todo, tasks = tasks[:4], tasks[4:]
        with ThreadPoolExecutor(1) as pool:
            answering = pool.submit(crowd.annotate, todo)
            time.sleep(chance.random() * 3)
            process.kill()
            process.communicate()
            answering.result()
    crowd.annotate(tasks)
    process = started(studio.dataset)
    until(lambda: len(holds(studio.dataset)) == len(crowd.expected))
    process.terminate()
    told, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert f"({len(crowd.expected)} in all" in told or "annotations:" in told
    expect_each_once(studio.dataset, crowd.expected)
    assert hooks(studio) == [], "webhooks of killed watches were forgotten"


def started(dataset: Dataset) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "garmentloop", "annotate", "pull", "-d", dataset.folder, "--watch"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.faults
def test_the_server_is_killed_at_random_moments(own_server, fault_rounds):
    """It comes back at another address, and the watch finds it there."""
    dataset, _ = own_server(4 * kills(fault_rounds))
    studio = connect(dataset)
    tasks = numbers(studio, push_all(studio))
    expected, chance = {}, random.Random()
    with Watching(Dataset.open(dataset.folder), lambda: connect(dataset), every=0.3) as watching:
        watching.until(lambda: watching.events)
        for _ in range(kills(fault_rounds)):
            todo, tasks = tasks[:4], tasks[4:]
            with ThreadPoolExecutor(1) as pool:
                answering = pool.submit(answered_by_all_means, dataset, todo)
                time.sleep(chance.random() * 4)
                kill_server(dataset)
                server.start(dataset, 0, timeout=PATIENCE)
                expected |= answering.result()
        watching.until(lambda: len(holds(dataset)) == len(expected))
    expect_each_once(dataset, expected)


def answered_by_all_means(dataset: Dataset, tasks: list[int]) -> dict:
    """Answer each task once though the server dies: look before it is said again."""
    for task in tasks:
        until(lambda task=task: _answered(dataset, task))
    found: dict = {}
    until(lambda: _looked(dataset, tasks, found))
    return found


def _looked(dataset: Dataset, tasks: list[int], found: dict) -> bool:
    try:
        found.update(_there(connect(dataset), tasks))
    except StudioDown:
        return False
    return True


def _answered(dataset: Dataset, task: int) -> bool:
    try:
        studio = connect(dataset)
        if not _there(studio, [task]):
            Crowd(studio, {}).annotate([task])
    except StudioDown:
        return False
    return True


def _there(studio: Studio, tasks: list[int]) -> dict:
    """What the server has, by annotation and attribute."""
    found = {}
    for task in tasks:
        for one in studio.request("GET", f"/api/tasks/{task}/annotations/"):
            [entry] = [e for e in one["result"] if e["from_name"] == "color"]
            found[one["id"], "color"] = f'["{entry["value"]["choices"][0]}"]'
    return found


@pytest.mark.faults
def test_many_answers_while_watching(studio_dataset, studio_server, fault_rounds, capsys):
    """90 in `make test`, 5,000 in `make soak`: none lost, none twice."""
    each = 100 if fault_rounds > 3 else 30
    studio = connect(studio_dataset(each * fault_rounds))
    tasks = numbers(studio, push_all(studio))
    second = connect(studio.dataset, studio.url, studio_server.second.token)
    crowds = [Crowd(one, {}) for one in (studio, second)]
    begin = time.monotonic()
    with (
        Watching(Dataset.open(studio.dataset.folder), lambda: another(studio)) as watching,
        ThreadPoolExecutor(2) as pool,
    ):
        work = [pool.submit(c.annotate, tasks[i::2]) for i, c in enumerate(crowds)]
        for one in work:
            one.result()
        said = time.monotonic() - begin
        watching.until(lambda: count(studio.dataset) >= len(tasks))
        seen = time.monotonic() - begin
    expect_each_once(studio.dataset, crowds[0].expected | crowds[1].expected)
    assert not watching.troubles
    with capsys.disabled():
        print(
            f"\n{len(tasks)} answers in {said:.0f} s ({len(tasks) / said:.1f}/s), the last in the "
            f"catalogue {seen - said:.1f} s later, in {len(watching.events)} pulls"
        )
