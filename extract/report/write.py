"""Writing the contact sheet: pages that open without a network, beside the pictures they show."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from extract.files import Writer
from extract.report.cards import PhotoCard, cards
from extract.report.order import PAGE_PHOTOS, Order, Sheet
from extract.report.proposed import LABEL_DOUBT_WORDS, Proposed, proposed
from extract.report.summary import DOUBT_WORDS, SHOWN_PROBLEMS, VERDICT_WORDS, Summary, summarise
from garments.atwork import at_work
from garments.catalog import one_of
from garments.dataset import Dataset
from garments.errors import BadImage, DatasetError
from garments.images import decode, encode_jpeg
from garments.whole import write_whole

if TYPE_CHECKING:
    from jinja2 import Template

MOST_PHOTOS = 3000
"""Photos shown unless told otherwise: the newest ones."""

THUMB_SIDE, THUMB_QUALITY = 640, 82
"""Longer side in pixels of the photos on the pages."""


def write_report(dataset: Dataset, photos: int = MOST_PHOTOS) -> Path:
    """Write the contact sheet of the newest `photos` photos; the path of its first page.

    The sheet is `report/` in the data set's folder and refers to the crops there, so it moves
    with the data set. Counts are those of the whole data set, but for
    proposals, which are read for these photos.
    """
    try:
        with at_work(dataset):
            return _write(dataset, photos)
    except OSError as error:
        raise DatasetError(
            f"expected to write into {dataset.reports}, but {error.strerror or error}; make room "
            f"there, then run `garmentloop report --dataset {dataset.folder}`"
        ) from error


def _write(dataset: Dataset, most: int) -> Path:
    chosen = _newest_photos(dataset, most)
    proposals = proposed(dataset, chosen)
    summary = summarise(dataset, proposals)
    shown = _gathered(dataset, chosen, proposals)
    orders = list(Order) if any(card.proposals for card in shown) else [Order.EXTRACTED]
    writer = Writer(dataset.run / "scratch")
    dataset.reports.mkdir(parents=True, exist_ok=True)
    for card in shown:
        _write_thumb(dataset, card.photo_id, writer)
    # From the last page to the first: whoever opens index.html finds the others written.
    for order in reversed(Order):
        sheet = Sheet.of(order, shown)
        last = len(sheet.pages) if order in orders else 0
        for number in range(last, 0, -1):
            html = _page(summary, sheet, number, len(shown), orders)
            write_whole(dataset.reports / order.page_name(number), html)
        _remove_later_pages(dataset.reports, order, last)
    return dataset.reports / Order.EXTRACTED.page_name(1)


def _newest_photos(dataset: Dataset, most: int) -> list[str]:
    """Ids of the newest extracted photos, in the order in which they were extracted."""
    runs = dataset.catalog.newest_runs().select(["photo_id", "seq"]).sort_by("seq")
    ids: list[str] = runs.column("photo_id").to_pylist()
    return ids[-most:]


def _gathered(
    dataset: Dataset, photo_ids: Sequence[str], proposals: Mapping[str, Proposed]
) -> list[PhotoCard]:
    found: list[PhotoCard] = []
    for start in range(0, len(photo_ids), PAGE_PHOTOS):
        some = photo_ids[start : start + PAGE_PHOTOS]
        rows = dataset.catalog.rows("photos", where=one_of("photo_id", some)).to_pylist()
        known = {row["photo_id"]: row for row in rows}
        photos = [known[name] for name in some if name in known]
        found += cards(dataset.catalog, photos, proposals)
    return found


def _page(summary: Summary, sheet: Sheet, number: int, photos: int, orders: Sequence[Order]) -> str:
    return _template().render(
        summary=summary,
        cards=sheet.pages[number - 1],
        number=number,
        pages=len(sheet.pages),
        photos=photos,
        first=(number - 1) * PAGE_PHOTOS + 1,
        order=sheet.order,
        orders=orders,
        verdicts={str(key): words for key, words in VERDICT_WORDS.items()},
        doubts={str(key): words for key, words in DOUBT_WORDS.items()} | LABEL_DOUBT_WORDS,
        facets=json.dumps(sheet.facets),
        present=set(sheet.facets),
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


def _remove_later_pages(folder: Path, order: Order, pages: int) -> None:
    """Remove pages of an earlier, longer sheet."""
    for path in folder.glob(f"{order.stem}-*.html"):
        number = path.stem.partition("-")[2]
        if number.isdigit() and int(number) > pages:
            path.unlink(missing_ok=True)
    if not pages:
        (folder / order.page_name(1)).unlink(missing_ok=True)
