"""Files that appear whole or not at all."""

import pytest

from garments.errors import DatasetError
from garments.whole import in_place_of, write_page, write_whole


def test_a_file_is_there_whole_and_its_folder_is_made(tmp_path):
    path = tmp_path / "new" / "page.html"
    write_whole(path, "grün")
    assert path.read_bytes() == "grün".encode()
    write_whole(path, b"again")
    assert path.read_bytes() == b"again"
    assert [found.name for found in path.parent.iterdir()] == ["page.html"]


def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "kept.npz"
    path.write_text("old")
    with pytest.raises(RuntimeError), in_place_of(path) as temporary:
        assert temporary.suffix == ".npz"
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["kept.npz"]


def test_a_page_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatasetError, match="then run `garmentloop report` again"):
        write_page(tmp_path / "file" / "page.html", "text", "`garmentloop report`")
