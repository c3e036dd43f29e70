"""Data set folders and their settings."""

import multiprocessing
import shutil
from pathlib import Path

import pytest

from garments.boxes import Box
from garments.catalog.rows import (
    garment_row,
    person_row,
    photo_row,
    retire_row,
    run_row,
    source_row,
)
from garments.dataset import Dataset, crop_name
from garments.errors import BadSetting, DatasetError
from garments.parts import Region
from garments.records import Garment, Person, Photo, PhotoState, Source, Verdict
from garments.settings import Settings, parse_settings, read_settings, settings_toml
from garments.status import status
from garments.taxonomy import Taxonomy


def test_a_new_data_set_has_settings_and_a_taxonomy(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "new" / "street")
    assert dataset.settings == Settings(name="street")
    assert dataset.taxonomy == Taxonomy.default()
    assert sorted(path.name for path in dataset.folder.iterdir()) == [
        "catalog",
        "dataset.toml",
        "taxonomy.toml",
    ]


def test_options_of_a_new_data_set(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "d", name="Spring", detector="hf:a/b", parser="dir:c")
    assert dataset.settings.name == "Spring"
    models = dataset.settings.models
    assert (models.detector, models.parser, models.tagger) == ("hf:a/b", "dir:c", "starter")


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(DatasetError, match="new or empty folder"):
        Dataset.create(tmp_path)
    with pytest.raises(
        DatasetError, match=r"has no dataset\.toml; make one with `garmentloop init"
    ):
        Dataset.open(tmp_path)
    with pytest.raises(DatasetError, match="new or empty folder"):
        Dataset.create(tmp_path / "holiday.jpg")
    with pytest.raises(DatasetError, match="does not exist; make one with `garmentloop init"):
        Dataset.open(tmp_path / "nowhere")
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_an_existing_data_set_is_not_made_again(tmp_path: Path) -> None:
    Dataset.create(tmp_path / "d", name="first")
    with pytest.raises(DatasetError, match="is a data set already"):
        Dataset.create(tmp_path / "d")
    assert Dataset.open_or_create(tmp_path / "d").settings.name == "first"


def test_a_killed_init_is_finished_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "d" / "catalog").mkdir(parents=True)
    (tmp_path / "d" / ".new-1-dataset.toml").write_text("form")
    assert Dataset.open_or_create(tmp_path / "d").settings.name == "d"


def _open_or_create(folder: str) -> None:
    Dataset.open_or_create(folder).catalog.add("rounds", [{"round_id": "first"}])


def test_two_processes_make_one_data_set(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_open_or_create, args=(str(tmp_path / "d"),)) for _ in "ab"]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    assert Dataset.open(tmp_path / "d").catalog.count("rounds") == 1


def test_another_format_is_refused(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "d")
    file = dataset.folder / "dataset.toml"
    file.write_text(file.read_text().replace("format = 1", "format = 2"))
    with pytest.raises(DatasetError, match="has format 2; use the version"):
        Dataset.open(tmp_path / "d")


def test_moving_the_folder_moves_everything(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "d", name="kept")
    dataset.catalog.add("photos", [photo_row(Photo("p", 1, 1))])
    dataset.crop_path("abcd").parent.mkdir(parents=True)
    dataset.crop_path("abcd").write_bytes(b"crop")
    shutil.move(tmp_path / "d", tmp_path / "elsewhere")
    moved = Dataset.open(tmp_path / "elsewhere")
    assert moved.settings.name == "kept"
    assert moved.catalog.ids("photos") == {"p"}
    assert moved.crop_path("abcd").read_bytes() == b"crop"
    here = str(tmp_path).encode()
    files = [path for path in moved.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if here in path.read_bytes()], "no absolute path inside"


def test_where_files_go(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "d")
    assert crop_name("abcd") == "crops/ab/abcd.jpg"
    assert dataset.crop_path("abcd") == tmp_path / "d" / "crops" / "ab" / "abcd.jpg"
    assert dataset.preview_path("abcd") == tmp_path / "d" / "previews" / "ab" / "abcd.jpg"
    places = (dataset.models, dataset.releases, dataset.run, dataset.reports)
    assert [path.name for path in places] == ["models", "releases", "run", "report"]


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    changes = {"crops.regions": ["feet", "upper"], "framing.min_height_share": 0.125}
    changes |= {"simulated": True, "prelabel.color_by": "a\n\x7f"}
    settings = Settings(name='a "b" \\ c ☃').changed(changes)
    (tmp_path / "dataset.toml").write_text(settings_toml(settings), encoding="utf-8")
    assert read_settings(tmp_path / "dataset.toml") == settings


def test_every_setting_is_explained() -> None:
    lines = settings_toml(Settings()).splitlines()
    assert all("  # " in line for line in lines if " = " in line)
    assert "# How garments are cut out of a photo." in lines


def test_changed_settings_are_checked_and_kept(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "d")
    dataset.change({"crops.margin": 0.1})
    assert Dataset.open(tmp_path / "d").settings.crops.margin == 0.1
    with pytest.raises(BadSetting, match=r"crops\.margin"):
        dataset.change({"crops.margin": 7})
    assert Dataset.open(tmp_path / "d").settings == dataset.settings


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"crops": {"margn": 1}}, r"unknown setting crops\.margn, did you mean crops\.margin\?"),
        ({"crop": {}}, "unknown setting crop, did you mean crops"),
        ({"xyz": 1}, "unknown setting xyz, expected one of format, name"),
        ({"crops": {"margin": 3}}, r"crops\.margin: value should be less.*but got 3"),
        ({"crops": {"regions": ["uper"]}}, "expected regions of upper, .*but got uper"),
        ({"crops": {"background": "pink"}}, r"crops\.background: .*'keep', 'blur'.*'pink'"),
        ({"extract": {"batch": "many"}}, r"extract\.batch: .*integer.*'many'"),
        ({"models": 3}, "models: .*got 3"),
        ({"name": "two\n---"}, r"name: expected a name on one line, but got 'two\\n---'"),
    ],
)
def test_wrong_settings_are_named(data: dict, message: str) -> None:
    with pytest.raises(BadSetting, match=message):
        parse_settings(data, "dataset.toml")


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe"])
def test_a_damaged_settings_file_is_named(tmp_path: Path, content: bytes) -> None:
    Dataset.create(tmp_path / "d")
    (tmp_path / "d" / "dataset.toml").write_bytes(content)
    with pytest.raises(BadSetting, match=r"expected TOML in .*dataset\.toml"):
        Dataset.open(tmp_path / "d")


def test_status_counts_what_holds_now(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "d")
    empty = status(dataset)
    assert (empty.photos, empty.garments, empty.last_extraction) == ({}, {}, None)

    catalog, box = dataset.catalog, Box(0, 0, 1, 1)
    catalog.add("photos", [photo_row(Photo(name, 1, 1)) for name in "pq"])
    catalog.add("photos", [photo_row(Photo("bad", 0, 0, PhotoState.UNREADABLE, "torn"))])
    catalog.add("sources", [source_row(Source("s", "gone.jpg", reason="missing"))])
    people = [Person(n, p, box, 1, Verdict.ACCEPTED) for n, p in ("ap", "bq")]
    garments = [
        Garment(name, "p", "a", region, box, None, 0, "c")
        for name, region in (("g", Region.UPPER), ("h", Region.LOWER), ("i", Region.UPPER))
    ]
    catalog.add("people", [person_row(person, "one") for person in people])
    catalog.add("garments", [garment_row(garment, "one") for garment in garments])
    catalog.add("extractions", [run_row(photo, "one", 1, 1) for photo in "pq"])
    catalog.add("labels", [{"label_id": "l", "kind": "annotator"}])
    counted = status(dataset)
    assert counted.photos == {"ok": 2, "unreadable": 1}
    assert (counted.unread, counted.extracted, counted.retired) == (1, 2, 0)
    assert counted.people == {"accepted": 2}
    assert counted.garments == {"lower": 1, "upper": 2}
    assert counted.labels == {"annotator": 1}
    assert counted.last_extraction is not None

    cut = Person("c", "p", box, 1, Verdict.CUT_OFF)
    catalog.put("people", [person_row(cut, "two")])
    catalog.add("extractions", [retire_row(garments[0], "two"), run_row("p", "two", 1, 2)])
    counted = status(dataset)
    assert counted.people == {"accepted": 1, "cut_off": 1}
    assert counted.garments == {"lower": 1, "upper": 1}
    assert (counted.extracted, counted.retired) == (2, 1)
