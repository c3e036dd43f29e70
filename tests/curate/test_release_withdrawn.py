"""Rows that were withdrawn from a frozen release are gone from it, and it is whole without them."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import released
from released import divide, garment_name, make, photo_name, ready, say, tags

from curate.release.manifest import read_manifest
from curate.release.thin import Gone
from curate.release.touched import touched_by
from curate.release.verify import verify
from curate.release.withdraw import Takedown, recover, withdraw
from curate.release.withdrawn import Row, as_frozen, read_withdrawn
from curate.release.write import ReleaseOptions, release
from finetune.tagger.release import from_release
from garments.dataset import Dataset
from garments.errors import BadInput, DatasetError

ROOT = Path(__file__).resolve().parents[2]
THIS = Takedown("t1", "2026-05-01T00:00:00Z")


def freeze(dataset, name="v1", **options):
    return list(release(dataset, name, ReleaseOptions(**options)))[-1].folder


def of_photos(dataset, *photos, groups=None):
    """What goes with these photos."""
    rows = dataset.catalog.rows("garments", ["garment_id", "photo_id"]).to_pylist()
    mine = frozenset(row["garment_id"] for row in rows if row["photo_id"] in photos)
    return Gone(frozenset(photos), mine, groups or {})


def checked(dataset, name="v1"):
    return list(verify(dataset, name))[-1]


def rows(folder):
    found = {}
    for path in sorted((folder / "data").glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            found[row["garment_id"]] = row
    return found


def held_in(folder, *terms):
    """Files of the folder in which any of these stands, in bytes or in rows."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".parquet":
                data += str(pq.read_table(path).to_pylist()).encode("utf-8", "replace")
            found += [(path.name, term) for term in terms if term.encode() in data]
    return found


@pytest.fixture
def dataset(tmp_path):
    """Twelve garments of six photos, a third of the photos in each split, and a release of it."""
    made = ready(tmp_path / "data")
    freeze(made)
    return made


def test_the_rows_are_gone_and_the_others_are_as_they_were(dataset):
    folder, photo = dataset.releases / "v1", photo_name(0)
    before = rows(folder)
    assert held_in(folder, photo), "else the search would prove nothing"
    (touched,) = withdraw(dataset, of_photos(dataset, photo), THIS)
    assert (touched.garments, touched.photos, touched.lines) == ({"train": 2}, 1, 1)
    after = rows(folder)
    assert after == {name: row for name, row in before.items() if row["photo_id"] != photo}
    assert not held_in(folder, photo, garment_name(0), garment_name(1))
    gone = [row["image"]["bytes"] for row in before.values() if row["photo_id"] == photo]
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert not any(picture in kept for picture in gone)


def test_it_verifies_as_whole_and_says_how_many_went(dataset):
    withdraw(dataset, of_photos(dataset, photo_name(0)), THIS)
    end = checked(dataset)
    assert not end.problems and not end.notes
    (one,) = end.withdrawn
    assert one.garments == {"train": 2} and one.photos == 1 and one.takedown == "t1"


def test_a_damaged_row_is_still_told_from_a_withdrawn_one(dataset):
    withdraw(dataset, of_photos(dataset, photo_name(0)), THIS)
    path = dataset.releases / "v1" / "data" / "train-00000-of-00001.parquet"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    end = checked(dataset)
    assert end.problems == (f"data/{path.name}: was changed: its SHA-256 is another",)


def test_files_without_it_are_not_written_anew(dataset):
    folder = dataset.releases / "v1"
    before = read_manifest(folder)
    withdraw(dataset, of_photos(dataset, photo_name(0)), THIS)
    after = read_manifest(folder)
    for name in ("data/test-00000-of-00001.parquet", "taxonomy.toml", "left_out.csv"):
        assert after.files[name] == before.files[name]
    assert after.hash != before.hash and after.hashes == (after.hash, before.hash)
    assert after.splits == {**before.splits, "train": 2} and after.photos == 5


def test_the_list_has_places_in_the_file_as_it_was_frozen(dataset):
    photos = sorted({row["photo_id"] for row in rows(dataset.releases / "v1").values()})
    first, second = (photo for photo in photos if photo in (photo_name(0), photo_name(6)))
    withdraw(dataset, of_photos(dataset, first), THIS)
    withdraw(dataset, of_photos(dataset, second), Takedown("t2", "2026-05-02T00:00:00Z"))
    found = read_withdrawn(dataset.releases / "v1")
    name = "data/train-00000-of-00001.parquet"
    assert found == [
        Row(name, place, takedown, f"2026-05-0{takedown[1]}T00:00:00Z")
        for place, takedown in ((0, "t1"), (1, "t1"), (2, "t2"), (3, "t2"))
    ]


def test_places_are_told_whatever_went_before():
    left = [row for row in range(10) if row not in (0, 3, 4)]
    assert as_frozen(range(7), [4, 0, 3]) == left


def test_a_split_that_is_emptied_is_gone_and_hugging_face_reads_the_rest(dataset, tmp_path):
    photos = {r["photo_id"] for r in rows(dataset.releases / "v1").values()}
    train = {photo_name(0), photo_name(6)}
    withdraw(dataset, of_photos(dataset, *train), THIS)
    folder = dataset.releases / "v1"
    assert read_manifest(folder).splits == {"validation": 4, "test": 4}
    program = (
        "import sys; from datasets import load_dataset\n"
        "data = load_dataset(sys.argv[1], cache_dir=sys.argv[2])\n"
        "print({name: len(part) for name, part in data.items()})"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(folder), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""},
        check=False,
    )
    assert told.stdout.strip() == "{'validation': 4, 'test': 4}", told.stderr
    assert len(photos) == 6


def test_all_of_a_release_may_go(dataset):
    names = {row["photo_id"] for row in rows(dataset.releases / "v1").values()}
    withdraw(dataset, of_photos(dataset, *names), THIS)
    folder = dataset.releases / "v1"
    assert read_manifest(folder).splits == {} and not rows(folder)
    assert not checked(dataset).problems and not held_in(folder, *names)


def test_the_pages_say_so_and_show_other_crops(dataset):
    folder = dataset.releases / "v1"
    figures = (folder / "datasheet.html").read_text(encoding="utf-8").count("<figure")
    for turn, photo in enumerate((photo_name(0), photo_name(6))):
        at = Takedown(f"t{turn}", f"2026-05-0{turn + 1}T00:00:00Z")
        withdraw(dataset, of_photos(dataset, photo), at)
    page = (folder / "datasheet.html").read_text(encoding="utf-8")
    card = (folder / "README.md").read_text(encoding="utf-8")
    said = "4 garments of 2 photos were withdrawn, last on 2026-05-02."
    assert page.count(said) == card.count(said) == 1, "the note of the first takedown went"
    assert figures == 12 and page.count("<figure") == 8


def test_garments_that_were_left_out_are_taken_from_that_list(tmp_path):
    dataset = make(tmp_path / "data", 6)
    for number in (0, 1, 2):
        say(dataset, number, "category", "shirt")
    divide(dataset, dict.fromkeys(range(3), "train"))
    folder = freeze(dataset)
    (touched,) = withdraw(dataset, of_photos(dataset, photo_name(4)), THIS)
    assert touched.garments == {} and touched.lines == 2
    assert not held_in(folder, garment_name(4), garment_name(5), photo_name(4))
    manifest = read_manifest(folder)
    assert sum(manifest.left_out.values()) == 1 and manifest.garments == 3
    assert not checked(dataset).problems


def test_groups_that_bear_its_name_get_another(dataset):
    groups = {photo_name(2): photo_name(8)}
    (touched,) = touched_by(dataset, Gone(frozenset(), frozenset(), groups))[0]
    assert touched.garments == {}
    withdraw(dataset, Gone(frozenset(), frozenset(), groups), THIS)
    found = rows(dataset.releases / "v1")
    assert found[garment_name(2)]["group"] == photo_name(8)


def test_a_release_without_it_is_left_alone(dataset):
    hash_ = read_manifest(dataset.releases / "v1").hash
    assert withdraw(dataset, Gone({"f" * 16}, {"e" * 16}), THIS) == []
    assert read_manifest(dataset.releases / "v1").hash == hash_


def test_a_damaged_release_is_named_and_the_others_are_done(dataset):
    freeze(dataset, "v2")
    path = dataset.releases / "v1" / "data" / "train-00000-of-00001.parquet"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="as the release v1 was frozen, but its content"):
        withdraw(dataset, of_photos(dataset, photo_name(0)), THIS)
    assert not held_in(dataset.releases / "v2", photo_name(0))
    assert read_manifest(dataset.releases / "v1").withdrawn == (), "nothing was covered up"


def test_releases_keep_their_order(dataset):
    from curate.release.names import release_names

    freeze(dataset, "v2")
    withdraw(dataset, of_photos(dataset, photo_name(0)), THIS)
    assert release_names(dataset) == ["v1", "v2"]


def test_who_trains_on_it_learns_from_the_rest(dataset):
    before = read_manifest(dataset.releases / "v1").hash
    withdraw(dataset, of_photos(dataset, photo_name(0)), THIS)
    material = from_release(dataset, "v1")
    names = {one.name.split("/")[0] for one in [*material.learn, *material.held_out]}
    assert len(names) == 6 and garment_name(0) not in names
    manifest = read_manifest(dataset.releases / "v1")
    assert manifest.withdrawn_since(before) == 2
    assert manifest.withdrawn_since(manifest.hash) == manifest.withdrawn_since("other") == 0


def test_soft_targets_need_the_answers_that_were_purged(dataset):
    import lance

    withdraw(dataset, of_photos(dataset, photo_name(0)), THIS)
    for table in dataset.catalog.folder.glob("*.lance"):
        found = lance.dataset(table)
        for tag in found.tags.list():
            found.tags.delete(tag)
    assert not tags(dataset) and not checked(dataset).notes
    with pytest.raises(BadInput, match="they go when photos are taken down"):
        from_release(dataset, "v1", soft=True)


KILLED = """
import os, random, signal, sys
from pathlib import Path
from curate.release import withdraw as module
from curate.release.thin import Gone
from garments.dataset import Dataset
count = 0
def deadly(step):
    def call(*args, **kwargs):
        global count
        count += 1
        if count == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **kwargs)
    return call
for owner, name in ((module, "thin"), (module, "file_entry"), (Path, "rename"),
                    (Path, "write_text"), (module, "to_disk"), (module.shutil, "rmtree")):
    setattr(owner, name, deadly(getattr(owner, name)))
dataset = Dataset.open(sys.argv[1])
rows = dataset.catalog.rows("garments", ["garment_id", "photo_id"]).to_pylist()
mine = {row["garment_id"] for row in rows if row["photo_id"] == sys.argv[2]}
module.withdraw(dataset, Gone({sys.argv[2]}, mine), module.Takedown("t1", "2026-05-01T00:00:00Z"))
"""


@pytest.mark.faults
def test_killed_on_the_way_it_finishes_the_next_time(tmp_path, fault_rounds):
    chance = random.Random(seed := random.randrange(10**6))
    for turn in range(fault_rounds):
        dataset = ready(tmp_path / f"{seed}-{turn}")
        folder, photo = freeze(dataset), photo_name(0)
        step = chance.randint(1, 16)
        arguments = [sys.executable, "-c", KILLED, str(dataset.folder), photo, str(step)]
        done = subprocess.run(arguments, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        assert done.returncode in (0, -signal.SIGKILL)
        recover(Dataset.open(dataset.folder))
        assert not checked(dataset).problems, "the one or the other, but whole"
        withdraw(dataset, of_photos(dataset, photo), THIS)
        assert not held_in(dataset.releases, photo, garment_name(0), garment_name(1))
        assert not checked(dataset).problems and len(read_withdrawn(folder)) == 2
        assert released.visible(dataset) == ["v1"]
        assert not [p for p in dataset.releases.iterdir() if p.name[:4] in (".gon", ".wit")]
