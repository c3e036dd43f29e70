"""The page of a rehearsal: what was done, and two plots over the rounds. It needs no network."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from garmentloop.simulate.failures import Failed
from garmentloop.simulate.summary import COLUMNS, Point, Result, Summary, refusals, table_rows
from garments.whole import write_page

PAGE, RECORD = "simulation.html", "simulation.json"

WIDTH, HEIGHT = 320.0, 140.0
"""Of the area inside the axes of a plot; y goes down."""


@dataclass(frozen=True)
class Mark:
    """A point of a plot at (x, y) with its interval from `low` to `high`, and what it says."""

    x: float
    y: float
    low: float
    high: float
    title: str


@dataclass(frozen=True)
class Line:
    """One attribute in a plot."""

    name: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Plot:
    """Shares from 0 to 1 against labels; `ticks` are (x, labels)."""

    title: str
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, int], ...]


def write_record(
    summary: Summary, folder: Path, failed: Sequence[Failed] = ()
) -> tuple[Path, Path]:
    """Write JSON record and HTML page into `folder`; `DatasetError` where they cannot be."""
    record, page = folder / RECORD, folder / PAGE
    write_page(record, json.dumps(summary.as_json(), indent=2) + "\n")
    write_page(page, html(summary, failed))
    return record, page


def html(summary: Summary, failed: Sequence[Failed] = ()) -> str:
    """The page; `failed` are shown as pictures."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = files("garmentloop.simulate") / "templates" / "simulation.html.jinja"
    style = files("extract.report") / "templates" / "style.css"
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        summary=summary,
        failed=failed,
        refusals=refusals(summary),
        columns=COLUMNS,
        rows=table_rows(summary),
        plots=(
            plot("Edit rate", summary.results, "edit_rate"),
            plot("Weighted F1 of the taggers in force", summary.results, "f1"),
        ),
        width=WIDTH,
        height=HEIGHT,
        style=style.read_text(encoding="utf-8"),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def plot(title: str, results: Sequence[Result], what: str) -> Plot:
    """A plot of `edit_rate` or `f1` against labels, a line for each attribute."""
    series: dict[str, tuple[Point, ...]] = {one.attribute: getattr(one, what) for one in results}
    labels = sorted({point.labels for points in series.values() for point in points})
    most = max(labels, default=0) or 1
    lines = tuple(
        Line(name, tuple(_mark(point, most) for point in points if not math.isnan(point.value)))
        for name, points in series.items()
    )
    return Plot(title, lines, tuple((_across(count, most), count) for count in labels))


def _mark(point: Point, most: int) -> Mark:
    low, high = (point.value if math.isnan(end) else end for end in (point.low, point.high))
    title = f"{point.labels:,} garments labelled: {point.value:.3f}"
    return Mark(_across(point.labels, most), _down(point.value), _down(low), _down(high), title)


def _across(labels: int, most: int) -> float:
    return round(WIDTH * labels / most, 1)


def _down(share: float) -> float:
    return round(HEIGHT * (1 - min(max(share, 0.0), 1.0)), 1)
