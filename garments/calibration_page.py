"""The page that shows how far taggers' confidence can be believed: reliability diagrams."""

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garments.calibrate import FEWEST, Calibrated
from garments.fitting import NEVER
from garments.measured import Curve
from garments.whole import write_page

if TYPE_CHECKING:
    from jinja2 import Template

    from garments.dataset import Dataset

PAGE = "calibration.html"

SIDE = 200
"""Side of a diagram in its own units."""

_BAR_LEAST = 1.5
"""Height of a bar that stands for no hits at all, so that it is seen."""


def write_calibration_page(dataset: "Dataset", found: Calibrated) -> Path:
    """Write the page into the data set's reports; its path. It needs no network."""
    page = dataset.reports / PAGE
    again = f"`garmentloop calibrate --dataset {dataset.folder}`"
    write_page(page, _html(dataset, found), again)
    return page


def bars(curve: Curve) -> list[dict[str, float]]:
    """One bar a bin that has labels, in a square of `SIDE` whose y goes down.

    `x`, `width`, `y`, `height` of the bar (accuracy), `mark` the height of the mean confidence,
    `weight` in [0, 1] by how many labels it has.
    """
    most = max((each.count for each in curve.bins), default=0)
    found = []
    for each in curve.bins:
        if each.count:
            height = max(_BAR_LEAST, each.accuracy * SIDE)
            found.append(
                {
                    "x": each.low * SIDE,
                    "width": (each.high - each.low) * SIDE,
                    "y": SIDE - height,
                    "height": height,
                    "mark": SIDE - each.confidence * SIDE,
                    "weight": (each.count / most) ** 0.5,
                    "count": each.count,
                    "accuracy": each.accuracy,
                    "confidence": each.confidence,
                }
            )
    return found


def _html(dataset: "Dataset", found: Calibrated) -> str:
    titles = {attribute.id: attribute.title for attribute in dataset.taxonomy.attributes}
    groups = groupby(found.measured, key=lambda each: each.attribute)
    return _template().render(
        name=dataset.settings.name,
        attributes=[(titles[attribute], list(each)) for attribute, each in groups],
        promoted={(each.attribute, each.speaker): each for each in found.promoted},
        replaced={each.attribute for each in found.promoted},
        labels=found.labels,
        wished=found.wished,
        fewest=FEWEST,
        never=NEVER,
        side=SIDE,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": _percent, "bars": bars}
    text = (files("garments") / "data" / "calibration.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(text)


def _percent(value: Any) -> str:
    return "none" if isnan(value) else f"{100 * value:.1f} %"
