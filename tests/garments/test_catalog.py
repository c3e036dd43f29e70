"""The catalogue: ids are unique whoever writes, and a killed writer leaves it whole."""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import lance
import pyarrow as pa
import pytest

from garments.boxes import Box
from garments.catalog import TABLES, Catalog, one_of
from garments.catalog.lock import exclusive
from garments.catalog.rows import (
    garment_from_row,
    garment_row,
    person_from_row,
    person_row,
    photo_from_row,
    photo_row,
    retire_row,
    run_row,
    source_from_row,
    source_row,
)
from garments.errors import CatalogError
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.records import Doubt, Garment, Person, Photo, PhotoState, Source, Verdict

ROUNDS = int(os.environ.get("GARMENTLOOP_FAULT_ROUNDS", "3"))
SPAWN = multiprocessing.get_context("spawn")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "catalog")


def photos(first: int, count: int) -> list[dict]:
    return [photo_row(Photo(f"{i:016x}", 600, 800)) for i in range(first, first + count)]


def garment(name: str, photo: str = "p", region: Region = Region.UPPER) -> Garment:
    mask = RunLengthMask(2, 3, (1, 2, 3))
    box = Box(0, 0, 2, 2)
    return Garment(name, photo, "who", region, box, mask, 2, "abc", 0.5, (Doubt.TINY,))


def test_an_unwritten_catalogue_is_empty_and_leaves_no_trace(catalog: Catalog) -> None:
    for table in TABLES:
        assert catalog.count(table) == 0
        assert catalog.rows(table).schema.names == TABLES[table].names
    assert catalog.counts("photos", "state") == {}
    assert catalog.ids("photos") == set()
    assert not catalog.folder.exists()


def test_every_id_is_a_lance_primary_key(catalog: Catalog) -> None:
    for name, spec in TABLES.items():
        catalog.add(name, [{spec.id: "x"}])
        field = lance.dataset(catalog.folder / f"{name}.lance").schema.field(spec.id)
        assert not field.nullable
        assert field.metadata[b"lance-schema:unenforced-primary-key"] == b"true"


def test_known_ids_are_ignored_and_a_replay_changes_nothing(catalog: Catalog) -> None:
    assert catalog.add("photos", photos(0, 10)) == 10
    assert catalog.add("photos", photos(5, 10)) == 5
    before = catalog.rows("photos")
    version = lance.dataset(catalog.folder / "photos.lance").version
    assert catalog.add("photos", photos(0, 15)) == 0
    assert catalog.rows("photos").equals(before)
    assert lance.dataset(catalog.folder / "photos.lance").version == version
    assert catalog.known("photos", ["0" * 16, "nothing"]) == {"0" * 16}


def test_of_equal_ids_in_one_call_the_first_counts(catalog: Catalog) -> None:
    twice = [photo_row(Photo("a", 1, 1)), photo_row(Photo("b", 2, 2)), photo_row(Photo("a", 3, 3))]
    assert catalog.add("photos", twice) == 2
    assert catalog.rows("photos", ["photo_id", "width"]).to_pylist() == [
        {"photo_id": "a", "width": 1},
        {"photo_id": "b", "width": 2},
    ]


def test_rows_may_come_as_arrow(catalog: Catalog) -> None:
    rows = pa.table({"photo_id": ["a", "b", "a"], "width": pa.array([1, 2, 3], pa.int32())})
    assert catalog.add("photos", rows) == 2
    assert catalog.counts("photos", "width") == {1: 1, 2: 1}


def test_created_at_is_utc_and_seq_orders_all_tables(catalog: Catalog) -> None:
    catalog.add("photos", photos(0, 3))
    catalog.add("sources", [source_row(Source("s", "a.jpg", "p"))])
    catalog.add("photos", photos(3, 3))
    seqs = catalog.rows("photos", ["seq"]).column(0).to_pylist()
    assert seqs == sorted(seqs)
    (between,) = catalog.rows("sources", ["seq"]).column(0).to_pylist()
    assert seqs[2] < between < seqs[3]
    assert str(catalog.rows("photos").schema.field("created_at").type) == "timestamp[us, tz=+00:00]"
    age = time.time() - catalog.rows("photos").column("created_at")[0].as_py().timestamp()
    assert 0 <= age < 600


@pytest.mark.parametrize("content", [None, "", "rubbish", "1\n"])
def test_a_lost_or_old_counter_is_mended(catalog: Catalog, content: str | None) -> None:
    catalog.add("photos", photos(0, 5))
    counter = catalog.folder / "seq"
    counter.unlink() if content is None else counter.write_text(content)
    Catalog(catalog.folder).add("photos", photos(5, 5))
    seqs = catalog.rows("photos", ["seq"]).column(0).to_pylist()
    assert len(set(seqs)) == 10


def test_only_what_models_see_may_be_replaced(catalog: Catalog) -> None:
    catalog.put("garments", [garment_row(garment("g"), "one")])
    first = catalog.rows("garments", ["seq"]).column(0)[0].as_py()
    catalog.put("garments", [garment_row(garment("g"), "two"), garment_row(garment("h"), "two")])
    rows = catalog.rows("garments", ["garment_id", "config_hash", "seq"], "garment_id = 'g'")
    assert rows.column("config_hash").to_pylist() == ["two"]
    assert rows.column("seq")[0].as_py() > first
    with pytest.raises(CatalogError, match="append-only"):
        catalog.put("labels", [{"label_id": "x"}])


def test_mistakes_are_named(catalog: Catalog) -> None:
    with pytest.raises(CatalogError, match=r"expected a table of photos.*'foto'"):
        catalog.count("foto")
    with pytest.raises(CatalogError, match=r"photo_id, width.*but got wdth"):
        catalog.add("photos", [{"photo_id": "a", "wdth": 3}])
    with pytest.raises(CatalogError, match=r"width \(int\).*but"):
        catalog.add("photos", [{"photo_id": "a", "width": "wide"}])
    with pytest.raises(CatalogError, match="expected a photo_id in every row"):
        catalog.add("photos", [{"width": 3}])
    with pytest.raises(CatalogError, match="expected to read the table photos"):
        catalog.add("photos", photos(0, 1))
        catalog.rows("photos", where="no such condition")


def test_questions_that_the_store_answers_itself(catalog: Catalog) -> None:
    assert catalog.highest("photos", "width") is None
    assert catalog.distinct("photos", "width") == 0
    catalog.add("photos", [{"photo_id": str(i), "width": i % 3 or None} for i in range(9)])
    assert catalog.highest("photos", "width") == 2
    assert catalog.highest("photos", "width", "width < 2") == 1
    assert catalog.highest("photos", "width", "width > 2") is None
    assert catalog.distinct("photos", "width") == 2
    assert catalog.counts("photos", "width") == {1: 3, 2: 3}
    assert catalog.counts("photos", "width", "width = 1") == {1: 3}


def test_conditions_survive_any_text(catalog: Catalog) -> None:
    names = ["it's", 'a "b"', "né\n🧥", "'; --"]
    catalog.add("photos", [{"photo_id": name} for name in names])
    assert catalog.known("photos", [*names, "other"]) == set(names)
    assert one_of("photo_id", []) == "false"
    assert catalog.count("photos", one_of("photo_id", [])) == 0


def test_records_come_back_as_they_were(catalog: Catalog) -> None:
    photo = Photo("p", 3, 4, PhotoState.UNREADABLE, "truncated", "00ff")
    source = Source("s", "/a/b\nc.jpg", None, "@h", "CC0", "yes", "2024", PhotoState.OK, "x")
    person = Person("q", "p", Box(0, 1.5, 2, 3), 0.5, Verdict.CUT_OFF, "left")
    shot = Garment("g", "p", None, Region.UNKNOWN, Box(0, 0, 1, 1), None, 0, "ab")
    catalog.add("photos", [photo_row(photo)])
    catalog.add("sources", [source_row(source)])
    catalog.add("people", [person_row(person)])
    catalog.add("garments", [garment_row(garment("h")), garment_row(shot)])
    assert photo_from_row(catalog.rows("photos").to_pylist()[0]) == photo
    assert source_from_row(catalog.rows("sources").to_pylist()[0]) == source
    assert person_from_row(catalog.rows("people").to_pylist()[0]) == person
    found = [garment_from_row(row) for row in catalog.rows("garments").to_pylist()]
    assert sorted(found, key=lambda g: g.garment_id) == [shot, garment("h")]


def test_a_file_name_that_is_no_text_can_be_stored(catalog: Catalog) -> None:
    name = os.fsdecode(b"a\xff.jpg")
    catalog.add(
        "sources", [source_row(Source("s", name, handle="\ud800")), source_row(Source("t", "b"))]
    )
    assert catalog.rows("sources").column("origin").to_pylist() == ["a\\udcff.jpg", "b"]
    assert catalog.count("sources", one_of("origin", [name, "b"])) == 2


def test_many_ids_are_looked_up(catalog: Catalog) -> None:
    catalog.add("photos", photos(0, 12_000))
    wanted = [row["photo_id"] for row in photos(6_000, 12_000)]
    assert len(catalog.known("photos", wanted)) == 6_000
    assert len(catalog.known("photos", wanted[:8_000])) == 6_000
    assert catalog.known("photos", []) == set()


def test_retired_garments_come_back_when_revived(catalog: Catalog) -> None:
    g, h = garment("g"), garment("h", region=Region.LOWER)
    catalog.add("garments", [garment_row(g), garment_row(h)])
    catalog.add("extractions", [run_row("p", "one", 1, 2)])

    def active() -> list[str]:
        rows = catalog.active_garments(columns=["region", "garment_id"])
        assert rows.column_names == ["region", "garment_id"]
        return sorted(rows.column("garment_id").to_pylist())

    assert active() == ["g", "h"]
    assert catalog.add("extractions", [retire_row(g, "two")]) == 1
    assert active() == ["h"]
    assert catalog.retired_garments() == {"g"}
    catalog.add("extractions", [retire_row(g, "one", revive=True)])
    assert active() == ["g", "h"]
    assert catalog.active_garments("region = 'lower'").column("garment_id").to_pylist() == ["h"]


def test_the_newest_run_of_a_photo_says_who_is_there(catalog: Catalog) -> None:
    def person(name: str, photo: str) -> Person:
        return Person(name, photo, Box(0, 0, 1, 2), 0.9, Verdict.ACCEPTED)

    first = [run_row("p", "one", 2, 0), run_row("q", "one", 1, 0)]
    catalog.add("extractions", first)
    catalog.put("people", [person_row(person(n, p), "one") for n, p in ("ap", "bp", "cq")])
    catalog.add("people", [person_row(person("d", "r"))])
    catalog.put("people", [person_row(person("a", "p"), "two")])
    again = run_row("p", "two", 1, 0, after=first[0]["extraction_id"])
    catalog.add("extractions", [again])
    assert set(catalog.extracted("one")) == {"q"}
    assert set(catalog.extracted("two")) == {"p"}
    seen = catalog.active_people(columns=["person_id"]).column(0).to_pylist()
    assert sorted(seen) == ["a", "c", "d"]
    back = run_row("p", "one", 2, 0, after=again["extraction_id"])
    assert catalog.add("extractions", [back]) == 1, "going back to a configuration is a new run"
    assert set(catalog.extracted("one")) == {"p", "q"}


def test_a_source_that_was_mended_is_no_longer_lost(catalog: Catalog) -> None:
    lost = [Source("1", "a.jpg", reason="denied"), Source("2", "b.jpg", reason="denied")]
    catalog.add("sources", [source_row(source) for source in lost])
    assert catalog.sources_without_photo().num_rows == 2
    catalog.add("sources", [source_row(Source("3", "a.jpg", "p"))])
    assert catalog.sources_without_photo(["reason", "origin"]).to_pylist() == [
        {"reason": "denied", "origin": "b.jpg"}
    ]


def test_an_older_table_is_given_new_columns(catalog: Catalog) -> None:
    catalog.add("photos", photos(0, 2))
    lance.dataset(catalog.folder / "photos.lance").drop_columns(["phash"])
    assert catalog.rows("photos").column("phash").null_count == 2
    catalog.add("photos", [photo_row(Photo("new", 1, 1, phash="ff"))])
    assert catalog.rows("photos", ["phash"]).column(0).to_pylist() == [None, None, "ff"]


def test_optimize_keeps_rows_and_readers(catalog: Catalog) -> None:
    for first in range(0, 40, 2):
        catalog.add("photos", photos(first, 2))
    reader = lance.dataset(catalog.folder / "photos.lance")
    before = catalog.rows("photos")
    catalog.optimize()
    after = lance.dataset(catalog.folder / "photos.lance")
    assert len(after.get_fragments()) == 1
    assert catalog.rows("photos").sort_by("seq").equals(before.sort_by("seq"))
    assert reader.to_table().num_rows == 40, "a reader of the old version goes on reading"
    version = after.version
    catalog.optimize()
    assert lance.dataset(catalog.folder / "photos.lance").version == version


def test_lancedb_opens_the_folder(catalog: Catalog) -> None:
    catalog.add("garments", [garment_row(garment("g"))])
    assert catalog.connect().open_table("garments").count_rows() == 1


def test_a_moved_catalogue_goes_on(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add("photos", photos(0, 3))
    shutil.move(catalog.folder, tmp_path / "moved")
    moved = Catalog(tmp_path / "moved")
    assert moved.add("photos", photos(2, 2)) == 1
    assert moved.count("photos") == 4


def test_a_held_lock_is_waited_for_and_reported(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / "lock"),
        pytest.raises(CatalogError, match="another process holds"),
        exclusive(tmp_path / "lock", timeout=0.05),
    ):
        pass
    with exclusive(tmp_path / "lock", timeout=0):
        pass


def _add_all(folder: str, first: int, count: int, size: int) -> None:
    catalog = Catalog(Path(folder))
    for start in range(first, first + count, size):
        catalog.add("photos", photos(start, min(size, first + count - start)))


def test_two_processes_add_the_same_ids_once(catalog: Catalog) -> None:
    """Both race to make the table, too; then each adds 1,000 ids in batches of 100."""
    writers = [
        SPAWN.Process(target=_add_all, args=(str(catalog.folder), 0, 1000, 100)) for _ in "ab"
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    seqs = catalog.rows("photos", ["seq"]).column(0).to_pylist()
    assert catalog.count("photos") == len(catalog.ids("photos")) == len(set(seqs)) == 1000


def _merge_without_a_lock(path: str, ready: object, go: object) -> None:
    """What a foreign tool would do: merge the same ids through a handle of its own."""
    stale = lance.dataset(path)
    rows = pa.Table.from_pylist(photos(0, 1000), schema=TABLES["photos"].arrow())
    ready.set()
    go.wait(60)
    stale.merge_insert("photo_id").when_not_matched_insert_all().execute(rows)


def test_two_processes_upsert_the_same_ids_through_stale_handles(catalog: Catalog) -> None:
    """The primary key alone, without the lock: both handles are older than both commits."""
    catalog.add("photos", [{"photo_id": "first"}])
    go = SPAWN.Event()
    ready = [SPAWN.Event() for _ in "ab"]
    path = str(catalog.folder / "photos.lance")
    writers = [
        SPAWN.Process(target=_merge_without_a_lock, args=(path, event, go)) for event in ready
    ]
    for writer in writers:
        writer.start()
    assert all(event.wait(60) for event in ready)
    go.set()
    for writer in writers:
        writer.join(120)
    assert catalog.count("photos") == len(catalog.ids("photos")) == 1001
    assert any(writer.exitcode == 0 for writer in writers)


def test_one_stale_handle_after_the_other(catalog: Catalog) -> None:
    catalog.add("photos", [{"photo_id": "first"}])
    stale = [lance.dataset(catalog.folder / "photos.lance") for _ in "ab"]
    rows = pa.Table.from_pylist(photos(0, 1000), schema=TABLES["photos"].arrow())
    for handle in stale:
        handle.merge_insert("photo_id").when_not_matched_insert_all().execute(rows)
    assert catalog.count("photos") == len(catalog.ids("photos")) == 1001


KILLED_WRITER = """
    import sys
    from pathlib import Path
    from garments.catalog import Catalog
    from garments.catalog.rows import photo_row
    from garments.records import Photo

    catalog = Catalog(Path(sys.argv[1]))
    for number in range(int(sys.argv[2])):
        ids = [f"{i:016x}" for i in range(number * 20, number * 20 + 20)]
        catalog.add("photos", [photo_row(Photo(name, 6, 8)) for name in ids])
        catalog.add("extractions", [{"extraction_id": name, "kind": "run"} for name in ids])
        if number == 0:
            print("going", flush=True)
        if number % 7 == 6:
            catalog.optimize()
"""


@pytest.mark.faults
@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_killed_writer_leaves_a_whole_catalogue(catalog: Catalog, turn: int) -> None:
    """Kill a writer at two random moments, look, and let the third one finish."""
    batches, clock = 25, random.Random(turn)
    command = [sys.executable, "-c", textwrap.dedent(KILLED_WRITER), str(catalog.folder)]
    for _ in range(2):
        _kill_after([*command, str(batches)], clock.uniform(0, 0.4))
        assert catalog.count("photos") == len(catalog.ids("photos"))
        assert catalog.count("photos") % 20 == 0, "a batch is there wholly or not at all"
        assert catalog.ids("extractions") <= catalog.ids("photos")
    subprocess.run([*command, str(batches)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert catalog.ids("photos") == {f"{i:016x}" for i in range(batches * 20)}
    assert catalog.count("photos") == catalog.count("extractions") == batches * 20
    seqs = [catalog.rows(table, ["seq"]).column(0).to_pylist() for table in TABLES]
    every = [number for numbers in seqs for number in numbers]
    assert len(every) == len(set(every))


def _kill_after(command: list[str], seconds: float) -> None:
    """Start a writer and kill it some time after it has begun to write."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("left", ["nothing", "data"])
def test_a_table_whose_making_was_killed_is_made_again(catalog: Catalog, left: str) -> None:
    (catalog.folder / "photos.lance" / "_versions").mkdir(parents=True)
    if left == "data":
        (catalog.folder / "photos.lance" / "data").mkdir()
        (catalog.folder / "photos.lance" / "data" / "half.lance").write_bytes(b"half")
    assert catalog.count("photos") == 0
    assert catalog.add("photos", photos(0, 2)) == 2


FULL_DISK = """
    import resource, sys
    from pathlib import Path
    from garments.catalog import Catalog
    from garments.errors import CatalogError

    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    catalog = Catalog(Path(sys.argv[1]))
    catalog.add("photos", [{"photo_id": "small"}])
    try:
        catalog.add("photos", [{"photo_id": "large", "reason": "x" * 3_000_000}])
    except CatalogError as error:
        print(error)
        raise SystemExit(1)
"""


def test_a_full_disk_is_reported_and_keeps_what_was_finished(catalog: Catalog) -> None:
    """A limit on the size of files stands in for the disk."""
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(catalog.folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1, ended.stderr
    assert "free some disk space and run the same command again" in ended.stdout
    assert catalog.ids("photos") == {"small"}
    assert catalog.add("photos", [{"photo_id": "large"}]) == 1
