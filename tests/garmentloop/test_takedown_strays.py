"""Files that nobody expects in a data set's folder are found, and what can go of them goes."""

import gzip
import json
import lzma
import random
import re
import shutil
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from withdrawing import PHOTOS, command, down, extract, held, here, photo_file, traces, write_photo

from garments.ids import content_id
from garments.packed import within_packed
from garments.scrub import Terms, drop_lines, mask

TERM = "0123456789abcdef"


def test_originals_copies_links_and_sidecars_inside_of_the_data_set_go(dataset):
    name = "2024-05-01_10-00-00_UTC"
    folder = dataset.folder / "originals"
    inside = write_photo(folder / f"{name}.png", PHOTOS)
    extract(dataset, inside)
    shutil.copy(inside, folder / "copy.jpg")
    shutil.copy(photo_file(dataset.folder.parent, 1), folder / "other.png")
    (folder / "link.png").symlink_to(inside)
    (folder / f"{name}.json.xz").write_bytes(lzma.compress(b"{}"))
    photo = content_id(inside.read_bytes())
    assert held(dataset.folder, {photo, name})
    assert not [note for note in down(dataset, str(inside)) if "stay" in note]
    assert [path.name for path in folder.iterdir()] == ["other.png"]
    assert held(dataset.folder, {photo, name}) == []


def test_what_was_exported_into_the_folder_is_told_and_what_hides_nothing_is_not(dataset):
    terms, ids = traces(dataset, 0), [here(dataset, number) for number in range(PHOTOS)]
    table, other = dataset.folder / "photos.parquet", dataset.folder / "others.parquet"
    pq.write_table(pa.table({"photo_id": ids}), table)
    pq.write_table(pa.table({"photo_id": ids[1:]}), other)
    log, broken = dataset.run / "old.log.gz", dataset.run / "broken.zip"
    log.write_bytes(gzip.compress("\n".join(ids).encode()))
    broken.write_bytes(b"PK\x03\x04 and no more")
    (dataset.folder / "todo.txt").write_text(f"see 0000.png\nsee {ids[1]}\n")
    (dataset.folder / "state.json").write_text(json.dumps({"photo": ids[0], "n": 1}))
    told = command(dataset, ids[0], "--yes")
    assert told.exit_code == 1
    for path in (table, log):
        name = path.relative_to(dataset.folder)
        assert f"{name} still names it, packed away; look at it, and delete it" in told.output
        path.unlink()
    assert "run/broken.zip could not be looked into" in told.output
    assert "others.parquet" not in told.output
    told = command(dataset)
    assert told.exit_code == 0, told.output
    assert held(dataset.folder, terms) == []
    assert (dataset.folder / "todo.txt").read_text() == f"see {ids[1]}\n"
    assert json.loads((dataset.folder / "state.json").read_text())["n"] == 1


def test_what_files_pack_is_found(tmp_path):
    def file(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    text = f"a {TERM} b".encode()
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.txt", text)
    np.savez_compressed(tmp_path / "a.npz", names=np.array(["other", TERM]))
    np.save(tmp_path / "a.npy", np.array([TERM]))
    file("a.gz", gzip.compress(text))
    file("a.xz", lzma.compress(text))
    pq.write_table(pa.table({"x": [TERM]}), tmp_path / "a.parquet")
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == 6
    for path in paths:
        assert within_packed(path, Terms({TERM})), path.name
        assert not within_packed(path, Terms({"f" * 16}, {"none.jpg"})), path.name
    assert not within_packed(file("plain", text), Terms({TERM})), "that is looked at elsewhere"
    with pytest.raises(OSError, match="cannot be unpacked"):
        within_packed(file("b.gz", gzip.compress(text)[:-9]), Terms({"f" * 16}))


def test_lines_and_names_are_scrubbed_exactly(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("a/1.jpg\na/21.jpg\n" + "a" * 16 + "\n", encoding="utf-8")
    terms = Terms({"a" * 16}, {"1.jpg"})
    assert drop_lines(path, terms) == 2 and path.read_text() == "a/21.jpg\n"
    path.write_text(json.dumps({"x": "a" * 16}), encoding="utf-8")
    assert mask(path, terms) and json.loads(path.read_text()) == {"x": "x" * 16}
    assert not mask(path, terms) and drop_lines(tmp_path / "none", terms) == 0


def test_words_take_the_place_of_names_in_a_text():
    terms = Terms({TERM}, {"é.jpg", "1.jpg"})
    text = f"see é.jpg and {TERM}{TERM}, not 21.jpg ü"
    assert terms.replaced(text, "-") == "see - and --, not 21.jpg ü"


def test_names_are_found_as_the_plain_way_finds_them():
    for seed in range(40):
        chance = random.Random(seed)
        data = bytes(chance.choice(b"0123456789abcdef" * 3 + b"g.-_ij") for _ in range(300))
        ids = {data[at : at + 16] for at in range(285) if chance.random() < 0.5}
        ids = {one for one in ids if re.fullmatch(rb"[0-9a-f]{16}", one)}
        names = {data[at : at + chance.randrange(1, 8)] for at in range(8)}
        forms = [(one, b"", b"") for one in ids]
        forms += [(one, rb"(?<![\w-])", rb"(?![\w-])") for one in names]
        expected = {
            (found.start(), found.start() + len(one))
            for one, before, after in forms
            for found in re.finditer(before + b"(?=" + re.escape(one) + after + b")", data)
        }
        assert expected, "else the comparison would prove nothing"
        terms = Terms({one.decode() for one in ids}, {one.decode() for one in names})
        assert set(terms.spans(data)) == expected, seed
