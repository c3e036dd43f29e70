"""A taxonomy is migrated with a thousand labels: nothing is lost, nothing is there twice."""

import json
import shutil
import threading
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest
from migrating import MAP, changed, files, fill
from typer.testing import CliRunner

from annotate.finetuned.layout import Layout, mapped
from garmentloop.cli import app
from garmentloop.migration import alone as locks
from garmentloop.migration.run import Request, State, migrate
from garments.answers import answer_of
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import BadSetting, BadTaxonomy, DatasetError, StudioError, UnfitModel
from garments.export import export_table
from garments.migration.history import History, kept_taxonomy, said_before, settle
from garments.migration.labels import as_said, last_words
from garments.migration.moves import Fate
from garments.migration.record import journal_path, read_records, write_journal
from garments.said import people_say_in
from garments.status import status
from garments.taxonomy import Taxonomy


def rows(dataset: Dataset) -> list[dict]:
    return dataset.catalog.rows("labels").sort_by("seq").to_pylist()


def tree(folder) -> dict:
    """Every file by its path, with its content."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    made = Dataset.create(tmp_path_factory.mktemp("migrate") / "data")
    fill(made)
    return made.folder


@pytest.fixture
def dataset(filled, tmp_path) -> Dataset:
    return Dataset.open(shutil.copytree(filled, tmp_path / "data"))


@pytest.fixture
def request_(dataset, tmp_path) -> Request:
    return Request(*files(tmp_path / "files", dataset.taxonomy))


@pytest.fixture
def map_file(tmp_path):
    def write(text: str):
        path = tmp_path / "other.toml"
        path.write_text(text)
        return path

    return write


def test_what_became_of_every_label(dataset, request_):
    before, old, held = rows(dataset), dataset.taxonomy, people_say_in(dataset)
    outcome = migrate(dataset, request_)
    assert outcome.state is State.DONE and outcome.record.name == "migration-1"
    assert dataset.taxonomy == Dataset.open(dataset.folder).taxonomy == changed(old)
    assert (dataset.folder / "taxonomy.toml").read_bytes() == request_.new.read_bytes()
    after = rows(dataset)
    assert after[: len(before)] == before, "no row was altered"
    assert len({row["label_id"] for row in after}) == len(after)
    new, live = after[len(before) :], last_words(before).live
    assert {row["migrated_from"] for row in new} <= {row["label_id"] for row in live}
    assert {row["migration"] for row in new} == {outcome.record.id}
    expected = Counter(_expected(row, held) for row in live)
    assert outcome.tally.totals == {fate: expected[fate] for fate in Fate}
    assert all(expected[fate] for fate in Fate if fate is not Fate.OUTDATED)
    said = sum(not row["withdraws"] for row in before)
    tally = outcome.tally
    assert sum(tally.totals.values()) + tally.superseded + tally.withdrawn == said
    assert said_before(dataset, History.of(dataset.folder).migrations[0]) == held


def _expected(row: dict, held: dict) -> Fate:
    """What the map says becomes of a label, once more in other words."""
    values = answer_of(row["value"])
    if "red" in values:
        return Fate.AGAIN
    if values == {"pink"}:
        return Fate.REMOVED
    winner = answer_of(held[row["garment_id"], row["attribute"]].value)
    if "red" in winner or winner == {"pink"}:
        return Fate.OVERRULED
    if "pink" in values:
        return Fate.REDUCED
    if values & {"navy"}:
        return Fate.MERGED
    return Fate.RENAMED if values & {"olive", "dotted"} else Fate.KEPT


def test_what_holds_afterwards_is_in_the_new_words(dataset, request_):
    migrate(dataset, request_)
    known = {a.id: {*a.ids, "not_visible"} for a in dataset.taxonomy.attributes}
    values = {key: answer_of(held.value) for key, held in people_say_in(dataset).items()}
    assert values and all(answer <= known[key[1]] for key, answer in values.items())
    assert not any("crimson" in answer for answer in values.values()), "nobody was asked yet"


def test_what_held_before_holds_afterwards_in_new_words_and_nothing_else(dataset, request_):
    before = people_say_in(dataset)
    outcome = migrate(dataset, request_)
    moves = History.of(dataset.folder).migrations[0].moves
    became = {key: moves.become(key[1], answer_of(held.value)) for key, held in before.items()}
    after = {key: answer_of(held.value) for key, held in people_say_in(dataset).items()}
    assert after == {key: one.answer for key, one in became.items() if one.holds}
    assert outcome.tally.totals[Fate.OVERRULED] > 20


def test_the_old_taxonomy_is_kept_and_old_labels_are_read_by_it(dataset, request_):
    old = dataset.taxonomy
    migrate(dataset, request_)
    [migration] = History.of(dataset.folder).migrations
    assert kept_taxonomy(dataset.folder, old.hash) == migration.moves.old == old
    assert (dataset.folder / "taxonomies" / f"{old.hash}.toml").is_file()
    known = {a.id: {*a.ids, "not_visible"} for a in old.attributes}
    for (_, name), held in said_before(dataset, migration).items():
        assert answer_of(held.value) <= known[name]


def test_done_again_it_changes_nothing(dataset, request_):
    old = dataset.folder / "old.toml"
    old.write_bytes((dataset.folder / "taxonomy.toml").read_bytes())
    migrate(dataset, request_)
    before = tree(dataset.folder)
    for again in (request_, Request(request_.new), Request(request_.new, request_.map, old)):
        outcome = migrate(Dataset.open(dataset.folder), again)
        assert (outcome.state, outcome.record.number) == (State.NOTHING, 1)
    assert tree(dataset.folder) == before
    assert len(read_records(dataset.folder)) == 1


def test_a_dry_run_says_the_same_and_writes_nothing(dataset, request_):
    before = tree(dataset.folder)
    foreseen = migrate(dataset, Request(request_.new, request_.map, dry_run=True))
    assert tree(dataset.folder) == before
    assert foreseen.state is State.FORESEEN
    assert migrate(dataset, request_).tally == foreseen.tally


def test_the_report(dataset, request_):
    outcome = migrate(dataset, request_)
    figures = json.loads((dataset.reports / "migration-1.json").read_text())
    assert figures["from"] == outcome.record.old and figures["to"] == dataset.taxonomy.hash
    assert figures["labels"]["again"] == outcome.tally.totals[Fate.AGAIN]
    red = [one for one in figures["values"] if one["value"] == "red"]
    assert [(one["fate"], one["becomes"]) for one in red] == [("again", ["crimson", "scarlet"])]
    assert figures["proposals_to_make"] == ["color", "pattern"]
    page = outcome.page.read_text()
    assert "crimson or scarlet" in page and "asked again" in page and "http" not in page


def test_two_migrations_after_each_other(dataset, request_, tmp_path, map_file):
    migrate(dataset, request_)
    data = dataset.taxonomy.model_dump()
    [color] = [a for a in data["attributes"] if a["id"] == "color"]
    color["id"] = "hue"
    color["values"] = [v for v in color["values"] if v["id"] != "moss"]
    third = tmp_path / "third.toml"
    Taxonomy.model_validate(data).save(third)
    said = '[attributes]\nrename = { color = "hue" }\n[color]\nmerge = { green = ["moss"] }'
    outcome = migrate(dataset, Request(third, map_file(said)))
    assert outcome.record.name == "migration-2"
    found = people_say_in(dataset)
    assert {name for _, name in found} == {"hue", "pattern"}
    by_id = {row["label_id"]: row for row in rows(dataset)}
    chain = [row for row in by_id.values() if row["value"] == '["green"]' and row["migrated_from"]]
    assert any(by_id[row["migrated_from"]]["value"] == '["moss"]' for row in chain)
    first, second = History.of(dataset.folder).migrations
    assert {name for _, name in said_before(dataset, second)} == {"color", "pattern"}
    assert any(held.value == '["olive"]' for held in said_before(dataset, first).values())
    # an id of the first taxonomy does not come back as something else
    back = third.read_text().replace('id = "crimson"', 'id = "red"')
    third.write_text(back)
    with pytest.raises(BadTaxonomy, match="crimson"):
        migrate(dataset, Request(third))


def test_words_of_somebody_who_did_not_know_yet_are_brought_on(dataset, request_):
    old = dataset.taxonomy.vocabulary_hash("color")
    migrate(dataset, request_)
    late = {"garment_id": "f" * 16, "attribute": "color", "kind": "import", "annotator": "set"}
    late |= {"label_id": "late", "value": '["navy"]', "vocabulary_hash": old}
    dataset.catalog.add("labels", [late])
    assert settle(dataset, History.of(dataset.folder)) == 1
    assert people_say_in(dataset)["f" * 16, "color"].value == '["blue"]'
    assert settle(dataset, History.of(dataset.folder)) == 0


def test_status_and_export_count_what_people_said(dataset, request_, tmp_path):
    before = status(dataset).labels
    migrate(dataset, request_)
    assert status(dataset).labels == before
    export_table(dataset, "labels", tmp_path / "labels.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert len(as_said(lines)) < len(lines) == len(rows(dataset))


def test_a_data_set_without_labels(tmp_path):
    empty = Dataset.create(tmp_path / "empty")
    outcome = migrate(empty, Request(*files(tmp_path / "files", empty.taxonomy)))
    assert outcome.tally.totals == dict.fromkeys(Fate, 0)
    assert empty.taxonomy == Dataset.open(empty.folder).taxonomy != Taxonomy.default()
    assert status(empty).labels == {}


@pytest.mark.parametrize("bad", ["map", "from", "same", "none", "syntax"])
def test_a_bad_request_changes_nothing(dataset, request_, map_file, bad):
    before = tree(dataset.folder)
    own = dataset.folder / "taxonomy.toml"
    asked = {
        "map": lambda: Request(request_.new, map_file(MAP.replace("navy", "nvy"))),
        "from": lambda: Request(request_.new, request_.map, request_.new),
        "same": lambda: Request(own, None),
        "none": lambda: Request(),
        "syntax": lambda: Request(request_.new, map_file("[color")),
    }[bad]()
    told = {
        "map": "did you mean 'navy'",
        "from": "expected --from to be the taxonomy of .* differs in color, pattern",
        "same": "there is nothing to do",
        "none": "expected --to with the file",
        "syntax": "expected TOML",
    }[bad]
    for dry_run in (False, True):
        with pytest.raises((BadTaxonomy, BadSetting), match=told):
            migrate(dataset, Request(asked.new, asked.map, asked.old, dry_run))
    assert tree(dataset.folder) == before


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        ("run/loop.lock", "a loop is at work"),
        ("run/import-labels.lock", "an import is at work"),
        ("releases/.lock", "a release is at work"),
        ("run/fiftyone/sync.lock", "a sync of FiftyOne is at work"),
        ("run/labelstudio/push.lock", "expected no other push"),
        ("run/labelstudio/pull.lock", "expected no other pull"),
    ],
)
def test_nobody_may_be_at_work(dataset, request_, monkeypatch, lock, told):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    monkeypatch.setattr("annotate.studio.pull._PATIENCE", 0.1)
    monkeypatch.setattr("annotate.studio.journal._PATIENCE", 0.1)
    path = dataset.folder / lock
    path.parent.mkdir(parents=True, exist_ok=True)
    before = rows(dataset)
    with exclusive(path), pytest.raises((DatasetError, StudioError), match=told):
        migrate(dataset, request_)
    assert rows(dataset) == before and not journal_path(dataset.folder).exists()
    assert migrate(dataset, request_).state is State.DONE


def test_two_at_once_do_it_once(dataset, request_):
    states = []

    def run() -> None:
        states.append(migrate(Dataset.open(dataset.folder), request_).state)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == [State.DONE, State.NOTHING]
    assert len(read_records(dataset.folder)) == 1


@contextmanager
def cut_off(dataset, request):
    """A migration that was killed just after it began."""
    foreseen = migrate(dataset, Request(request.new, request.map, dry_run=True))
    kept = {dataset.taxonomy.hash: dataset.folder / "taxonomy.toml"}
    kept[changed(dataset.taxonomy).hash] = request.new
    for digest, path in kept.items():
        target = dataset.folder / "taxonomies" / f"{digest}.toml"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    write_journal(dataset.folder, foreseen.record)
    yield foreseen


def test_nobody_reads_a_taxonomy_that_is_not_settled(dataset, request_):
    with cut_off(dataset, request_) as foreseen:
        with pytest.raises(DatasetError, match="garmentloop taxonomy migrate -d"):
            _ = Dataset.open(dataset.folder).taxonomy
        assert migrate(Dataset.open(dataset.folder), Request(dry_run=True)).tally == foreseen.tally
        outcome = migrate(Dataset.open(dataset.folder), Request())
        assert (outcome.state, outcome.tally) == (State.FINISHED, foreseen.tally)
    assert Dataset.open(dataset.folder).taxonomy.hash == outcome.record.new


def test_a_model_of_the_old_taxonomy_is_mapped_or_refused(dataset, request_):
    old = dataset.taxonomy
    layout = Layout.of(old, ["color", "pattern"])
    migrate(dataset, request_)
    found = mapped(layout.head("color"), dataset.taxonomy, "model:v1")
    names = dataset.taxonomy.values("color")
    assert not found.same and found.places[names.index("crimson")] == -1
    assert found.places[names.index("blue")] == old.values("color").index("blue")
    now = layout.now(dataset.taxonomy, History.of(dataset.folder))
    found, places = mapped(now.head("color"), dataset.taxonomy, "model:v1"), old.values("color")
    assert found.places[names.index("moss")] == places.index("olive")
    both = tuple(places.index(name) for name in ("blue", "navy"))
    assert {at: tuple(parts) for at, parts in found.merged.items()} == {names.index("blue"): both}
    logits = np.linspace(-3, 3, 2 * len(places), dtype=np.float32).reshape(2, -1)
    applied = found.apply(logits)[:, names.index("blue")]
    np.testing.assert_array_equal(applied, logits[:, both].max(axis=1))
    few = dataset.taxonomy.model_dump()
    for attribute in few["attributes"]:
        if attribute["id"] == "pattern":
            attribute["values"] = [{"id": f"p{n}", "title": f"P {n}"} for n in range(20)]
    with pytest.raises(UnfitModel, match="train it again"):
        mapped(layout.head("pattern"), Taxonomy.model_validate(few), "model:v1")


def test_commands(dataset, request_, garmentloop_command, map_file):
    folder, new, said = dataset.folder, request_.new, request_.map

    def run(*arguments):
        return CliRunner().invoke(app, ["taxonomy", *map(str, arguments)])

    dry = run("migrate", "-d", folder, "--to", new, "--map", said, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "color red -> crimson or scarlet: asked again" in dry.stdout
    assert "Nothing was written." in dry.stdout
    wrong = map_file("[color]\nremove = ['red', 'bleu']")
    bad = garmentloop_command("taxonomy", "migrate", "-d", folder, "--to", new, "--map", wrong)
    assert bad.returncode == 1 and "did you mean 'blue'" in bad.stderr
    done = run("migrate", "-d", folder, "--to", new, "--map", said)
    assert done.exit_code == 0, done.output
    assert "garmentloop prelabel" in done.stdout and "migration-1.html" in done.stdout
    again = run("migrate", "-d", folder, "--to", new, "--map", said)
    assert again.stdout.startswith("Nothing to do: migration-1 did this on 20")
    shown = run("show", "-d", folder).stdout
    assert "crimson" in shown and "migration-1: 20" in shown
    before = run("show", "-d", folder, "--at", "migration-1").stdout
    assert "navy" in before and "crimson" not in before
    none = run("show", "-d", folder, "--at", "migration-7")
    assert none.exit_code == 1 and "expected --at with one of migration-1" in none.stderr
    sound = run("check", new)
    assert sound.exit_code == 0 and "is sound: 6 attributes" in sound.stdout
    assert run("check", said).exit_code == 1
