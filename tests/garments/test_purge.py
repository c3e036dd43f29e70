"""Rows that were taken out of the catalogue are in no version, index, transaction or stray file."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections import defaultdict
from pathlib import Path

import lance
import pytest

from garments.boxes import Box
from garments.catalog import TABLES, Catalog
from garments.catalog.belongings import Belongings, belongings, photos_of_handle, versions
from garments.catalog.purge import left, purge, tags_with
from garments.catalog.rows import garment_row, person_row, photo_row, run_row, source_row
from garments.parts import Region
from garments.records import Garment, Person, Photo, Source, Verdict

ROOT = Path(__file__).parents[2]
BOX = Box(0, 0, 2, 2)


def name(kind: int, number: int) -> str:
    return f"{kind:04x}{number:012x}"


def photo(number: int) -> str:
    return name(0xA, number)


def garment(number: int) -> str:
    return name(0xB, number)


def crop(number: int) -> str:
    return name(0xC, number)


def fill(catalog: Catalog, numbers: range, again: bool = False) -> None:
    """A photo with a person and a garment for each number, and a row of everything about it."""
    rows: dict[str, list] = defaultdict(list)
    for at in numbers:
        cut = crop(at + 1000 if again else at)
        handle, own = f"@Hand{at % 3}", {"garment_id": garment(at), "crop_sha": cut}
        source = Source(name(1, at), f"/far/IMG_{at}.jpg", photo(at), handle=handle, licence="CC0")
        made = Garment(garment(at), photo(at), name(2, at), Region.UPPER, BOX, None, 2, cut)
        rows["photos"].append(photo_row(Photo(photo(at), 4, 4)))
        rows["sources"].append(source_row(source))
        person = Person(name(2, at), photo(at), BOX, 0.5, Verdict.ACCEPTED)
        rows["people"].append(person_row(person))
        rows["garments"].append(garment_row(made))
        rows["extractions"].append(run_row(photo(at), "c", 1, 1))
        rows["proposals"].append({"proposal_id": name(3, at), **own, "logits": [0.5]})
        rows["tasks"].append({"task_id": name(4, at), **own, "shown": "{}"})
        rows["labels"].append({"label_id": name(5, at), **own, "value": "[]"})
        rows["decisions"].append({"decision_id": name(6, at), "garment_id": garment(at)})
        group = {"garment_id": garment(at), "group": photo(at - at % 2)}
        rows["splits"].append({"split_id": name(7, at), **group})
        rows["vectors"].append((garment(at), cut, [0.6, 0.8]))
    catalog.add_embeddings("m", *zip(*rows.pop("vectors"), strict=True))
    for table, some in rows.items():
        write = catalog.put if TABLES[table].replaceable else catalog.add
        write(table, some)


def bytes_hold(catalog: Catalog, *terms: str) -> list[str]:
    """Files of the catalogue in which any of these stands, as it is, compressed or not."""
    return [
        str(path.relative_to(catalog.folder))
        for path in catalog.folder.rglob("*")
        if path.is_file() and any(term.encode() in path.read_bytes() for term in terms)
    ]


def rows_hold(catalog: Catalog, *terms: str) -> list[str]:
    """Tables in any version of which a row has any of these in any column."""
    found = []
    for table in catalog.tables():
        for version in versions(catalog, table):
            text = json.dumps(version.to_table().to_pylist(), default=str)
            found += [f"{table} {version.version}" for term in terms if term in text]
    return found


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    made = Catalog(tmp_path / "catalog")
    fill(made, range(6))
    return made


def terms(at: int) -> tuple[str, ...]:
    return (photo(at), garment(at), crop(at), *(name(kind, at) for kind in range(1, 8)))


def test_a_photo_brings_all_that_is_its_own(catalog: Catalog) -> None:
    found = belongings(catalog, [photo(2)])
    assert found.garments == {garment(2)} and found.people == {name(2, 2)}
    assert found.crops == {crop(2)} and found.tasks == {name(4, 2)}
    assert found.origins == {"/far/IMG_2.jpg"} and found.file_names == {"IMG_2.jpg"}
    assert found.groups == {photo(2): photo(3)}, "photo 3 stays in a group that 2 has named"


def test_nothing_of_it_is_left_in_any_version(catalog: Catalog) -> None:
    what = belongings(catalog, [photo(2)])
    assert bytes_hold(catalog, *terms(2)), "else the search would prove nothing"
    counts = purge(catalog, what)
    assert counts["photos"] == counts["labels"] == counts["embeddings_2"] == 1
    assert not bytes_hold(catalog, *terms(2), "IMG_2.jpg")
    assert not rows_hold(catalog, *terms(2), "IMG_2.jpg")
    assert not left(catalog, what)


def test_the_others_keep_every_row(catalog: Catalog) -> None:
    before = {t: catalog.rows(t).to_pylist() for t in catalog.tables()}
    purge(catalog, belongings(catalog, [photo(2)]))
    for table, rows in before.items():
        kept = [row for row in rows if photo(2) != row.get("photo_id")]
        kept = [row for row in kept if garment(2) != row.get("garment_id")]
        now = sorted(catalog.rows(table).to_pylist(), key=lambda row: row["seq"])
        for row in kept:
            if row.get("group") == photo(2):
                row["group"] = photo(3)
        assert now == sorted(kept, key=lambda row: row["seq"]), table
    fill(catalog, range(6, 8))
    assert catalog.count("labels") == 7, "and it can be written on"


def test_crops_of_an_earlier_cut_are_found_in_old_versions(catalog: Catalog) -> None:
    fill(catalog, range(2, 3), again=True)
    assert belongings(catalog, [photo(2)]).crops == {crop(2), crop(1002)}


def test_a_crop_that_another_photo_has_too_stays(catalog: Catalog) -> None:
    same = Garment(garment(5), photo(5), None, Region.UPPER, BOX, None, 2, crop(2))
    catalog.put("garments", [garment_row(same)])
    assert not belongings(catalog, [photo(2)]).crops


def test_tags_on_versions_that_have_it_are_dropped_from_every_table(catalog: Catalog) -> None:
    early = Catalog(catalog.folder.parent / "early")
    fill(early, range(1))
    for tag, reaches in (("before", range(2)), ("after", range(2, 4))):
        for table in ("photos", "labels", "sources"):
            found = lance.dataset(early.folder / f"{table}.lance")
            found.tags.create(tag, found.version)
        fill(early, reaches)
    what = belongings(early, [photo(1)])
    assert tags_with(early, what) == {"after"}
    purge(early, what)
    tags = {t: {*early.newest(t).tags.list()} for t in ("photos", "labels", "sources")}
    assert tags == {table: {"before"} for table in tags}
    assert not rows_hold(early, *terms(1)) and not bytes_hold(early, *terms(1))
    old = lance.dataset(early.folder / "photos.lance", version="before")
    assert old.to_table().column("photo_id").to_pylist() == [photo(0)]


def test_an_index_that_holds_it_is_dropped(catalog: Catalog) -> None:
    found = lance.dataset(catalog.folder / "labels.lance")
    found.create_scalar_index("garment_id", "BTREE")
    assert any("_indices" in path for path in bytes_hold(catalog, garment(2)))
    purge(catalog, belongings(catalog, [photo(2)]))
    assert not bytes_hold(catalog, garment(2))


def test_mentions_in_free_text_are_written_over(catalog: Catalog) -> None:
    note = f"see {garment(2)}, it's the same"
    catalog.add(
        "decisions", [{"decision_id": "d", "garment_id": garment(4), "kind": "note", "note": note}]
    )
    catalog.add("rounds", [{"round_id": "r/x", "kind": "x", "details": f'"{photo(2)}"'}])
    evidence = '{"worst": "/far/IMG_2.jpg", "next": "IMG_22.jpg"}'
    catalog.add("promotions", [{"promotion_id": "p", "who": "cora", "evidence": evidence}])
    purge(catalog, belongings(catalog, [photo(2)]))
    (row,) = catalog.rows("decisions", ["note"], "decision_id = 'd'").to_pylist()
    assert row["note"] == "see withdrawn, it's the same"
    (row,) = catalog.rows("promotions", ["who", "evidence"]).to_pylist()
    assert row == {"who": "cora", "evidence": '{"worst": "withdrawn", "next": "IMG_22.jpg"}'}
    own = *terms(2), "IMG_2.jpg"
    assert not bytes_hold(catalog, *own) and not rows_hold(catalog, *own)


def test_files_that_a_dead_writer_left_are_cleaned_up(catalog: Catalog) -> None:
    stray = catalog.folder / "photos.lance" / "data" / ("0" * 44 + ".lance")
    stray.write_bytes(photo(2).encode())
    purge(catalog, belongings(catalog, [photo(2)]))
    assert not stray.exists()


def test_a_file_that_only_it_was_in_leaves_no_command_with_its_name(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog")
    fill(catalog, range(1))
    fill(catalog, range(1, 2))  # in files of its own, which go as a whole
    purge(catalog, belongings(catalog, [photo(1)]))
    assert not bytes_hold(catalog, *terms(1)) and catalog.count("photos") == 1
    purge(catalog, belongings(catalog, [photo(0)]))
    assert not bytes_hold(catalog, *terms(0)) and catalog.count("photos") == 0


def test_done_again_it_changes_nothing(catalog: Catalog) -> None:
    what = belongings(catalog, [photo(2), photo(3)])
    purge(catalog, what)
    assert purge(catalog, what) == {} and catalog.count("photos") == 4


def test_a_handle_is_compared_as_people_write_it(catalog: Catalog) -> None:
    assert photos_of_handle(catalog, " hand1 ") == [photo(1), photo(4)]
    assert photos_of_handle(catalog, "nobody") == []


def test_files_of_a_handle_that_could_not_be_read_belong_to_it(catalog: Catalog) -> None:
    lost = Source(name(9, 1), "/far/broken.jpg", None, handle="hand1")
    elsewhere = Source(name(9, 2), "/far/IMG_1.jpg", None)
    catalog.add("sources", [source_row(lost), source_row(elsewhere)])
    assert {name(9, 1), name(9, 2)} <= belongings(catalog, [photo(1)], "hand1").sources
    assert name(9, 1) not in belongings(catalog, [photo(1)]).sources


PURGE = """
import json, os, signal, sys
from pathlib import Path
from garments.catalog import TABLES, Catalog
from garments.catalog import purge as module
from garments.catalog.belongings import Belongings
content = json.loads(sys.argv[2])
what = Belongings(**{k: v if k == "groups" else frozenset(v) for k, v in content.items()})
count = 0
def deadly(step):
    def call(*args, **kwargs):
        global count
        count += 1
        if count == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **kwargs)
    return call
for step in ("_delete", "_rename_groups", "_rewrite", "drop_tags"):
    setattr(module, step, deadly(getattr(module, step)))
module.purge(Catalog(Path(sys.argv[1])), what)
"""


@pytest.mark.faults
def test_killed_on_the_way_it_finishes_the_next_time(tmp_path: Path, fault_rounds: int) -> None:
    for turn in range(fault_rounds):
        catalog = Catalog(tmp_path / f"catalog-{turn}")
        fill(catalog, range(4))
        what = belongings(catalog, [photo(1), photo(2)])
        content = json.dumps({k: v if k == "groups" else [*v] for k, v in vars(what).items()})
        step = 2 + turn * 13 % 32
        arguments = [sys.executable, "-c", textwrap.dedent(PURGE), str(catalog.folder), content]
        done = subprocess.run(
            [*arguments, str(step)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
        )
        assert done.returncode == -signal.SIGKILL
        purge(catalog, what)
        assert not left(catalog, what) and not bytes_hold(catalog, *terms(1), *terms(2))
        assert catalog.count("labels") == 2


def test_names_that_other_photos_have_too_are_not_its_own(catalog: Catalog) -> None:
    again = Source(name(9, 3), "/near/IMG_2.jpg", photo(4))
    later = Source(name(9, 4), "/far/IMG_3.jpg", photo(5))
    catalog.add("sources", [source_row(again), source_row(later)])
    found = belongings(catalog, [photo(2), photo(3)])
    assert found.origins == {"/far/IMG_2.jpg"} and found.file_names == frozenset()


@pytest.mark.parametrize(
    ("origin", "file_names"),
    [
        ("https://far/IMG_9.jpg?size=2", {"IMG_9.jpg"}),
        ("/far/2024-05-01_UTC_1", {"2024-05-01_UTC_1"}),
        ("https://far/photos/image", set()),
        ("https://far/id/12", set()),
        ("https://far/v/1.0", set()),
    ],
)
def test_words_that_stand_everywhere_are_no_names_of_files(catalog, origin, file_names) -> None:
    catalog.add("photos", [photo_row(Photo(photo(9), 4, 4))])
    catalog.add("sources", [source_row(Source(name(1, 9), origin, photo(9)))])
    found = belongings(catalog, [photo(9)])
    assert found.origins == {origin} and found.file_names == file_names


def test_what_belongs_to_nothing_is_nothing(tmp_path: Path) -> None:
    empty = Catalog(tmp_path / "catalog")
    assert belongings(empty, []) == Belongings(frozenset())
    assert purge(empty, belongings(empty, [photo(1)])) == {}
