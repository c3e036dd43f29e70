"""The contact sheet: complete, offline, safe with any name, quick the second time."""

import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from standins import PaintDetector, PaintParser, canvas, paint_person, write_streets

from extract.report import write_report
from extract.report.cards import outline
from extract.run import RunOptions, run
from garments.dataset import Dataset
from garments.masks import RunLengthMask

FAST = RunOptions(workers=2, batch=8)


class Page(HTMLParser):
    """Tags with their attributes, and the text, of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag: str, name: str | None = None):
        """Attributes of the elements `tag`, or the values of one attribute."""
        found = [attributes for one, attributes in self.tags if one == tag]
        return found if name is None else [a[name] for a in found if name in a]


def extract(dataset, *inputs, options=FAST):
    texts = [str(one) for one in inputs]
    list(run(dataset, texts, options, detector=PaintDetector(), parser=PaintParser()))


@pytest.fixture(scope="module")
def sheet(tmp_path_factory) -> Path:
    """First page of the sheet of 70 photos and two that cannot be read."""
    folder = tmp_path_factory.mktemp("sheet")
    write_streets(folder / "in", 70)
    (folder / "in" / "broken.jpg").write_bytes(b"no picture")
    (folder / "in" / "<script>alert('x')<").write_bytes(b"")
    dataset = Dataset.create(folder / "data")
    extract(dataset, folder / "in", folder / "in" / "<script>alert('x')<")
    return write_report(dataset)


def test_every_photo_is_shown_once(sheet):
    pages = [Page(sheet), Page(sheet.with_name("page-2.html"))]
    assert [len(page.of("article")) for page in pages] == [60, 10]
    assert "70" in pages[0].text


def test_pictures_are_there_and_nothing_comes_from_elsewhere(sheet):
    for path in (sheet, sheet.with_name("page-2.html")):
        page = Page(path)
        wanted = page.of("img", "src") + page.of("img", "data-large") + page.of("a", "href")
        assert wanted
        for reference in wanted:
            assert (path.parent / reference).is_file(), reference
        text = path.read_text(encoding="utf-8")
        assert "http" not in text and not re.search(r"""["'(=]\s*//|@import|url\(""", text)
        assert not page.of("link")


def test_people_have_boxes_with_verdicts_in_words(sheet):
    page = Page(sheet)
    boxes = [a["class"] for a in page.of("div") if a.get("class", "").startswith("box ")]
    assert any("verdict-accepted" in name for name in boxes)
    assert any("verdict-too_small" in name for name in boxes)
    assert "too small" in page.text
    assert "only 20 px high, 8% of the photo" in page.text


def test_masks_are_outlines_in_their_region(sheet):
    outlines = Page(sheet).of("path")
    assert {a["class"] for a in outlines} == {"region-upper", "region-lower", "region-whole"}
    assert all(re.fullmatch(r"(M[\d -]+l[\d -]+z)+", a["d"]) for a in outlines)


def test_filters_name_what_is_there(sheet):
    page = Page(sheet)
    facets = page.of("button", "data-facet")
    assert facets[:3] == ["", "accepted", "too_small"]
    assert "tiny" in facets and "occluded" not in facets


def test_what_could_not_be_read_is_listed_with_its_reason(sheet):
    text = Page(sheet).text
    assert "2 sources could not be read" in text
    assert "broken.jpg" in text and "expected a picture" in text
    assert "<script>alert('x')<" in text  # as text: the next test looks at the tags


def test_models_and_settings_are_named(sheet):
    page = Page(sheet)
    assert "detector paint, parser paint" in page.text
    assert "min height share" in page.text


@pytest.mark.parametrize(
    "name", ['"><script>alert(1)<', "a'onload='x.png", "{{ 7*7 }}.png", "line\nbreak.png", "👗.png"]
)
def test_names_cannot_break_out(tmp_path, name):
    pixels = canvas()
    paint_person(pixels, 60, 20, 280)
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / name
    with path.open("wb") as file:
        Image.fromarray(pixels).save(file, "PNG")
    dataset = Dataset.create(tmp_path / "data")
    extract(dataset, path)
    page = Page(write_report(dataset))
    assert len(page.of("script")) == 1
    assert not any("onload" in attributes for _, attributes in page.tags)
    (alt, *_) = page.of("img", "alt")
    assert alt == name
    assert name in page.text


def test_product_shots_and_photos_without_people(tmp_path):
    Image.fromarray(np.zeros((50, 40, 3), np.uint8)).save(tmp_path / "shop.png")
    Image.fromarray(canvas()).save(tmp_path / "empty.png")
    dataset = Dataset.create(tmp_path / "data")
    extract(dataset, tmp_path / "shop.png", options=replace(FAST, as_crops=True))
    extract(dataset, tmp_path / "empty.png")
    text = Page(write_report(dataset)).text
    assert "product shot" in text and "nobody found" in text
    assert "product shots, no models" in text


def test_an_empty_data_set_has_a_sheet_too(tmp_path):
    page = Page(write_report(Dataset.create(tmp_path / "data")))
    assert "No photo has been extracted yet" in page.text
    assert page.of("article") == []


def test_only_the_newest_are_shown_when_there_are_many(sheet):
    dataset = Dataset.open(sheet.parent.parent)
    path = write_report(dataset, photos=5)
    assert len(Page(path).of("article")) == 5
    assert "the newest of 70" in Page(path).text
    assert not path.with_name("page-2.html").exists()
    write_report(dataset)
    assert path.with_name("page-2.html").exists()


def test_a_second_sheet_makes_no_picture_again(sheet):
    dataset = Dataset.open(sheet.parent.parent)
    thumbs = {path: path.stat().st_mtime_ns for path in sheet.parent.rglob("*.jpg")}
    assert len(thumbs) == 70
    start = time.monotonic()
    write_report(dataset)
    assert time.monotonic() - start < 10
    assert {path: path.stat().st_mtime_ns for path in sheet.parent.rglob("*.jpg")} == thumbs


def test_the_sheet_moves_with_the_data_set(sheet, tmp_path):
    moved = tmp_path / "elsewhere"
    sheet.parent.parent.rename(moved)
    try:
        page = moved / "report" / "index.html"
        assert all((page.parent / name).is_file() for name in Page(page).of("img", "src"))
    finally:
        moved.rename(sheet.parent.parent)


def test_outlines_keep_holes_and_pieces():
    mask = np.zeros((100, 200), bool)
    mask[10:60, 20:90] = True
    mask[30:40, 40:60] = False
    mask[70:90, 150:190] = True
    path = outline(RunLengthMask.encode(mask), (200, 100))
    assert path.count("M") == path.count("z") == 3
    assert outline(RunLengthMask.encode(np.zeros((100, 200), bool)), (200, 100)) == ""
