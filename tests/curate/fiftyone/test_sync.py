"""What FiftyOne shows is what the catalogue says, however the two came to it."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from curated_data import (
    add_photos,
    crop_of,
    decide,
    embed,
    garment_ids,
    label,
    propose,
    retire,
    split,
    task,
)

from curate.fiftyone import mongod
from curate.fiftyone import sync as syncing
from curate.fiftyone.environment import garments_name, photos_name
from curate.fiftyone.fields import NO_FILE
from curate.fiftyone.standing import attribute_field
from curate.fiftyone.sync import SyncProgress, sync
from curate.fiftyone.window import Window, open_window
from garments.dataset import Dataset
from garments.errors import FiftyOneError
from garments.proposals import readings

VOLATILE = {"_id", "_rand", "_dataset_id", "created_at", "last_modified_at"}


@pytest.fixture(autouse=True)
def without_measures(monkeypatch):
    """Measures, views and workspace take most of a sync's time, and have tests of their own."""
    monkeypatch.setattr(syncing.measures, "update", lambda window, touched: None)
    monkeypatch.setattr(syncing.views, "save", lambda window: None)
    monkeypatch.setattr(syncing.workspace, "save", lambda window: None)


def run(dataset: Dataset, mongo: str, **options) -> SyncProgress:
    """Sync to the end; the last event."""
    return list(sync(dataset, mongo=mongo, **options))[-1]


def plain(value):
    """A stored document without what differs from one writing to the next."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in VOLATILE and v is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def stored(window: Window) -> dict[str, dict]:
    """Every sample by its key, as MongoDB has it."""
    return {
        document[key]: plain(document)
        for shown, key in ((window.garments, "garment_id"), (window.photos, "photo_id"))
        for document in shown._sample_collection.find()
    }


def shown(dataset: Dataset, mongo: str, garment: str):
    with open_window(dataset, mongo) as window:
        return window.garments.one(window.fo.ViewField("garment_id") == garment).copy()


def test_a_sample_is_stored_as_fiftyone_stores_it(curated, mongo_uri):
    dataset = curated(1)
    run(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        for ours in (window.garments, window.photos):
            copied = window.fo.Dataset(f"{ours.name}-copy", persistent=True)
            copied.add_samples([sample.copy() for sample in ours])
            theirs = [_bare(document) for document in copied._sample_collection.find()]
            assert [_bare(document) for document in ours._sample_collection.find()] == theirs
            expected = ours.get_field_schema(flat=True)
            assert copied.get_field_schema(flat=True).keys() <= expected.keys()
            copied.delete()


def _bare(document):
    """Without compressed arrays, whose level of compression differs."""
    if isinstance(document, dict):
        document = {k: v for k, v in document.items() if k not in VOLATILE and v is not None}
        return {k: np.bool_ if isinstance(v, bytes) else _bare(v) for k, v in document.items()}
    return [_bare(item) for item in document] if isinstance(document, list) else document


def test_what_the_catalogue_knows_is_in_the_sample(curated, mongo_uri):
    dataset = curated(2)
    garment = garment_ids(dataset)[0]
    sent = task(dataset, garment, "round-7", color=["red"], pattern=["solid"])
    label(dataset, garment, "color", "red", "blue", task=sent)
    label(dataset, garment, "pattern", "solid", task=sent)
    decide(dataset, garment, "gold")
    split(dataset, garment, "train")
    run(dataset, mongo_uri)
    sample = shown(dataset, mongo_uri, garment)
    assert (sample.color.label, sample.color["values"]) == ("blue + red", ["blue", "red"])
    assert sample.color.source == sample.color_human.source == "annotator"
    assert (sample.color.written, sample.color_human.who) == ("blue + red", "ann")
    assert (sample.color_edited, sample.pattern_edited, sample.style_edited) == (True, False, None)
    assert (sample.gold, sample.tags, sample.synced_tags) == (True, ["gold"], ["gold"])
    assert (sample.split, sample.round, sample.state) == ("train", "round-7", "active")
    assert sample.handle in {"h0", "h1"} and sample.licence == "CC0"
    assert (sample.metadata.width, sample.metadata.height) == (50, 60)
    assert sample.embedding.shape == (8,) and sample.filepath.endswith(".jpg")
    assert sample.style_human is None


def test_proposals_are_read_as_everywhere_else(curated, mongo_uri):
    dataset = curated(3)
    run(dataset, mongo_uri)
    expected = readings(dataset)
    with open_window(dataset, mongo_uri) as window:
        for sample in window.garments:
            for attribute, reading in expected[sample.garment_id].items():
                name = attribute_field(attribute)
                said = sample[f"{name}_proposed"]
                if not reading.values:
                    assert said is None
                    continue
                assert said["values"] == sorted(reading.values)
                assert said.confidence == pytest.approx(reading.confidence)
                assert sample[f"{name}_uncertainty"] == pytest.approx(1 - reading.confidence)
                assert said.abstained == reading.abstained
                assert (sample[name] is None) == reading.abstained
                top = dataset.taxonomy.values(attribute)[said.logits.argmax()]
                assert top == reading.values[0]
        one = window.garments.first()
        assert (one.color_proposed.model, one.color_starter.model) == ("rule:color", "starter")
        assert not window.garments.has_field("category_starter")


def test_photos_show_people_and_garments(curated, mongo_uri):
    dataset = curated(1)
    first, second = garment_ids(dataset)
    label(dataset, first, "category", "blazer", kind="curator")
    decide(dataset, first, "bad_crop")
    retire(dataset, second)
    run(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        photo = window.photos.first()
        assert [person.label for person in photo.people.detections] == ["accepted", "too_small"]
        assert photo.people.detections[1].reason == "small"
        assert photo.people.detections[0].bounding_box == pytest.approx(
            [10 / 120, 0.05, 7 / 12, 0.9]
        )
        (cut,) = photo.garments.detections
        assert (cut.label, cut.garment_id, cut.region) == ("blazer", first, "upper")
        assert (cut.state, cut.source) == ("bad_crop", "curator")
        assert cut.mask.shape == (60, 50) and cut.mask.sum() == 50 * 40
        assert window.garments.count_values("state") == {"bad_crop": 1, "retired": 1}


def test_only_what_was_touched_is_written_again(curated, mongo_uri):
    dataset = curated(4)
    end = run(dataset, mongo_uri)
    assert (end.garments, end.photos, end.done, end.total) == (8, 4, 12, 12)
    end = run(dataset, mongo_uri)
    assert (end.garments, end.photos, end.total) == (0, 0, 0)
    label(dataset, garment_ids(dataset)[3], "style", "casual")
    end = run(dataset, mongo_uri)
    assert (end.garments, end.photos) == (1, 1)
    assert run(dataset, mongo_uri).total == 0


def test_increments_come_to_what_a_rebuild_comes_to(curated, mongo_uri, fault_rounds):
    for seed in range(min(fault_rounds, 10)):
        dataset, chance = curated(3), random.Random(seed)
        run(dataset, mongo_uri)
        for _ in range(4):
            for _ in range(chance.randint(1, 4)):
                _something_happens(dataset, chance)
            run(dataset, mongo_uri)
        with open_window(dataset, mongo_uri) as window:
            before = stored(window)
        end = run(dataset, mongo_uri, rebuild=True)
        assert end.garments == len(garment_ids(dataset))
        with open_window(dataset, mongo_uri) as window:
            assert stored(window) == before


def _something_happens(dataset: Dataset, chance: random.Random) -> None:
    garment = chance.choice(garment_ids(dataset))
    match chance.randint(0, 9):
        case 0:
            add_photos(dataset, 1, first=chance.randint(10, 99))
        case 1:
            label(dataset, garment, "style", chance.choice(["casual", "formal"]), who="bob")
        case 2:
            label(dataset, garment, "category", chance.choice(["blazer", "shirt"]), kind="curator")
        case 3:
            decide(dataset, garment, chance.choice(["gold", "excluded", "bad_crop", "send"]))
        case 4:
            retire(dataset, garment, revive=chance.random() < 0.5)
        case 5:
            propose(dataset, [garment], "starter", f"v{chance.randint(2, 3)}")
        case 6:
            propose(dataset, [garment], "hf:some/other-model", "v1", ["style", "color"])
        case 7:
            rows = {"promotion_id": f"p{chance.random()}", "kind": "tagger", "attribute": "style"}
            dataset.catalog.add("promotions", [{**rows, "model": "hf:some/other-model"}])
        case 8:
            row = {
                "calibration_id": f"c{chance.random()}",
                "attribute": "style",
                "source": "labels",
            }
            row |= {"temperature": chance.uniform(1, 3), "bias": 0.0, "threshold": 0.2, "items": 9}
            tagger = dataset.catalog.rows("proposals", ["tagger"]).column(0).to_pylist()[0]
            dataset.catalog.add("calibrations", [{**row, "tagger": tagger}])
        case 9:
            embed(dataset, [garment], "starter@w2+keep")


def test_tags_follow_decisions_and_leave_other_tags_alone(curated, mongo_uri):
    dataset = curated(1)
    garment = garment_ids(dataset)[0]
    decided = decide(dataset, garment, "excluded")
    run(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        window.garments.match(window.fo.ViewField("garment_id") == garment).tag_samples("mine")
    decide(dataset, garment, "excluded", withdraws=decided)
    decide(dataset, garment, "bad_crop")
    run(dataset, mongo_uri)
    sample = shown(dataset, mongo_uri, garment)
    assert sorted(sample.tags) == ["bad crop", "mine"]
    assert (sample.synced_tags, sample.state) == (["bad crop"], "bad_crop")


def test_fields_of_the_curator_survive(curated, mongo_uri):
    dataset = curated(1)
    run(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        window.garments.set_values("my_note", ["a", "b"])
    label(dataset, garment_ids(dataset)[0], "style", "casual")
    run(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert window.garments.values("my_note") == ["a", "b"]


def test_a_crop_that_is_gone_is_told_and_shown(curated, mongo_uri):
    dataset = curated(1)
    first, second = garment_ids(dataset)
    dataset.crop_path(crop_of(dataset, first)).unlink()
    dataset.crop_path(crop_of(dataset, second)).write_bytes(b"no picture")
    end = run(dataset, mongo_uri)
    assert end.missing_crops == 2 and "2 without their crop file" in str(end)
    sample = shown(dataset, mongo_uri, first)
    assert sample.metadata is None and sample.flags == [NO_FILE]


def test_a_moved_data_set_is_written_anew(curated, mongo_uri, tmp_path):
    dataset = curated(1)
    run(dataset, mongo_uri)
    shutil.move(dataset.folder, tmp_path / "elsewhere")
    moved = Dataset.open(tmp_path / "elsewhere")
    assert run(moved, mongo_uri).garments == 2
    sample = shown(moved, mongo_uri, garment_ids(moved)[0])
    assert sample.filepath.startswith(str(tmp_path / "elsewhere"))


def test_what_was_taken_down_disappears(curated, mongo_uri):
    import lance

    dataset = curated(2)
    run(dataset, mongo_uri)
    gone = garment_ids(dataset)[0]
    photo = dataset.catalog.rows("photos", ["photo_id"]).column(0).to_pylist()[1]
    lance.dataset(dataset.catalog.folder / "garments.lance").delete(f"garment_id = '{gone}'")
    lance.dataset(dataset.catalog.folder / "photos.lance").delete(f"photo_id = '{photo}'")
    assert run(dataset, mongo_uri).removed == 2
    with open_window(dataset, mongo_uri) as window:
        assert gone not in window.garments.values("garment_id")
        assert photo not in window.photos.values("photo_id")


@pytest.mark.parametrize("what", ["garments", "photos", "both", "sample"])
def test_what_was_deleted_by_hand_comes_back(curated, mongo_uri, what):
    dataset = curated(2)
    decide(dataset, garment_ids(dataset)[0], "gold")
    run(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        before = stored(window)
        if what == "sample":
            window.garments.delete_samples([window.garments.first().id])
        if what in ("garments", "both"):
            window.fo.delete_dataset(garments_name(dataset))
        if what in ("photos", "both"):
            window.fo.delete_dataset(photos_name(dataset))
    run(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert stored(window) == before


def test_a_stranger_of_that_name_is_left_alone(curated, mongo_uri):
    dataset = curated(1)
    with open_window(dataset, mongo_uri) as window:
        window.fo.delete_dataset(garments_name(dataset))
        window.fo.Dataset(garments_name(dataset), persistent=True)
    with pytest.raises(FiftyOneError, match="is not ours"):
        run(dataset, mongo_uri)


def test_another_data_set_of_that_name_is_left_alone(curated, mongo_uri):
    first, second = curated(1, name="twins"), curated(2, name="twins")
    run(first, mongo_uri)
    with pytest.raises(FiftyOneError, match="belongs to another data set"):
        run(second, mongo_uri)


def test_a_dry_run_changes_nothing(curated, mongo_uri):
    dataset = curated(2)
    end = run(dataset, mongo_uri, dry_run=True)
    assert (end.garments, end.photos, end.done) == (4, 2, 0)
    with open_window(dataset, mongo_uri, create=False) as window:
        assert window.garments is None and window.empty
    run(dataset, mongo_uri)
    decide(dataset, garment_ids(dataset)[0], "gold")
    assert run(dataset, mongo_uri, dry_run=True).garments == 1
    assert shown(dataset, mongo_uri, garment_ids(dataset)[0]).tags == []


def test_attributes_with_names_of_our_fields(curated, mongo_uri):
    dataset = curated(1)
    path = dataset.folder / "taxonomy.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('id = "style"', 'id = "state"'), encoding="utf-8")
    dataset = Dataset.open(dataset.folder)
    assert "state" in [attribute.id for attribute in dataset.taxonomy.attributes]
    label(dataset, garment_ids(dataset)[0], "state", "casual")
    run(dataset, mongo_uri)
    sample = shown(dataset, mongo_uri, garment_ids(dataset)[0])
    assert (sample.state, sample.state_label.label) == ("active", "casual")


def test_a_data_set_without_anything(curated, mongo_uri):
    dataset = curated(0)
    assert run(dataset, mongo_uri).total == 0
    assert run(dataset, mongo_uri, rebuild=True).total == 0


def test_nothing_answers_at_that_address(curated):
    with pytest.raises(FiftyOneError, match=r"expected to connect to MongoDB at mongodb://127\.0"):
        run(curated(1), "mongodb://me:secret@127.0.0.1:9/?serverSelectionTimeoutMS=200")
    with pytest.raises(FiftyOneError, match="expected the address of a MongoDB"):
        run(curated(1), "127.0.0.1:9")


def test_two_syncs_at_once(curated, mongo_uri):
    dataset = curated(4)
    command = [sys.executable, "-m", "garmentloop", "curate", "sync", "-d", str(dataset.folder)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    written = sorted(out for out, _ in ends)
    assert "0 garments and 0 photos written" in written[0]
    assert "8 garments and 4 photos written" in written[1]
    assert mongod.running(dataset) is None


def test_who_comes_second_waits_only_so_long(curated, mongo_uri):
    dataset = curated(1)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with open_window(dataset, mongo_uri):
            inside.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert inside.wait(60)
        with pytest.raises(FiftyOneError, match="another process has been at it"):
            run(dataset, mongo_uri, timeout=0.2)
    finally:
        done.set()
        thread.join()


@pytest.mark.faults
def test_mongod_killed_during_a_sync(curated, mongo_uri, fault_rounds, monkeypatch):
    monkeypatch.setattr(syncing, "CHUNK", 1)
    chance = random.Random(0)
    for _ in range(fault_rounds // 2):
        dataset = curated(4)
        server, _ = mongod.start(dataset)
        kill_at = chance.randint(1, 5)
        with pytest.raises(FiftyOneError, match="run the same command again"):
            for number, _ in enumerate(sync(dataset)):
                if number == kill_at:
                    os.kill(server.pid, signal.SIGKILL)
        end = list(sync(dataset))[-1]
        assert end.total is not None and end.done == end.total
        with open_window(dataset) as window:
            assert sorted(window.garments.values("garment_id")) == sorted(garment_ids(dataset))
            before = stored(window)
        list(sync(dataset, rebuild=True))
        with open_window(dataset) as window:
            assert stored(window) == before


@pytest.mark.faults
def test_a_sync_that_is_killed_is_gone_on_with(curated, mongo_uri, fault_rounds, tmp_path):
    chance = random.Random(1)
    for _ in range(fault_rounds // 2):
        dataset = curated(6)
        code = (
            "import sys; from garments.dataset import Dataset; from curate.fiftyone import sync;"
            "sync.CHUNK = 1; d = Dataset.open(sys.argv[1])\n"
            "for event in sync.sync(d, mongo=sys.argv[2]): print(event.done, flush=True)"
        )
        command = [sys.executable, "-c", code, str(dataset.folder), mongo_uri]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path.cwd())
        assert process.stdout
        for _ in range(chance.randint(1, 6)):
            process.stdout.readline()
        time.sleep(chance.random() / 10)
        process.kill()
        process.wait()
        process.stdout.close()
        run(dataset, mongo_uri)
        with open_window(dataset, mongo_uri) as window:
            before = stored(window)
            assert sorted(window.garments.values("garment_id")) == sorted(garment_ids(dataset))
        run(dataset, mongo_uri, rebuild=True)
        with open_window(dataset, mongo_uri) as window:
            assert stored(window) == before


@pytest.mark.faults
def test_a_full_disk_is_told_and_gone_on_from(curated, mongo_uri):
    dataset = curated(4)
    server, _ = mongod.start(dataset)
    # No file of mongod's may grow any more: for it the same as a disk without room.
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    with pytest.raises(FiftyOneError, match="make room; then run the same command again"):
        list(sync(dataset))
    mongod.stop(dataset)
    end = list(sync(dataset))[-1]
    assert end.total is not None and end.done == end.total
    with open_window(dataset) as window:
        assert sorted(window.garments.values("garment_id")) == sorted(garment_ids(dataset))
