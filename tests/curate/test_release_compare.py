"""Checking a release, comparing two, and the commands."""

import csv
import random
import shutil

import pytest
from released import add, decide, divide, garment_name, ready, say, withdraw
from typer.testing import CliRunner

from curate.release.changes_file import write_changes
from curate.release.diff import Kind, diff
from curate.release.manifest import files_in, read_manifest
from curate.release.names import release_folder
from curate.release.verify import verify
from curate.release.write import release
from garmentloop.cli import app
from garments.dataset import Dataset
from garments.errors import DatasetError, GarmentLoopError


def freeze(dataset, name):
    return list(release(dataset, name))[-1].folder


def checked(dataset, name="v1"):
    return list(verify(dataset, name))[-1]


def run(*arguments):
    return CliRunner().invoke(app, ["curate", *map(str, arguments)])


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    dataset = ready(tmp_path_factory.mktemp("compare") / "data")
    freeze(dataset, "v1")
    return dataset.folder


@pytest.fixture
def dataset(original, tmp_path):
    """A data set with a release `v1`, to be changed."""
    return Dataset.open(shutil.copytree(original, tmp_path / "data"))


def test_a_release_that_nobody_touched_is_whole(dataset):
    end = checked(dataset)
    assert not end.problems and not end.notes and end.done == end.total
    assert end.hash == read_manifest(dataset.releases / "v1").hash


def test_a_flipped_bit_in_any_file_is_found(dataset):
    folder, chance = dataset.releases / "v1", random.Random(7)
    for name in [*files_in(folder), "manifest.json"]:
        path = folder / name
        whole = path.read_bytes()
        at = chance.randrange(len(whole))
        path.write_bytes(
            whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :]
        )
        if name == "manifest.json":
            with pytest.raises(DatasetError, match="manifest"):
                checked(dataset)
        else:
            assert checked(dataset).problems == (f"{name}: was changed: its SHA-256 is another",)
        path.write_bytes(whole)
    assert not checked(dataset).problems


def test_missing_truncated_and_foreign_files_are_found(dataset):
    folder = dataset.releases / "v1"
    (folder / "sources.csv").unlink()
    path = folder / "taxonomy.toml"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-10])
    (folder / "data" / "extra.parquet").write_bytes(b"x")
    assert set(checked(dataset).problems) == {
        "data/extra.parquet: is not of this release; move it elsewhere",
        "sources.csv: is missing",
        f"taxonomy.toml: has {size - 10:,} bytes instead of {size:,}",
    }


def test_a_release_outlives_its_tags_but_says_so(dataset):
    import lance

    lance.dataset(dataset.catalog.folder / "labels.lance").tags.delete("release-v1")
    end = checked(dataset)
    assert not end.problems and "no longer has labels at the tag release-v1" in end.notes[0]


def test_unknown_and_hollow_releases_are_told_apart(dataset):
    with pytest.raises(DatasetError, match=r"one of v1, but got 'v7'; `garmentloop curate release"):
        release_folder(dataset, "v7")
    (dataset.releases / "v7").mkdir()
    with pytest.raises(DatasetError, match=r"has no manifest\.json"):
        release_folder(dataset, "v7")


def test_a_release_of_another_format_is_refused(dataset):
    path = dataset.releases / "v1" / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 2'))
    with pytest.raises(DatasetError, match=r"expected a release of format 1, but .* has format 2"):
        checked(dataset)


def test_nothing_changed(dataset):
    freeze(dataset, "v2")
    found = diff(dataset, "v1", "v2")
    assert not found.changes and not found.moves
    assert found.same == {"category": 12, "color": 12}


def test_every_change_has_its_reason(dataset):
    say(dataset, 0, "color", "blue", "black", kind="curator", who="cora")
    say(dataset, 1, "color", "red", kind="adjudicated", who="dora")
    say(dataset, 2, "color", "green")
    say(dataset, 3, "pattern", "solid", kind="import", who="ccp")
    labels = dataset.catalog.rows("labels", where="attribute = 'color'").to_pylist()
    withdraw(dataset, next(r["label_id"] for r in labels if r["garment_id"] == garment_name(4)))
    decide(dataset, 6, "bad_crop")
    add(dataset, [20])
    say(dataset, 20, "category", "dress")
    divide(dataset, {20: "train", 10: "train", 11: "train"}, "split-2")
    freeze(dataset, "v2")
    found = diff(dataset, "v1", "v2")
    told = {
        (int(c.garment_id, 16), c.attribute): (c.kind, c.before, c.after, c.why)
        for c in found.changes
    }
    assert told == {
        (0, "color"): (
            "changed",
            "red",
            "black + blue",
            "decided by a curator, was an annotator's",
        ),
        (2, "color"): ("changed", "red", "green", "annotator answered again"),
        (3, "pattern"): ("added", "", "solid", "imported"),
        (4, "color"): ("removed", "red", "", "withdrawn"),
        (6, "category"): ("removed", "shirt", "", "garment a bad crop"),
        (6, "color"): ("removed", "red", "", "garment a bad crop"),
        (20, "category"): ("added", "", "dress", "garment new"),
    }
    assert found.confirmed == {"category": 0, "color": 1} and found.same["color"] == 8
    assert {(int(m.garment_id, 16), m.before, m.after, m.why) for m in found.moves} == {
        (6, "train", "", "a bad crop"),
        (20, "", "train", "new"),
        (10, "test", "train", "the split was drawn again"),
        (11, "test", "train", "the split was drawn again"),
    }
    assert found.count("color", Kind.CHANGED) == 2 and found.grouped("color")[-1][0] == "removed"


def test_disputes_and_garments_that_come_back(dataset):
    decide(dataset, 0, "excluded")
    say(dataset, 4, "color", "blue", who="ben")
    dataset.catalog.put(
        "tasks", [{"task_id": "t", "garment_id": garment_name(4), "audit": True, "state": "done"}]
    )
    freeze(dataset, "v2")
    there, back = diff(dataset, "v1", "v2"), diff(dataset, "v2", "v1")
    why = {(int(c.garment_id, 16), c.attribute): c.why for c in there.changes}
    assert why[4, "color"] == "annotators disagree" and why[0, "color"].endswith("by a curator")
    why = {(int(c.garment_id, 16), c.attribute): c.why for c in back.changes}
    assert why[4, "color"] == "answered by an annotator, was disputed"
    assert why[0, "color"] == "garment was excluded by a curator"


def test_attributes_that_came_and_went(dataset):
    path = dataset.folder / "taxonomy.toml"
    extra = '\n[[attributes]]\nid = "neckline"\ntitle = "Neckline"\ntemplates = ["a {}"]\n'
    extra += 'values = [{ id = "round", title = "Round" }]\n'
    path.write_text(path.read_text(encoding="utf-8") + extra, encoding="utf-8")
    dataset = Dataset.open(dataset.folder)
    say(dataset, 0, "neckline", "round")
    freeze(dataset, "v2")
    (change,) = diff(dataset, "v1", "v2").changes
    assert (change.attribute, change.kind, change.why) == ("neckline", "added", "attribute is new")
    (change,) = diff(dataset, "v2", "v1").changes
    assert (change.kind, change.why) == ("removed", "attribute was removed")


def test_changes_are_written_as_a_table(dataset, tmp_path):
    say(dataset, 0, "color", "blue", kind="curator")
    decide(dataset, 6, "excluded")
    freeze(dataset, "v2")
    path = tmp_path / "new" / "changes.csv"
    write_changes(path, diff(dataset, "v1", "v2"))
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 4 and {row["attribute"] for row in found} == {"split", "category", "color"}
    with pytest.raises(GarmentLoopError, match="expected to write"):
        write_changes(path / "below", diff(dataset, "v1", "v2"))


def test_damaged_files_are_no_difference(dataset):
    freeze(dataset, "v2")
    (dataset.releases / "v2" / "data" / "train-00000-of-00001.parquet").write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match="`garmentloop curate verify v2` tells what is wrong"):
        diff(dataset, "v1", "v2")


def test_commands(dataset, tmp_path):
    where = ("-d", dataset.folder)
    say(dataset, 0, "color", "blue", kind="curator")
    made = run("release", "v2", *where, "--note", "blue")
    assert made.exit_code == 0 and "left out" not in made.stdout
    assert "validation         4" in made.stdout and "datasheet.html" in made.stdout
    listed = run("releases", *where)
    assert listed.exit_code == 0 and listed.stdout.count("\n") == 3
    told = run("diff", "v1", "v2", *where, "--out", tmp_path / "c.csv")
    assert told.exit_code == 0, told.output
    assert "1  changed red -> blue: decided by a curator, was an annotator's" in told.stdout
    assert run("verify", "v2", *where).exit_code == 0
    (dataset.releases / "v2" / "README.md").write_text("other")
    bad = run("verify", "v2", *where)
    assert bad.exit_code == 1 and "README.md: has 5 bytes" in bad.stdout
    (dataset.releases / "v2" / "manifest.json").write_text("{}")
    assert "v2: expected" in run("releases", *where).stderr
    assert run("release", "v1", *where).exit_code == 1


def test_a_dry_run_of_the_command(dataset):
    told = run("release", "v2", "-d", dataset.folder, "--dry-run")
    assert told.exit_code == 0 and "Release:" not in told.stdout
    assert not (dataset.releases / "v2").exists()
