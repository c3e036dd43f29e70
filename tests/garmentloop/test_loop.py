"""Rounds: every step once, whoever is killed; what is chosen; what is told."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import looping
import pandas as pd
import pytest
from looping import OPTIONS, go_round, small_dataset

from curate.select.pool import pool_of
from finetune.promotion import AttributeVerdict, Outcome, Verdict
from garmentloop.loop import ORDER
from garmentloop.loop.context import Context
from garmentloop.loop.options import LoopOptions
from garmentloop.loop.people import (
    push_options,
    push_step,
    select_step,
    sync_step,
    wait_step,
)
from garmentloop.loop.round import end_early, find_turn, run_round
from garmentloop.loop.screen import go_round as go_round_on_screen
from garmentloop.loop.screen import make_context
from garmentloop.loop.select import select
from garmentloop.loop.standing import edit_rates_by_round
from garmentloop.loop.steps import STEPS
from garmentloop.loop.train import finetune_step, promote_step
from garments.answers import NOT_VISIBLE
from garments.catalog import Catalog
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import (
    BadInput,
    BadSetting,
    CatalogError,
    DatasetError,
    FiftyOneError,
    GarmentLoopError,
)
from garments.rounds import checked_name, next_name, record, rounds, unfinished
from garments.whole import write_whole

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    return Dataset.create(tmp_path / "data")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Path:
    """A data set of garments that nobody has looked at."""
    return small_dataset(tmp_path_factory.mktemp("loop") / "fresh").folder


@pytest.fixture(scope="module")
def undisturbed(fresh) -> Path:
    """The same after one round."""
    folder = shutil.copytree(fresh, fresh.with_name("undisturbed"))
    events = go_round(Dataset.open(folder))
    assert [event.step for event in events if event.state == "done"] == list(ORDER)
    return folder


def context_of(dataset, name="round-1", **options) -> Context:
    return Context(dataset, name, LoopOptions(**options), studio=looping.no_studio)


# --- the record of rounds


def test_a_step_is_recorded_once_and_stays(dataset):
    assert record(dataset, "round-1", "push", {"tasks": 3})
    assert not record(dataset, "round-1", "push", {"tasks": 4})
    [one] = rounds(dataset)
    assert (one.name, one.of("push"), one.finished) == ("round-1", {"tasks": 3}, False)
    assert unfinished(dataset) == one
    assert one.of("pull") == {}


def test_rows_of_a_push_by_hand_are_no_rounds_of_the_loop(dataset):
    dataset.catalog.add("rounds", [{"round_id": "week-2", "kind": "push", "details": "{}"}])
    assert rounds(dataset) == []
    assert unfinished(dataset) is None


def test_nan_is_stored_as_nothing(dataset):
    record(dataset, "round-1", "measure", {"rates": [{"rate": float("nan")}]})
    assert rounds(dataset)[0].of("measure") == {"rates": [{"rate": None}]}


def test_a_damaged_record_is_told(dataset):
    dataset.catalog.add("rounds", [{"round_id": "round-1/push", "kind": "push", "details": "[1]"}])
    with pytest.raises(CatalogError, match="a JSON object as the record of round-1/push"):
        rounds(dataset)


def test_the_next_name_is_free_everywhere(dataset):
    assert next_name(dataset) == "round-1"
    record(dataset, "round-2", "begin", {})
    dataset.catalog.put("tasks", [{"task_id": "t", "garment_id": "g", "round": "round-4"}])
    (dataset.releases / "round-5").mkdir(parents=True)
    (dataset.models / "tagger" / "round-7").mkdir(parents=True)
    assert next_name(dataset) == "round-8"


@pytest.mark.parametrize("name", ["", "a/b", "-x", "a b", "x" * 49])
def test_names_that_cannot_be(name):
    with pytest.raises(BadSetting, match="expected a round's name"):
        checked_name(name)


# --- going round


def test_what_is_done_is_skipped_and_nothing_is_done_twice(dataset):
    calls = Counter()

    def step(name):
        def do(context):
            calls[name] += 1
            return {"name": name}

        return do

    steps = {name: step(name) for name in ("a", "b", "c")}
    patience = {**steps, "b": lambda context: None}
    first = [(e.step, e.state) for e in run_round(context_of(dataset), patience)]
    assert first == [("a", "begun"), ("a", "done"), ("b", "begun"), ("b", "waiting")]
    second = [(e.step, e.state) for e in run_round(context_of(dataset), steps)]
    assert second[0] == ("a", "skipped")
    assert [step for step, state in second if state == "done"] == ["b", "c"]
    assert calls == {"a": 1, "b": 1, "c": 1}
    assert rounds(dataset)[0].finished
    assert rounds(dataset)[0].of("a")["name"] == "a"


def test_a_step_that_fails_leaves_what_was_done_before(dataset):
    def fail(context):
        raise BadInput("expected luck")

    with pytest.raises(BadInput, match="expected luck"):
        list(run_round(context_of(dataset), {"a": lambda context: {}, "b": fail}))
    assert list(rounds(dataset)[0].done) == ["a"]


def test_a_round_keeps_the_options_it_was_begun_with(dataset):
    steps = {"a": lambda context: None}
    list(run_round(context_of(dataset, budget=7, seed=3), steps))
    turn = find_turn(dataset, LoopOptions(budget=99))
    assert turn.resumed
    assert (turn.options.budget, turn.options.seed) == (7, 3)
    other = context_of(dataset, budget=99)
    list(run_round(other, steps))
    assert other.options.budget == 7


def test_another_round_has_to_wait_and_an_ended_one_is_not_begun_again(dataset):
    record(dataset, "spring", "begin", {})
    with pytest.raises(BadSetting, match="no --round or spring, which is not finished"):
        find_turn(dataset, LoopOptions(), "summer")
    assert find_turn(dataset, LoopOptions(), "spring").resumed
    record(dataset, "spring", "end", {})
    with pytest.raises(BadSetting, match="spring has ended"):
        find_turn(dataset, LoopOptions(), "spring")
    assert find_turn(dataset, LoopOptions(), "summer").name == "summer"
    assert find_turn(dataset, LoopOptions()).name == "round-1"


def test_a_new_round_does_not_take_a_release_of_before(dataset):
    folder = dataset.releases / "v1"
    folder.mkdir(parents=True)
    with pytest.raises(BadSetting, match="v1 is there already"):
        find_turn(dataset, LoopOptions(release="v1"))


@pytest.mark.parametrize(
    ("options", "words"),
    [({"select": "clever"}, "a strategy of"), ({"backbone": "strater"}, "unknown model reference")],
)
def test_what_a_round_would_stumble_over_is_told_before_it_begins(dataset, options, words):
    with pytest.raises(GarmentLoopError, match=words):
        find_turn(dataset, LoopOptions(**options))
    assert rounds(dataset) == []


def test_two_loops_at_once(dataset, monkeypatch):
    monkeypatch.setattr("garmentloop.loop.round.PATIENCE", 0.05)
    dataset.run.mkdir()
    with exclusive(dataset.run / "loop.lock"), pytest.raises(DatasetError, match="one is at work"):
        list(run_round(context_of(dataset), {"a": lambda context: {}}))


def test_a_round_that_cannot_go_on_is_ended(dataset):
    record(dataset, "round-1", "begin", {})
    assert end_early(dataset) == "round-1"
    assert rounds(dataset)[0].finished
    assert find_turn(dataset, LoopOptions()).name == "round-2"
    with pytest.raises(BadSetting, match="has not ended, but there is none"):
        end_early(dataset)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budget": 0}, "budget of at least 1"),
        ({"audit": 1.5}, "audit share from 0 to 1"),
        ({"mode": "magic"}, "mode of probe, lora, full"),
        ({"release": "a/b"}, "letters and digits"),
    ],
)
def test_options_that_make_no_sense(options, words):
    with pytest.raises(BadSetting, match=words):
        LoopOptions(**options)


def test_the_table_of_steps_has_every_step_in_order():
    assert tuple(STEPS) == ORDER


# --- what a whole round leaves


def test_a_round_ends_with_labels_release_model_and_promotion(undisturbed):
    dataset = Dataset.open(undisturbed)
    [one] = rounds(dataset)
    assert one.finished
    tasks = dataset.catalog.rows("tasks").to_pylist()
    assert len(tasks) == OPTIONS.budget
    assert sum(row["audit"] for row in tasks) == OPTIONS.budget * OPTIONS.audit
    assert {row["state"] for row in tasks} == {"done"}
    assert one.of("release")["name"] == "round-1"
    assert one.of("release")["hash"] and one.of("select")["hash"]
    assert one.begun["taxonomy"] == dataset.taxonomy.hash
    assert one.begun["software"]
    assert all(details["seconds"] >= 0 for details in one.done.values())
    before, after = one.of("measure"), one.of("report")
    assert before["all_answers"]["color"]["garments"] == 4
    assert before["this_round"] == before["all_answers"]  # the first one has them all
    assert after["versions"].keys() >= {"color"}


def test_the_next_round_asks_about_others_and_is_measured_on_all_answers(undisturbed, tmp_path):
    dataset = Dataset.open(shutil.copytree(undisturbed, tmp_path / "second"))
    go_round(dataset)
    first, second = rounds(dataset)
    tasks = dataset.catalog.rows("tasks").to_pylist()
    assert Counter(row["round"] for row in tasks) == {"round-1": 16, "round-2": 16}
    assert len({row["garment_id"] for row in tasks}) == 32
    blind = sum(row["audit"] for row in tasks)
    assert second.of("measure")["all_answers"]["color"]["garments"] == blind > 4
    assert second.of("measure")["this_round"]["color"]["garments"] == blind - 4
    # The first round's taggers were measured again, on the answers of both.
    again = second.of("report")["history"]["round-1"]
    assert again["before"]["color"]["garments"] == again["after"]["color"]["garments"] == blind
    told = edit_rates_by_round([first, second])
    assert told["round-1"]["before"] == again["before"]
    assert told["round-2"]["before"] == second.of("measure")["all_answers"]
    assert {path.name for path in dataset.releases.glob("round-*")} == {first.name, second.name}


# --- what is chosen


def chosen(dataset, strategy, budget, audit, turn, seed, leave=0):
    options = LoopOptions(budget=budget, leave=leave, audit=audit, select=strategy, seed=seed)
    return select(dataset, options, turn)


def test_selection_is_new_to_people_random_and_never_blind(fresh, tmp_path):
    dataset = Dataset.open(shutil.copytree(fresh, tmp_path / "chosen"))
    first = chosen(dataset, "new", 100, 0.25, "round-1", 0)
    pool = pool_of(dataset, 0.25, "0/round-1")
    assert set(first) == set(pool.photo_of)
    assert len(first) < looping.GARMENTS  # the audit slice has its own turns
    assert first == chosen(dataset, "new", 100, 0.25, "round-1", 0)
    assert first != chosen(dataset, "new", 100, 0.25, "round-1", 1)
    assert first != sorted(first)
    dataset.catalog.put("tasks", [{"task_id": "t", "garment_id": first[0], "audit": False}])
    dataset.catalog.add(
        "decisions", [{"decision_id": "d", "garment_id": first[1], "kind": "excluded"}]
    )
    assert set(chosen(dataset, "random", 100, 0.25, "round-2", 0)) == set(first[2:])
    assert len(chosen(dataset, "random", 5, 0.25, "round-2", 0)) == 5
    left = len(first) - 2
    assert len(chosen(dataset, "random", 100, 0.25, "round-2", 0, leave=3)) == left - 3
    assert chosen(dataset, "random", 100, 0.25, "round-2", 0, leave=left + 1) == []


def test_photos_that_people_have_seen_come_last(fresh, tmp_path):
    dataset = Dataset.open(shutil.copytree(fresh, tmp_path / "photos"))
    rows = dataset.catalog.rows("garments").sort_by("garment_id").to_pylist()
    with_same = {row["garment_id"]: f"{number // 2:016x}" for number, row in enumerate(rows)}
    dataset.catalog.put(
        "garments",
        [
            {k: v for k, v in row.items() if k not in ("seq", "created_at")}
            | {"photo_id": with_same[row["garment_id"]]}
            for row in rows
        ],
    )
    asked, sibling = rows[0]["garment_id"], rows[1]["garment_id"]
    dataset.catalog.put("tasks", [{"task_id": "t", "garment_id": asked, "audit": False}])
    assert chosen(dataset, "new", 100, 0.0, "round-2", 0)[-1] == sibling


def test_an_unknown_strategy_is_told(fresh):
    with pytest.raises(BadSetting, match="uncertain-diverse, but got 'clever'"):
        chosen(Dataset.open(fresh), "clever", 1, 0.0, "round-1", 0)


# --- waiting


class Answered:
    """Stands for people: each look finds one more task done."""

    def __init__(self, dataset, monkeypatch) -> None:
        self.dataset, self.looks = dataset, 0
        monkeypatch.setattr("garmentloop.loop.people._pull", self.look)
        monkeypatch.setattr("garmentloop.loop.people.LOOK_EVERY", 0.0)

    def look(self, context, follow) -> None:
        self.looks += 1
        rows = self.dataset.catalog.rows("tasks", where="state = 'created'").to_pylist()
        if rows:
            self.dataset.catalog.put(
                "tasks", [{"task_id": rows[0]["task_id"], "round": "round-1", "state": "done"}]
            )


def sent(dataset, count):
    tasks = [
        {"task_id": f"t{n}", "garment_id": f"g{n}", "round": "round-1", "state": "created"}
        for n in range(count)
    ]
    dataset.catalog.put("tasks", tasks)


def test_without_patience_a_round_stops_and_says_why(dataset, monkeypatch):
    sent(dataset, 3)
    people, notes = Answered(dataset, monkeypatch), []
    context = context_of(dataset)
    context.say = notes.append
    assert wait_step(context) is None
    assert notes == ["2 of 3 tasks wait for an answer."]
    context.enough = True
    assert wait_step(context) == {"total": 3, "waiting": 1, "blind": 0}
    assert people.looks == 2


def test_with_patience_it_stays_until_the_last_answer(dataset, monkeypatch):
    sent(dataset, 4)
    people = Answered(dataset, monkeypatch)
    context = context_of(dataset)
    context.patient = True
    assert wait_step(context) == {"total": 4, "waiting": 0, "blind": 0}
    assert people.looks == 4


# --- steps by themselves


def test_without_fiftyone_a_round_goes_on_with_a_note(dataset, monkeypatch):
    def fail(dataset):
        raise FiftyOneError("expected FiftyOne, but it is not installed")
        yield

    monkeypatch.setattr("curate.fiftyone.sync.sync", fail)
    context, notes = context_of(dataset), []
    context.say = notes.append
    assert sync_step(context) == {"skipped": "expected FiftyOne, but it is not installed"}
    assert "FiftyOne was not brought up to date" in notes[0]
    assert sync_step(context_of(dataset, fiftyone=False)) == {"skipped": "--no-fiftyone"}


def test_a_model_that_is_there_is_not_trained_again(dataset, monkeypatch):
    asked = []
    monkeypatch.setattr("finetune.tagger.train.finetune_tagger", lambda *given: asked.append(given))
    folder = dataset.models / "tagger" / "round-1"
    for name in ("config.json", "model.safetensors"):
        write_whole(folder / name, b"{}")
    context = context_of(dataset, mode="full", seed=5)
    context.done["release"] = {"hash": "abc"}
    found = finetune_step(context)
    assert (found["model"], found["release"], found["mode"]) == ("model:round-1", "abc", "full")
    assert found["weights"] and not asked


def test_a_model_that_is_not_whole_is_trained_as_the_round_says(dataset, monkeypatch):
    def made(dataset, options):
        folder = dataset.models / "tagger" / options.name
        for name in ("config.json", "model.safetensors"):
            write_whole(folder / name, b"{}")
        asked.append(options)
        yield options

    asked = []
    monkeypatch.setattr("finetune.tagger.train.finetune_tagger", made)
    write_whole(dataset.models / "tagger" / "round-1" / "model.safetensors", b"half")
    finetune_step(context_of(dataset, mode="full", seed=5, minutes=2.0, release="spring"))
    [options] = asked
    assert (options.release, options.name) == ("spring", "round-1")
    recipe = options.recipe
    assert (recipe.mode, recipe.seed, recipe.minutes, recipe.backbone) == (
        "full",
        5,
        2.0,
        "starter",
    )


def test_what_was_promoted_before_a_kill_counts_as_promoted(dataset, monkeypatch):
    def judged(dataset, challenger, release, options):
        said = (
            ("color", Outcome.IN_FORCE),
            ("style", Outcome.REFUSED),
            ("gender", Outcome.PROMOTED),
        )
        verdicts = [AttributeVerdict(name, what, "why", tagger="t") for name, what in said]
        return Verdict(challenger, release, "hash", tuple(verdicts))

    monkeypatch.setattr("finetune.promotion.promote", judged)
    found = promote_step(context_of(dataset))
    assert found["promoted"] == {"color": "t", "gender": "t"}
    assert found["refused"] == {"style": "why"}
    assert (found["model"], found["release"]) == ("model:round-1", "hash")


# --- the command


def test_the_screen_tells_every_step_and_the_end(fresh, tmp_path, monkeypatch, capsys):
    dataset = Dataset.open(shutil.copytree(fresh, tmp_path / "told"))
    monkeypatch.setattr("garmentloop.loop.steps.STEPS", {**STEPS, **looping.STAND_INS})
    context = make_context(dataset, find_turn(dataset, OPTIONS), looping.no_studio)
    assert go_round_on_screen(context)
    told = capsys.readouterr().out
    for words in (
        "16 garments chosen (new)",
        "16 tasks sent, 4 of them blind",
        "16 of 16 answered",
        "round-1: promoted for color; refused for pattern: too few labels",
        "Next: Begin the next round: garmentloop loop",
    ):
        assert words in told
    assert "report/annotation.html" in told


def test_the_screen_says_how_a_waiting_round_goes_on(dataset, monkeypatch, capsys):
    monkeypatch.setattr("garmentloop.loop.steps.STEPS", {"wait": _stop})
    context = make_context(dataset, find_turn(dataset, OPTIONS), looping.no_studio)
    assert not go_round_on_screen(context)
    told = capsys.readouterr().out
    assert "round-1 waits for annotators" in told
    assert f"garmentloop loop --dataset {dataset.folder}" in told


def files(folder: Path) -> dict:
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_dry_run_writes_nothing(fresh, garmentloop_command):
    before = files(fresh)
    result = garmentloop_command("loop", "--dataset", fresh, "--dry-run", "--budget", "5")
    assert result.returncode == 0, result.stderr
    assert "would begin round-1" in result.stdout
    assert "would choose 5 garments (new)" in result.stdout
    assert files(fresh) == before


def test_a_round_that_is_not_finished_is_named(fresh, tmp_path, garmentloop_command):
    folder = shutil.copytree(fresh, tmp_path / "data")
    data = Dataset.open(folder)
    list(run_round(context_of(data, budget=4), {"propose": looping.propose, "select": _stop}))
    result = garmentloop_command("loop", "--dataset", folder, "--dry-run")
    assert "would go on with round-1" in result.stdout
    assert "would choose 4 garments" in result.stdout
    assert "propose" not in result.stdout


def _stop(context):
    return None


# --- kills


def start(folder: Path, **environment: object) -> subprocess.Popen:
    given = {key: str(value) for key, value in environment.items()}
    return subprocess.Popen(
        [sys.executable, looping.__file__, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(folder: Path) -> dict:
    """What a round leaves, but for ids and times that follow from the clock."""
    dataset = Dataset.open(folder)
    read = dataset.catalog.rows

    def of(table, *columns):
        return sorted(zip(*(read(table).column(c).to_pylist() for c in columns), strict=True))

    kept = pd.concat(
        [
            pd.read_parquet(path, columns=["garment_id", "color"])
            for path in sorted(dataset.releases.glob("*/data/*.parquet"))
        ]
    )
    return {
        "labels": of("labels", "garment_id", "attribute", "value", "kind", "annotator"),
        "tasks": of("tasks", "task_id", "round", "audit", "state"),
        "splits": of("splits", "version", "garment_id", "split"),
        "promotions": of("promotions", "promotion_id", "attribute", "model"),
        "proposals": of("proposals", "proposal_id"),
        "rounds": of("rounds", "round_id"),
        "releases": sorted(p.parent.name for p in dataset.releases.glob("*/manifest.json")),
        "released": sorted(map(str, kept.to_dict("records"))),
        "models": sorted(str(p.parent.name) for p in dataset.models.glob("tagger/*/config.json")),
    }


def finish_and_check(undisturbed: Path, folder: Path, what: str) -> None:
    dataset = Dataset.open(folder)
    if not rounds(dataset) or unfinished(dataset):
        go_round(dataset)
    assert outcome(folder) == outcome(undisturbed), what


@pytest.mark.faults
def test_killed_at_random_writes(fresh, undisturbed, tmp_path, fault_rounds, monkeypatch):
    writes = count_writes(fresh, tmp_path, monkeypatch)
    for turn in range(fault_rounds):
        number = random.randrange(2 * writes)
        folder = shutil.copytree(fresh, tmp_path / f"{turn}-{number}")
        process = start(folder, DIE_AT=number)
        _, errors = process.communicate()
        assert process.returncode == -9, errors
        finish_and_check(undisturbed, folder, f"killed at {number} of {2 * writes}")


@pytest.mark.faults
def test_killed_at_random_moments(fresh, undisturbed, tmp_path, fault_rounds):
    for turn in range(fault_rounds):
        lines, more = random.randrange(1, 2 * len(ORDER)), random.random() * 0.2
        folder = shutil.copytree(fresh, tmp_path / f"moment-{turn}")
        process = start(folder)
        for _ in range(lines):
            process.stdout.readline()
        time.sleep(more)
        process.kill()
        process.communicate()
        finish_and_check(undisturbed, folder, f"killed {more:.3f} s after line {lines}")


def count_writes(fresh: Path, tmp_path: Path, monkeypatch) -> int:
    """How often an undisturbed round writes to the catalogue."""
    folder, count = shutil.copytree(fresh, tmp_path / "counted"), Counter()

    def counted(name, write):
        def call(*args, **kwargs):
            count[name] += 1
            return write(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        for name in ("add", "put"):
            patch.setattr(Catalog, name, counted(name, getattr(Catalog, name)))
        go_round(Dataset.open(folder))
    return sum(count.values())


def test_what_is_pushed_is_the_list_that_was_selected(dataset):
    context = context_of(dataset, budget=9, audit=0.1)
    context.done["select"] = {"file": "run/rounds/round-1.txt"}
    write_whole(dataset.folder / "run/rounds/round-1.txt", "0123456789abcdef\n")
    options = push_options(context)
    assert options.select == str(dataset.folder / "run/rounds/round-1.txt")
    assert (options.limit, options.round, options.audit) == (9, "round-1", 0.1)


def test_a_list_that_was_lost_is_made_again(fresh, tmp_path):
    dataset = Dataset.open(shutil.copytree(fresh, tmp_path / "lost"))
    context = context_of(dataset, budget=5, audit=0.0)
    context.done["select"] = select_step(context)
    path = dataset.folder / context.of("select", "file")
    chosen = path.read_text(encoding="utf-8")
    path.unlink()
    assert Path(push_options(context).select).read_text(encoding="utf-8") == chosen
    assert len(chosen.split()) == 5


def test_a_round_without_anything_to_send_says_so(dataset, monkeypatch):
    monkeypatch.setattr("garmentloop.loop.people._push", lambda context: None)
    with pytest.raises(DatasetError, match="all were sent or turned down"):
        push_step(context_of(dataset))


def test_not_visible_is_an_answer_of_the_annotator_where_it_is_proposed(dataset):
    found = looping.Annotator(dataset.taxonomy, {"g": {"color": ("red",)}})
    given = found.answer("me", "g", "upper", {"pattern": NOT_VISIBLE, "color": ("blue",)})
    assert given.values == {"color": ("red",), "pattern": NOT_VISIBLE}
