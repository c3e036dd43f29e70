"""What was taken down is nowhere in the data set, stays out of it, and can be told by nobody."""

import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import withdrawing
from typer.testing import CliRunner
from withdrawing import (
    HANDLES,
    PHOTOS,
    command,
    down,
    extract,
    held,
    here,
    photo_file,
    traces,
)

from curate.release.manifest import read_manifest
from curate.release.verify import verify
from curate.release.write import release
from garmentloop.cli import app
from garmentloop.takedown.find import find
from garments.dataset import Dataset
from garments.ids import content_id
from garments.withdrawals import HANDLE, PHOTO, Withdrawals


@dataclass(frozen=True)
class Taken:
    """A data set after photo 0 was taken down; what led to it, and what there was before."""

    dataset: Dataset
    photo: str
    terms: set[str]
    others: set[str]
    held: list[str]
    pictures: set[Path]


@pytest.fixture(scope="module")
def taken(copied_world, tmp_path_factory) -> Taken:
    """No test changes what the others look at."""
    dataset = copied_world(tmp_path_factory.mktemp("taken") / "world")
    files = {path for path in dataset.folder.rglob("*.jpg") if "report" not in path.parts}
    terms, others = traces(dataset, 0), traces(dataset, *range(1, PHOTOS))
    found = Taken(dataset, here(dataset, 0), terms, others, held(dataset.folder, terms), files)
    down(dataset, found.photo, by="cora", reason="asked us to")
    return found


def test_no_file_row_or_version_keeps_a_trace(taken):
    before = {line.split(" ")[0].split("/")[0] for line in taken.held}
    assert {"crops", "previews", "report", "run", "releases", "labels.lance"} <= before
    assert held(taken.dataset.folder, taken.terms) == []


def test_pictures_of_it_are_gone_and_all_others_stay(taken):
    gone = {path for path in taken.pictures if any(term in path.name for term in taken.terms)}
    assert len(gone) >= 3
    assert set(taken.dataset.folder.rglob("*.jpg")) == taken.pictures - gone


def test_the_other_photos_keep_everything(taken):
    ids = {term for term in taken.others if not term.endswith(".png")}
    left = {line.rpartition(" ")[2] for line in held(taken.dataset.folder, ids)}
    assert left == ids
    catalog = taken.dataset.catalog
    assert catalog.count("photos") == PHOTOS - 1
    parts = catalog.rows("splits", ["group"]).column(0).to_pylist()
    assert taken.photo not in parts and None not in parts


def test_a_frozen_release_verifies(taken):
    end = list(verify(taken.dataset, "v1"))[-1]
    assert not end.problems and not end.notes
    assert end.withdrawn[0].photos == 1
    told = CliRunner().invoke(app, ["curate", "verify", "v1", "-d", str(taken.dataset.folder)])
    assert told.exit_code == 0 and "of 1 photos were withdrawn from it" in told.output


def test_the_log_names_nobody_and_only_its_owner_can_read_the_key(taken):
    known = Withdrawals(taken.dataset)
    (entry,) = known.entries()
    assert entry.photos == (known.mark(PHOTO, taken.photo),) and entry.handle == ""
    assert (entry.by, entry.reason, entry.releases) == ("cora", "asked us to", ("v1",))
    folder = taken.dataset.folder / "takedowns"
    assert (folder / "key").stat().st_mode & 0o777 == 0o600
    assert not (folder / "pending.json").exists()


def test_twice_is_told_and_changes_nothing(taken):
    for text in (photo_file(taken.dataset.folder.parent, 0), taken.photo):
        told = command(taken.dataset, text, "--yes")
        assert told.exit_code == 0 and "Taken down already, on 20" in told.output
    assert len(Withdrawals(taken.dataset).entries()) == 1


def test_it_is_refused_under_any_name_and_leaves_no_trace_then_either(taken, tmp_path):
    dataset, folder = taken.dataset, taken.dataset.folder.parent
    path = photo_file(folder, 0)
    copy = tmp_path / "under-another-name.png"
    shutil.copy(path, copy)
    end = extract(dataset, path, copy, photo_file(folder, 1))
    assert (end.taken_down, end.skipped, end.photos, end.done) == (2, 1, 0, 3)
    assert held(dataset.folder, taken.terms | {copy.name}) == []
    assert extract(dataset, path, dry_run=True).taken_down == 1


def test_later_releases_leave_it_out(taken):
    list(release(taken.dataset, "v2"))
    assert not held(taken.dataset.releases, taken.terms)
    assert read_manifest(taken.dataset.releases / "v2").photos == PHOTOS - 1


def test_a_handle_takes_all_its_photos_however_it_is_written(dataset):
    terms = traces(dataset, 0, 1)
    assert find(dataset, "ANNA").photos == tuple(sorted(here(dataset, n) for n in (0, 1)))
    down(dataset, " @anna ")
    assert held(dataset.folder, terms | {"@Anna", "anna"}) == []
    assert dataset.catalog.count("photos") == PHOTOS - 2


def test_new_photos_of_a_handle_are_refused_unread(dataset, tmp_path):
    down(dataset, "anna")
    manifest = tmp_path / "more.csv"
    manifest.write_text("path,handle\nnew.png,@ANNA\nnowhere.png,anna\n", encoding="utf-8")
    shutil.copy(photo_file(dataset.folder.parent, 4), tmp_path / "new.png")
    before = dataset.catalog.count("sources")
    assert extract(dataset, manifest).taken_down == 2
    assert dataset.catalog.count("sources") == before


def test_import_refuses_it_too(dataset, tmp_path):
    sys.path.append(str(withdrawing.ROOT / "tests" / "curate"))
    from public_sets import coco, take

    root = coco(tmp_path / "coco")
    other = Dataset.create(tmp_path / "coco-data")
    assert take(other, "persons", root).photos
    photo = content_id((root / "val2017" / "000000000001.png").read_bytes())
    down(other, photo)
    end = take(other, "persons", root)
    assert end.taken_down == 1 and not end.unreadable
    assert held(other.folder, {photo, "000000000001.png"}) == []


def test_crops_of_an_earlier_cut_go_too(dataset):
    photo = here(dataset, 0)
    before = traces(dataset, 0)
    from standins import PaintDetector, PaintParser

    from extract.run import RunOptions, run

    files = [str(photo_file(dataset.folder.parent, 0))]
    moved = PaintDetector(shift=6, fingerprint="paint-2")
    list(run(dataset, files, RunOptions(workers=1), detector=moved, parser=PaintParser()))
    dataset.catalog.optimize()
    for table in ("garments", "proposals"):  # as an old version would, after ten minutes
        found = dataset.catalog.newest(table)
        from datetime import timedelta

        found.cleanup_old_versions(timedelta(0), error_if_tagged_old_versions=False)
    old = time.time() - 3600
    for path in (dataset.folder / "crops").rglob("*.jpg"):
        os.utime(path, (old, old))
    terms = before | traces(dataset, 0)
    down(dataset, photo)
    assert held(dataset.folder, terms) == []


def test_marks_need_the_key_and_tell_kinds_apart(tmp_path):
    one, other = (Withdrawals(Dataset.create(tmp_path / name)) for name in ("a", "b"))
    assert one.mark(PHOTO, "x") == one.mark(PHOTO, "x") != other.mark(PHOTO, "x")
    assert one.mark(PHOTO, "x") != one.mark(HANDLE, "x") == one.mark(HANDLE, "@X ")


def test_handles_of_the_world_are_as_the_tests_think():
    assert len(HANDLES) == PHOTOS
