"""Ray does what threads do, row for row, whoever dies."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import examined
import numpy as np
import psutil
import pytest
from comparing import TABLES, expect_same, files, rows
from quiet_ray import ENVIRONMENT
from slow_paint import extract
from standin_taggers import PixelTagger, SecondOpinion, add_garments
from standins import PaintDetector, PaintParser, write_streets

from annotate.prelabel import PrelabelOptions, prelabel
from extract.run import RunOptions, run
from finetune.evaluate import evaluate_release, held_out
from finetune.evaluate import hear as hearing
from garmentloop.workers.pipeline import RayWorkers
from garments.dataset import Dataset
from garments.errors import ModelError
from garments.settings import settings_toml
from garments.tagger import Tags

SCRIPT = Path(__file__).with_name("slow_paint.py")


def painted(dataset: Dataset, photos: Path, workers=None, **options):
    models = {"detector": PaintDetector(), "parser": PaintParser()}
    chosen = RunOptions(batch=3, commit_seconds=1000, **options)
    return list(run(dataset, [str(photos)], chosen, workers=workers, **models))


def some_photos(folder: Path) -> Path:
    """Photos, one of them twice, one that is none and one that is none twice."""
    write_streets(folder, 10)
    shutil.copy(folder / "0003.png", folder / "0008-again.png")
    for name in ("0002-bad.jpg", "0006-bad.jpg"):
        (folder / name).write_bytes(b"no picture")
    (folder / "0004-bad.jpg").write_bytes(b"another")
    return folder


def test_extract_writes_what_threads_write_and_a_second_run_nothing(cluster, tmp_path):
    photos = some_photos(tmp_path / "in")
    local, other = (Dataset.create(tmp_path / name) for name in ("local", "ray"))
    here, there = painted(local, photos)[-1], painted(other, photos, RayWorkers())[-1]
    assert here == there
    assert (there.photos, there.unreadable, there.skipped) == (10, 2, 2)
    expect_same(local, other)
    before = other.catalog.rows("garments")
    again = painted(other, photos, RayWorkers())[-1]
    assert (again.photos, again.garments, again.unreadable) == (0, 0, 2)
    assert other.catalog.rows("garments").equals(before)


def test_product_shots_are_cut_as_by_threads(cluster, tmp_path):
    photos = write_streets(tmp_path / "in", 5)
    local, other = (Dataset.create(tmp_path / name) for name in ("local", "ray"))
    painted(local, photos, as_crops=True)
    painted(other, photos, RayWorkers(), as_crops=True)
    expect_same(local, other)


def test_a_driver_that_is_killed_is_followed_by_one_that_goes_on(cluster, tmp_path):
    photos = write_streets(tmp_path / "in", 24)
    local = Dataset.create(tmp_path / "local")
    list(extract(local, photos))
    address = f"ray://{cluster.address}"
    with started(photos, tmp_path / "ray", address) as driver:
        read_until(driver, "9")
        driver.kill()
    other = Dataset.open(tmp_path / "ray")
    done = other.catalog.count("extractions")
    assert 0 < done < 24
    *_, end = extract(other, photos, RayWorkers())
    assert (end.photos, end.skipped) == (24 - done, done)
    for table in TABLES[1:]:  # of the sources two lines may have been written before the kill
        assert sorted(map(str, rows(other, table))) == sorted(map(str, rows(local, table))), table
    assert files(other) == files(local)


@contextmanager
def started(photos: Path, folder: Path, cluster: str) -> Iterator[subprocess.Popen]:
    """The script at work; killed where it has not ended after a minute and a half."""
    driver = subprocess.Popen(
        [sys.executable, SCRIPT, photos, folder, cluster],
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    alarm = Timer(90, driver.kill)
    alarm.start()
    try:
        with driver:
            yield driver
    finally:
        alarm.cancel()


def read_until(driver: subprocess.Popen, line: str) -> list[str]:
    """Lines up to that one; what it said where it never came."""
    lines = []
    for text in driver.stdout:
        lines.append(text.strip())
        if lines[-1] == line:
            return lines
    raise AssertionError(f"{lines} {driver.stderr.read()}")


def test_a_cluster_of_our_own_listens_here_alone_and_ends_with_us(tmp_path):
    pytest.importorskip("ray")
    photos = write_streets(tmp_path / "in", 60)
    with started(photos, tmp_path / "data", "ray") as driver:
        said = dict(line.split(" ", 1) for line in read_until(driver, "5") if " " in line)
        driver.send_signal(signal.SIGINT)
        errors = driver.stderr.read()
    assert said["listening"] == "127.0.0.1"
    assert "KeyboardInterrupt" in errors
    numbers = [int(number) for number in said["processes"].split()]
    left = [psutil.Process(number) for number in numbers if psutil.pid_exists(number)]
    assert not psutil.wait_procs(left, timeout=20)[1]
    assert 0 < Dataset.open(tmp_path / "data").catalog.count("extractions") < 60


def tagged(dataset: Dataset, workers=None, *taggers, **options):
    taggers = taggers or (PixelTagger(dataset.taxonomy), SecondOpinion(dataset.taxonomy))
    return list(prelabel(dataset, PrelabelOptions(batch=4, **options), taggers, workers))


def test_prelabel_writes_what_threads_write_and_a_second_run_nothing(cluster, tmp_path):
    local = Dataset.create(tmp_path / "local")
    ids = add_garments(local, 14)
    bad = local.catalog.rows("garments", where=f"garment_id = '{ids[5]}'").to_pylist()[0]
    local.crop_path(bad["crop_sha"]).unlink()
    shutil.copytree(local.folder, tmp_path / "ray")
    other = Dataset.open(tmp_path / "ray")
    here, there = tagged(local)[-1], tagged(other, RayWorkers())[-1]
    assert (here.tagged, here.failed) == (there.tagged, there.failed) == (13, 1)
    vectors = [name for name in local.catalog.tables() if name.startswith("embeddings_")]
    for table in ("proposals", "calibrations", *vectors):
        mine, theirs = (sorted(map(str, rows(one, table))) for one in (local, other))
        assert mine == theirs and mine, table
    assert tagged(other, RayWorkers())[-1].tagged == 0


class Broken(PixelTagger):
    """Says NaN about a batch that is not whole."""

    def tag(self, crops):
        tags = super().tag(crops)
        if len(crops) < 4:
            return Tags(tags.logits, tags.activation, np.full_like(tags.embeddings, np.nan))
        return tags


def test_an_error_of_a_model_is_told_as_itself_and_what_was_finished_is_kept(cluster, tmp_path):
    dataset = Dataset.create(tmp_path / "data")
    add_garments(dataset, 10)  # the last batch has two
    with pytest.raises(ModelError, match="embeddings has NaN"):
        tagged(dataset, RayWorkers(), Broken(dataset.taxonomy), commit_seconds=1000)
    assert dataset.catalog.distinct("proposals", "garment_id") == 8


def test_evaluations_give_the_same_figures(cluster, tmp_path):
    from annotate.evaluate import evaluate_tagger
    from extract.evaluate import evaluate_extract
    from extract.evaluate_people import evaluate_people
    from garments.synthetic import write_street

    street = tmp_path / "street"
    list(write_street(street, 4, 3, "unseen"))
    models = {"detector": PaintDetector(), "parser": PaintParser()}
    for evaluate in (evaluate_extract, evaluate_people):
        assert evaluate(street, **models, workers=RayWorkers()) == evaluate(street, **models)
    ask = {"model": "rule:color", "vocabulary": "mapped", "attributes": ["color"]}
    local = evaluate_tagger(street, **ask)
    assert evaluate_tagger(street, **ask, workers=RayWorkers()) == local and local["items"] > 0


def judged(dataset: Dataset, workers=None):
    taggers = examined.load(dataset, **examined.GOOD)
    found = evaluate_release(dataset, models=["model:v1"], load=taggers, workers=workers)
    return found.flat(), taggers.made.values()


def test_taggers_are_judged_on_a_release_the_same_and_asked_once(cluster, tmp_path, monkeypatch):
    for module in (hearing, held_out):
        monkeypatch.setattr(module, "PART", 50)  # so there are three
    local = examined.make(tmp_path / "local", 200)
    examined.trained(local)
    other = Dataset.open(shutil.copytree(local.folder, tmp_path / "ray"))
    here, there = judged(local), judged(other, RayWorkers())
    assert here[0] == there[0]
    assert all(len(one.seen) == 120 for one in here[1])
    assert not any(one.seen for one in there[1])  # their likes on the cluster were asked
    kept = {path.name for path in (other.run / "evaluations").rglob("*.npz")}
    assert kept == {"00000.npz", "00001.npz", "00002.npz"}
    again = judged(other)
    assert again[0] == there[0] and not any(one.seen for one in again[1])


def test_taggers_of_a_release_are_loaded_where_they_are_asked(cluster, tmp_path):
    local = examined.make(tmp_path / "local", 20)
    settings = settings_toml(local.settings.changed({"models.tagger": "rule:color"}))
    (local.folder / "dataset.toml").write_text(settings, encoding="utf-8")
    local = Dataset.open(local.folder)
    other = Dataset.open(shutil.copytree(local.folder, tmp_path / "ray"))
    here = evaluate_release(local, attributes=["color"])
    there = evaluate_release(other, attributes=["color"], workers=RayWorkers())
    assert here.flat() == there.flat()
    assert list(here.scored["color"]) == ["zero_shot", "rule_color", "champion"]
