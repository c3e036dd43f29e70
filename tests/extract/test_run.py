"""The whole run: what is recorded, what a second run does, other models, bad input."""

import csv
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from standins import PaintDetector, PaintParser, canvas, paint_person, write_streets

from extract.options import Progress
from extract.report.summary import summarise
from extract.run import Plan, RunOptions, plan, run
from garments.boxes import Box
from garments.catalog.rows import garment_from_row, photo_from_row
from garments.dataset import Dataset
from garments.errors import BadSetting, BadSource, DatasetError, UnknownModel
from garments.ids import content_id
from garments.images import decode
from garments.masks import mask_box
from garments.parts import Region
from garments.records import PhotoState

FAST = RunOptions(workers=2, batch=4)


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def extract(dataset, *inputs, options=FAST, detector=None, parser=None) -> Progress:
    detector, parser = detector or PaintDetector(), parser or PaintParser()
    texts = [str(one) for one in inputs]
    *_, last = run(dataset, texts, options, detector=detector, parser=parser)
    return last


def one_person(folder: Path, name: str = "one.png", size=(240, 320), **kwargs) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pixels = canvas(*size)
    paint_person(pixels, 60, 20, 280, **kwargs)
    Image.fromarray(pixels).save(folder / name)
    return folder / name


def active(dataset, *columns):
    return dataset.catalog.active_garments(columns=list(columns)).to_pylist()


def test_a_person_and_two_garments_are_recorded(dataset, tmp_path):
    path = one_person(tmp_path / "in")
    end = extract(dataset, path)
    assert end == Progress(photos=1, people=1, accepted=1, garments=2, total=1)
    catalog = dataset.catalog
    (photo,) = (photo_from_row(row) for row in catalog.rows("photos").to_pylist())
    assert photo.photo_id == content_id(path.read_bytes())
    assert (photo.width, photo.height, photo.state) == (240, 320, PhotoState.OK)
    assert len(photo.phash) == 16
    (source,) = catalog.rows("sources").to_pylist()
    assert source["origin"].endswith("one.png") and source["photo_id"] == photo.photo_id
    (person,) = catalog.rows("people").to_pylist()
    assert person["verdict"] == "accepted" and person["photo_id"] == photo.photo_id
    garments = [garment_from_row(row) for row in catalog.rows("garments").to_pylist()]
    assert {g.region for g in garments} == {Region.UPPER, Region.LOWER}
    for garment in garments:
        assert garment.person_id == person["person_id"]
        assert garment.mask is not None and garment.mask.area == garment.area
        assert mask_box(garment.mask.decode()) == garment.box
        crop = dataset.crop_path(garment.crop_sha).read_bytes()
        assert content_id(crop) == garment.crop_sha
        assert max(decode(crop).pixels.shape) <= 256
    assert dataset.preview_path(photo.photo_id).is_file()
    (done,) = catalog.rows("extractions").to_pylist()
    assert (done["kind"], done["people"], done["garments"]) == ("run", 1, 2)


def test_a_second_run_changes_nothing_and_needs_no_model(dataset, tmp_path):
    folder = write_streets(tmp_path / "in", 7)
    first = extract(dataset, folder)
    before = {name: dataset.catalog.rows(name) for name in ("sources", "people", "garments")}
    parser = PaintParser()
    again = extract(dataset, folder, parser=parser)
    assert (again.skipped, again.photos, again.total) == (first.photos, 0, 7)
    assert parser.calls == 0
    for name, rows in before.items():
        assert dataset.catalog.rows(name).equals(rows), name


def test_progress_counts_up_to_the_total(dataset, tmp_path):
    folder = write_streets(tmp_path / "in", 9)
    detector, parser = PaintDetector(), PaintParser()
    events = list(run(dataset, [str(folder)], FAST, detector=detector, parser=parser))
    assert [event.done for event in events] == [*range(1, 10), 9]
    assert events[-1].total == 9
    assert all(event.total in (None, 9) for event in events)


def test_an_empty_folder_is_no_error(dataset, tmp_path):
    (tmp_path / "in").mkdir()
    assert extract(dataset, tmp_path / "in") == Progress(total=0)


def test_a_missing_path_is_named(dataset, tmp_path):
    with pytest.raises(BadSource, match="nowhere"):
        extract(dataset, tmp_path / "nowhere")


def test_an_unknown_model_says_so_before_anything_is_read(dataset, tmp_path):
    one_person(tmp_path / "in")
    with pytest.raises(UnknownModel, match="detectr"):
        list(run(dataset, [str(tmp_path / "in")], RunOptions(detector="detectr")))
    assert dataset.catalog.count("photos") == 0


def test_options_are_checked_like_settings(dataset, tmp_path):
    with pytest.raises(BadSetting, match="regions"):
        extract(dataset, tmp_path, options=replace(FAST, regions=("sleeve",)))


def test_regions_and_background_can_be_chosen(dataset, tmp_path):
    path = one_person(tmp_path / "in")
    everything = replace(FAST, regions=("upper", "feet"), background="white")
    extract(dataset, path, options=everything)
    found = active(dataset, "region", "crop_sha")
    assert {row["region"] for row in found} == {"upper", "feet"}
    crop = decode(dataset.crop_path(found[0]["crop_sha"]).read_bytes()).pixels
    assert crop[0, 0].min() > 250


def test_limit_takes_the_first_sources(dataset, tmp_path):
    folder = write_streets(tmp_path / "in", 5)
    limited = replace(FAST, limit=2)
    assert extract(dataset, folder, options=limited).photos == 2
    assert extract(dataset, folder, options=limited).skipped == 2
    assert extract(dataset, folder).photos == 3


def test_a_plan_counts_and_writes_nothing(dataset, tmp_path):
    folder = write_streets(tmp_path / "in", 4)
    shutil.copy(folder / "0001.png", folder / "copy.png")
    models = {"detector": PaintDetector(), "parser": PaintParser()}
    assert plan(dataset, [str(folder)], FAST, **models) == Plan(found=5, new=4, duplicates=1)
    assert dataset.catalog.count("sources") == 0
    list(run(dataset, [str(folder)], replace(FAST, limit=2), **models))
    foreseen = plan(dataset, [str(folder)], FAST, **models)
    assert foreseen == Plan(found=5, new=2, done=3)  # the copy is of a finished photo
    assert "2 to extract" in str(foreseen)
    dry = list(run(dataset, [str(folder)], replace(FAST, dry_run=True), **models))
    assert (dry[-1].skipped, dry[-1].photos) == (3, 0)
    assert dataset.catalog.count("photos") == 2


def test_a_photo_under_two_names_is_one_photo_with_two_sources(dataset, tmp_path):
    path = one_person(tmp_path / "in")
    shutil.copy(path, tmp_path / "in" / "two.png")
    end = extract(dataset, tmp_path / "in")
    assert (end.photos, end.skipped) == (1, 1)
    shutil.copy(path, tmp_path / "in" / "three.png")
    assert extract(dataset, tmp_path / "in").skipped == 3
    assert dataset.catalog.count("photos") == 1
    assert dataset.catalog.count("sources") == 3
    assert dataset.catalog.count("garments") == 2


def bad_inputs(folder: Path) -> dict[str, str]:
    """Files that cannot be used, and a word of the reason that is to be recorded."""
    folder.mkdir()
    (folder / "text.jpg").write_text("this is no picture")
    (folder / "empty.jpg").write_bytes(b"")
    good = folder / "good.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8)).save(good)
    (folder / "cut.jpg").write_bytes(good.read_bytes()[:2000])
    good.unlink()
    huge = b"BM" + (54).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    huge += (40).to_bytes(4, "little") + (60_000).to_bytes(4, "little") * 2
    (folder / "huge.bmp").write_bytes(huge + b"\x01\x00\x18\x00" + bytes(24))
    (folder / "locked.png").write_bytes(b"x")
    (folder / "locked.png").chmod(0)
    reasons = {"text.jpg": "picture", "empty.jpg": "empty", "cut.jpg": "truncated"}
    reasons["huge.bmp"] = "60000"
    if os.geteuid() != 0:  # nothing is forbidden to root
        reasons["locked.png"] = "permission"
    return reasons


def test_bad_input_is_recorded_and_the_rest_goes_on(dataset, tmp_path):
    reasons = bad_inputs(tmp_path / "in")
    one_person(tmp_path / "in", "zz good.png")
    end = extract(dataset, tmp_path / "in")
    assert end.photos == 1 and end.garments == 2
    assert end.unreadable == end.done - 1 == 5
    rows = {Path(row["origin"]).name: row for row in dataset.catalog.rows("sources").to_pylist()}
    for name, word in reasons.items():
        assert rows[name]["state"] == "unreadable"
        assert word in rows[name]["reason"], rows[name]["reason"]
    assert rows["zz good.png"]["state"] == "ok"
    photo = dataset.catalog.rows("photos", where="state = 'unreadable'").to_pylist()
    assert {row["photo_id"] for row in photo} >= {rows["cut.jpg"]["photo_id"]}
    again = extract(dataset, tmp_path / "in")
    assert (again.unreadable, again.skipped) == (5, 1)
    assert dataset.catalog.count("sources") == 6


def test_what_was_missing_and_is_there_now_is_no_longer_unreadable(dataset, tmp_path):
    (tmp_path / "list.csv").write_text("path\nin/one.png\n")
    assert extract(dataset, tmp_path / "list.csv").unreadable == 1
    assert len(summarise(dataset, {}).problems) == 1
    one_person(tmp_path / "in")
    assert extract(dataset, tmp_path / "list.csv").photos == 1
    assert summarise(dataset, {}).problems == []


def test_a_picture_of_one_pixel_has_nobody_on_it(dataset, tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    end = extract(dataset, tmp_path / "dot.png")
    assert (end.photos, end.people) == (1, 0)
    assert extract(dataset, tmp_path / "dot.png").skipped == 1


@pytest.mark.parametrize("name", ["a b.png", 'it\'s "x".png', "line\nbreak.png", "👗.png"])
def test_odd_names_are_kept(dataset, tmp_path, name):
    one_person(tmp_path / "in", name)
    assert extract(dataset, tmp_path / "in").garments == 2
    (row,) = dataset.catalog.rows("sources").to_pylist()
    assert row["origin"].endswith(name)
    assert extract(dataset, tmp_path / "in").skipped == 1


def test_a_photo_turned_by_exif_is_worked_on_upright(dataset, tmp_path):
    upright = canvas(240, 320)
    paint_person(upright, 60, 20, 280)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying = Image.fromarray(np.rot90(upright).copy())
    lying.save(tmp_path / "lying.jpg", exif=exif, quality=98)
    assert extract(dataset, tmp_path / "lying.jpg").garments == 2
    (photo,) = dataset.catalog.rows("photos").to_pylist()
    assert (photo["width"], photo["height"]) == (240, 320)
    boxes = {row["region"]: row for row in active(dataset, "region", "y1", "y2")}
    assert boxes["upper"]["y1"] < boxes["lower"]["y1"]


def test_a_manifest_hands_on_what_it_knows(dataset, tmp_path):
    one_person(tmp_path)
    with (tmp_path / "list.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "handle", "licence", "consent", "taken_at"])
        table.writerow(["one.png", "anna", "CC BY", "yes", "2024-05-01"])
        table.writerow(["gone.png", "bert", "CC BY", "yes", "2024-05-02"])
    end = extract(dataset, tmp_path / "list.csv")
    assert (end.photos, end.unreadable) == (1, 1)
    rows = {row["handle"]: row for row in dataset.catalog.rows("sources").to_pylist()}
    assert rows["anna"]["licence"] == "CC BY" and rows["anna"]["taken_at"].startswith("2024-05-01")
    assert rows["bert"]["state"] == "unreadable"


def test_a_url_that_must_not_be_fetched_is_recorded(dataset):
    end = extract(dataset, "http://127.0.0.1:9/photo.jpg")
    assert end.unreadable == 1
    (row,) = dataset.catalog.rows("sources").to_pylist()
    assert "127.0.0.1" in row["reason"]


def test_product_shots_need_no_models(dataset, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (600, 400, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "shop.png")
    end = extract(dataset, tmp_path / "shop.png", options=replace(FAST, as_crops=True))
    assert (end.photos, end.people, end.garments) == (1, 0, 1)
    (garment,) = (garment_from_row(row) for row in dataset.catalog.rows("garments").to_pylist())
    assert (garment.region, garment.person_id, garment.mask) == (Region.UNKNOWN, None, None)
    assert garment.box == Box(0, 0, 400, 600)
    crop = decode(dataset.crop_path(garment.crop_sha).read_bytes())
    assert (crop.height, crop.width) == (256, 171)
    again = extract(dataset, tmp_path / "shop.png", options=replace(FAST, as_crops=True))
    assert again.skipped == 1


def test_a_photo_larger_than_the_working_size_keeps_its_own_pixels(dataset, tmp_path):
    dataset.change({"extract.working_longest": 160})
    one_person(tmp_path / "in")
    assert extract(dataset, tmp_path / "in").garments == 2
    for garment in map(garment_from_row, dataset.catalog.rows("garments").to_pylist()):
        assert (garment.mask.height, garment.mask.width) == (320, 240)
        assert mask_box(garment.mask.decode()) == garment.box
    (person,) = dataset.catalog.active_people().to_pylist()
    assert (person["y1"], person["y2"]) == pytest.approx((20, 300), abs=4)


def test_another_model_keeps_the_ids_of_what_it_finds_again(dataset, tmp_path):
    folder = write_streets(tmp_path / "in", 6)
    extract(dataset, folder)
    first = {row["garment_id"]: row for row in active(dataset, "garment_id", "crop_sha")}
    people = set(dataset.catalog.active_people(columns=["person_id"])["person_id"].to_pylist())
    other = {"detector": PaintDetector(fingerprint="2"), "parser": PaintParser(0.7, "2")}
    end = extract(dataset, folder, options=replace(FAST, background="white"), **other)
    assert end.skipped == 0
    second = {row["garment_id"]: row for row in active(dataset, "garment_id", "crop_sha")}
    assert second.keys() == first.keys()
    assert all(second[name]["crop_sha"] != first[name]["crop_sha"] for name in first)
    found = dataset.catalog.active_people(columns=["person_id"])["person_id"].to_pylist()
    assert set(found) == people
    assert dataset.catalog.count("extractions", "kind = 'retire'") == 0


def test_what_is_not_found_again_is_retired_and_may_come_back(dataset, tmp_path):
    path = one_person(tmp_path / "in")
    extract(dataset, path)
    before = {row["region"]: row["garment_id"] for row in active(dataset, "region", "garment_id")}
    only_upper = replace(FAST, regions=("upper",))
    extract(dataset, path, options=only_upper)
    assert [row["region"] for row in active(dataset, "region")] == ["upper"]
    assert dataset.catalog.retired_garments() == {before["lower"]}
    # Back to the first configuration: the same garment is there again, under its old id.
    end = extract(dataset, path)
    assert (end.photos, end.skipped) == (1, 0)
    after = {row["region"]: row["garment_id"] for row in active(dataset, "region", "garment_id")}
    assert after == before
    kinds = dataset.catalog.counts("extractions", "kind")
    assert kinds == {"retire": 1, "revive": 1, "run": 3}
    assert dataset.catalog.count("garments") == 2
    assert extract(dataset, path).skipped == 1


def test_people_somewhere_else_are_other_people(dataset, tmp_path):
    path = one_person(tmp_path / "in")
    extract(dataset, path)
    (first,) = dataset.catalog.active_people().to_pylist()
    extract(dataset, path, detector=PaintDetector(shift=40, fingerprint="shifted"))
    (second,) = dataset.catalog.active_people().to_pylist()
    assert second["person_id"] != first["person_id"]
    assert dataset.catalog.count("people") == 2


def test_other_limits_change_the_verdict_of_the_same_person(dataset, tmp_path):
    path = one_person(tmp_path / "in")
    extract(dataset, path)
    dataset.change({"framing.min_height_px": 300})
    end = extract(dataset, path)
    assert (end.people, end.accepted, end.garments) == (1, 0, 0)
    (person,) = dataset.catalog.rows("people").to_pylist()
    assert person["verdict"] == "too_small" and person["reason"]
    assert active(dataset, "garment_id") == []


def test_stopping_early_keeps_what_is_finished(dataset, tmp_path):
    folder = write_streets(tmp_path / "in", 12)
    events = run(dataset, [str(folder)], FAST, detector=PaintDetector(), parser=PaintParser())
    for event in events:
        if event.done == 6:
            break
    events.close()
    assert dataset.catalog.count("extractions") == 6
    assert extract(dataset, folder).skipped == 6


def test_an_error_on_the_way_keeps_what_is_finished(dataset, tmp_path):
    class Failing(PaintDetector):
        """Works twice, then no more."""

        calls = 0

        def detect(self, images):
            self.calls += 1
            if self.calls > 2:
                raise RuntimeError("the accelerator is gone")
            return super().detect(images)

    folder = write_streets(tmp_path / "in", 20)
    with pytest.raises(RuntimeError, match="accelerator"):
        extract(dataset, folder, detector=Failing())
    done = dataset.catalog.count("extractions")
    assert 0 < done <= 8
    assert extract(dataset, folder).skipped == done


def test_a_folder_that_cannot_be_written_is_named(dataset, tmp_path):
    one_person(tmp_path / "in")
    (dataset.folder / "crops").write_text("a file where a folder is to be")
    with pytest.raises(DatasetError, match="what was finished is kept"):
        extract(dataset, tmp_path / "in")
