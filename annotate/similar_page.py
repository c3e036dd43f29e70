"""The page that `garmentloop similar` writes: the crop that was searched for, and what is near."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.similar import Neighbour, Similar
from garments.dataset import Dataset, crop_name
from garments.images import encode_jpeg, fit
from garments.proposals import readings
from garments.whole import write_page

if TYPE_CHECKING:
    from jinja2 import Template

FOLDER = "similar"
"""Below the data set's reports."""

_UP = "../../"
"""From a page to the data set's folder, so that both move together."""

_THUMB_SIDE = 320


@dataclass(frozen=True)
class Card:
    """One crop on the page: what `src` of its picture is, and what is proposed for it."""

    neighbour: Neighbour
    src: str
    labels: tuple[str, ...]


def page_path(dataset: Dataset, key: str) -> Path:
    """Where the page about a query is."""
    return dataset.reports / FOLDER / f"{key}.html"


def write_similar(dataset: Dataset, found: Similar) -> Path:
    """Write the page about `found`; its path. `DatasetError` where it cannot be written."""
    path = page_path(dataset, found.key)
    shown = [*found.neighbours, *([found.garment] if found.garment else [])]
    labels = proposed_labels(dataset, [one.garment_id for one in shown])
    cards = [_card(one, labels) for one in found.neighbours]
    text = _template().render(
        title=found.title,
        name=dataset.settings.name,
        model=found.model,
        query=_card(found.garment, labels) if found.garment else None,
        picture=_picture(found),
        cards=cards,
        link=lambda one: f"{one.garment_id}.html",
        linked={one.garment_id for one in shown if page_path(dataset, one.garment_id).exists()},
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=_asset("extract.report", "style.css") + _asset("annotate", "similar.css"),
    )
    write_page(path, text)
    return path


def proposed_labels(dataset: Dataset, garment_ids: list[str]) -> dict[str, tuple[str, ...]]:
    """Titles of the values proposed for each garment, in the taxonomy's order; no "don't know"."""
    titles = {a.id: {v.id: v.title for v in a.values} for a in dataset.taxonomy.attributes}
    return {
        garment_id: tuple(
            " & ".join(titles[attribute][value] for value in said[attribute].values)
            for attribute in titles
            if attribute in said and said[attribute].values and not said[attribute].abstained
        )
        for garment_id, said in readings(dataset, garment_ids).items()
    }


def _card(one: Neighbour, labels: dict[str, tuple[str, ...]]) -> Card:
    return Card(one, _UP + crop_name(one.crop_sha), labels.get(one.garment_id, ()))


def _picture(found: Similar) -> str:
    """The picture that was given, small and within the page: its file may go away."""
    if found.pixels is None:
        return ""
    data = encode_jpeg(fit(found.pixels, _THUMB_SIDE), 85)
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_asset("annotate", "similar.html.jinja"))


@cache
def _asset(package: str, name: str) -> str:
    return (files(package) / "templates" / name).read_text(encoding="utf-8")
