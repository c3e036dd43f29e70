"""Writing the contact sheet: pages that open without a network, beside the pictures they show."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from extract.files import Writer
from extract.report.cards import PhotoCard, cards
from extract.report.summary import DOUBT_WORDS, SHOWN_PROBLEMS, VERDICT_WORDS, Summary, summarise
from garments.catalog import one_of
from garments.dataset import Dataset
from garments.errors import BadImage, DatasetError
from garments.images import decode, encode_jpeg

if TYPE_CHECKING:
    from jinja2 import Template

PAGE_PHOTOS = 60
MOST_PHOTOS = 3000
"""Photos shown unless told otherwise: the newest ones."""

THUMB_SIDE, THUMB_QUALITY = 640, 82
"""Longer side in pixels of the photos on the pages."""


def write_report(dataset: Dataset, photos: int = MOST_PHOTOS) -> Path:
    """Write the contact sheet of the newest `photos` photos; the path of its first page.

    The sheet is `report/` in the data set's folder and refers to the crops there, so it moves
    with the data set. Counts are those of the whole data set.
    """
    try:
        return _write(dataset, photos)
    except OSError as error:
        raise DatasetError(
            f"expected to write into {dataset.reports}, but {error.strerror or error}; make room "
            f"there, then run `garmentloop report --dataset {dataset.folder}`"
        ) from error


def page_name(number: int) -> str:
    """File name of page `number`, counted from 1."""
    return "index.html" if number == 1 else f"page-{number}.html"


def _write(dataset: Dataset, most: int) -> Path:
    summary = summarise(dataset)
    chosen = _newest_photos(dataset, most)
    pages = [chosen[i : i + PAGE_PHOTOS] for i in range(0, len(chosen), PAGE_PHOTOS)] or [[]]
    writer = Writer(dataset.run / "scratch")
    shown = [_gathered(dataset, photo_ids) for photo_ids in pages]
    facets = _pages_by_facet(shown)
    dataset.reports.mkdir(parents=True, exist_ok=True)
    # From the last page to the first: whoever opens index.html finds the others written.
    for number in range(len(pages), 0, -1):
        for card in shown[number - 1]:
            _write_thumb(dataset, card.photo_id, writer)
        html = _page(summary, shown[number - 1], number, len(pages), len(chosen), facets)
        _replace(dataset.reports / page_name(number), html)
    _remove_later_pages(dataset.reports, len(pages))
    return dataset.reports / page_name(1)


def _newest_photos(dataset: Dataset, most: int) -> list[str]:
    """Ids of the newest extracted photos, in the order in which they were extracted."""
    runs = dataset.catalog.newest_runs().select(["photo_id", "seq"]).sort_by("seq")
    ids: list[str] = runs.column("photo_id").to_pylist()
    return ids[-most:]


def _gathered(dataset: Dataset, photo_ids: Sequence[str]) -> list[PhotoCard]:
    if not photo_ids:
        return []
    rows = dataset.catalog.rows("photos", where=one_of("photo_id", photo_ids)).to_pylist()
    known = {row["photo_id"]: row for row in rows}
    return list(cards(dataset.catalog, [known[name] for name in photo_ids if name in known]))


def _pages_by_facet(shown: Sequence[Sequence[PhotoCard]]) -> dict[str, list[int]]:
    """On which pages each verdict and doubt occurs, so that a filter can lead there."""
    found: dict[str, list[int]] = {}
    for number, page in enumerate(shown, start=1):
        for facet in sorted({facet for card in page for facet in card.facets}):
            found.setdefault(facet, []).append(number)
    return found


def _page(
    summary: Summary,
    page: Sequence[PhotoCard],
    number: int,
    pages: int,
    photos: int,
    facets: dict[str, list[int]],
) -> str:
    return _template().render(
        summary=summary,
        cards=page,
        number=number,
        pages=pages,
        photos=photos,
        first=(number - 1) * PAGE_PHOTOS + 1,
        page_name=page_name,
        verdicts={str(key): words for key, words in VERDICT_WORDS.items()},
        doubts={str(key): words for key, words in DOUBT_WORDS.items()},
        facets=json.dumps(facets),
        present=set(facets),
        most_problems=SHOWN_PROBLEMS,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=_asset("style.css"),
        script=_asset("script.js"),
    )


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["thousands"] = lambda value: f"{value:,}"
    return environment.from_string(_asset("page.html.jinja"))


@cache
def _asset(name: str) -> str:
    return (files("extract.report") / "templates" / name).read_text(encoding="utf-8")


def _write_thumb(dataset: Dataset, photo_id: str, writer: Writer) -> None:
    """Write the photo as the page shows it, unless it is there: photo ids name the content."""
    path = dataset.reports / "photos" / photo_id[:2] / f"{photo_id}.jpg"
    preview = dataset.preview_path(photo_id)
    if path.exists() or not preview.exists():
        return
    try:
        pixels = decode(preview.read_bytes(), longest=THUMB_SIDE).pixels
    except BadImage:
        return  # the page says that the picture is missing
    writer.write(path, encode_jpeg(pixels, THUMB_QUALITY))


def _replace(path: Path, text: str) -> None:
    """Write a page that appears whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _remove_later_pages(folder: Path, pages: int) -> None:
    """Remove pages of an earlier, longer sheet."""
    for path in folder.glob("page-*.html"):
        number = path.stem.partition("-")[2]
        if number.isdigit() and int(number) > pages:
            path.unlink(missing_ok=True)
