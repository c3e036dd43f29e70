"""What is asked for is found and told before anything is changed, and what cannot be is said."""

import shutil

import pytest
from withdrawing import PHOTOS, command, extract, here, photo_file

from garmentloop.takedown.find import find
from garments.errors import BadInput
from garments.ids import content_id
from garments.withdrawals import Withdrawals


def test_a_photo_is_found_by_id_file_and_copy(dataset, tmp_path):
    path, photo = photo_file(dataset.folder.parent, 2), here(dataset, 2)
    copy = shutil.copy(path, tmp_path / "copy.png")
    (origin,) = dataset.catalog.rows("sources", ["origin"], f"photo_id = '{photo}'").column(0)
    for text in (photo, str(path), str(copy), origin.as_py()):
        assert find(dataset, text).photos == (photo,), text


def test_what_is_unknown_is_told_what_to_give(dataset):
    with pytest.raises(BadInput, match="or a handle in it, but 'nobody' is neither; `garmentloop"):
        find(dataset, "nobody")
    garment = dataset.catalog.rows("garments", ["garment_id"]).column(0)[0].as_py()
    with pytest.raises(BadInput, match=r"is a garment; give its photo, [0-9a-f]{16}"):
        find(dataset, garment)


def test_a_dry_run_changes_nothing_but_tells_all(dataset):
    before = {path: path.read_bytes() for path in dataset.folder.rglob("*") if path.is_file()}
    told = command(dataset, here(dataset, 0), "--dry-run")
    assert told.exit_code == 0, told.output
    assert "1 photo, " in told.output and "release v1: withdraws" in told.output
    assert "1 original (" in told.output and "outside of the data set will stay" in told.output
    now = {path: path.read_bytes() for path in dataset.folder.rglob("*") if path.is_file()}
    assert now == before


def test_it_asks_before_it_begins(dataset):
    told = command(dataset, here(dataset, 0), answer="n\n")
    assert told.exit_code == 1 and dataset.catalog.count("photos") == PHOTOS
    told = command(dataset, here(dataset, 0), answer="y\n")
    assert told.exit_code == 0, told.output
    assert "nothing of it is left" in told.output and "Releases written anew: v1" in told.output
    assert "stay; delete them yourself" in told.output, "the original lies elsewhere"


def test_without_a_name_there_must_be_one_to_finish(dataset):
    told = command(dataset)
    assert told.exit_code == 1 and "no takedown waits to be finished" in told.output


def test_pictures_that_show_the_same_are_named(dataset, tmp_path):
    from PIL import Image

    copy = tmp_path / "again.png"
    Image.open(photo_file(dataset.folder.parent, 0)).save(copy, compress_level=1)
    extract(dataset, copy)
    told = command(dataset, here(dataset, 0), "--dry-run")
    assert f"photo {content_id(copy.read_bytes())} shows the same picture and stays" in told.output


@pytest.mark.parametrize("words", ["by @Anna", "for anna.", "see 0000.png", "{photo}"])
def test_the_log_takes_no_names(dataset, words):
    said = words.format(photo=here(dataset, 0))
    told = command(dataset, "anna", "--yes", "--reason", said)
    assert told.exit_code == 1 and "to name nobody that is taken down, but got" in told.output
    assert Withdrawals(dataset).pending() is None and dataset.catalog.count("photos") == PHOTOS
