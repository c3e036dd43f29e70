"""The page of a comparison: F1 against labels, a line for each strategy. It needs no network."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from garmentloop.simulate.curve import COLUMNS, Curve, Mean, Run, baseline, curves, table_rows
from garmentloop.simulate.page import Line, Mark, Plot
from garments.whole import write_page

if TYPE_CHECKING:
    from garmentloop.simulate.compare import Comparison

PAGE, RECORD = "comparison.html", "curves.json"

WIDTH, HEIGHT = 520.0, 260.0
"""Of the area inside the axes of a plot; y goes down."""

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
_LINES = 8


def write_comparison(
    comparison: "Comparison", runs: Sequence[Run], held_out: int
) -> tuple[Path, Path]:
    """Write JSON record and HTML page; `DatasetError` where they cannot be."""
    record, page = comparison.folder / RECORD, comparison.folder / PAGE
    about = {
        "set": comparison.base.set.name,
        "held_out": held_out,
        "software": metadata.version("garmentloop"),
        "options": asdict(comparison.options),
        "runs": [run.as_json() for run in runs],
    }
    write_page(record, json.dumps(_plain(about), indent=2) + "\n")
    write_page(page, html(comparison, runs, held_out))
    return record, page


def html(comparison: "Comparison", runs: Sequence[Run], held_out: int) -> str:
    """The page."""
    from jinja2 import Environment, StrictUndefined

    from garmentloop.simulate.compare import POOL

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = files("garmentloop.simulate") / "templates" / "comparison.html.jinja"
    style = files("extract.report") / "templates" / "style.css"
    attributes = list(runs[0].f1) if runs else []
    found = {name: curves(runs, name) for name in attributes}
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        set=comparison.base.set.name,
        options=comparison.options,
        held_out=held_out,
        pool=POOL,
        online=sorted({run.seed for run in runs if run.studio}),
        plots=[(name, *plot(name, some)) for name, some in found.items()],
        sentences=[one for some in found.values() for one in sentences(some)],
        columns=COLUMNS,
        rows=table_rows(runs),
        points=[(one.strategy, one.attribute, _points(one)) for s in found.values() for one in s],
        software=metadata.version("garmentloop"),
        width=WIDTH,
        height=HEIGHT,
        style=style.read_text(encoding="utf-8"),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def sentences(found: Sequence[Curve]) -> list[str]:
    """What each strategy saves against the baseline, in words."""
    other = baseline(found)
    return [_sentence(one, other) for one in found if one is not other]


def _sentence(one: Curve, other: Curve) -> str:
    goal = f"what {other.strategy} has with {other.labels[-1]:,} labels ({other.end.value:.3f})"
    needed, gain = one.labels_for(other.end.value), one.against(other)
    begin = f"{one.attribute}, {one.strategy}: "
    if math.isnan(needed):
        return f"{begin}it does not reach {goal}; random choice is as good."
    doubt = "" if gain.low > 0 else " At the end it is not ahead by more than chance."
    share = needed / max(1, other.labels[-1])
    return f"{begin}about {needed:,.0f} labels reach {goal}, {share:.0%}.{doubt}"


def plot(title: str, found: Sequence[Curve]) -> tuple[Plot, list[tuple[float, str]]]:
    """A plot of means with their intervals, and its lines of equal F1 as (y, text)."""
    ends = [end for one in found for mean in one.means for end in _ends(mean)]
    step, low, high = _range(min(ends, default=0.0), max(ends, default=1.0))
    most = max((one.labels[-1] for one in found), default=1) or 1
    labels = sorted({count for one in found for count in one.labels})
    lines = tuple(
        Line(
            one.strategy,
            tuple(
                _mark(count, most, mean, low, high)
                for count, mean in zip(one.labels, one.means, strict=True)
            ),
        )
        for one in found
    )
    ticks = tuple((round(WIDTH * count / most, 1), count) for count in labels)
    levels = [low + at * step for at in range(round((high - low) / step) + 1)]
    grid = [(_down(level, low, high), f"{level:.2f}") for level in levels]
    return Plot(title, lines, ticks), grid


def _range(low: float, high: float) -> tuple[float, float, float]:
    """A step, and a lowest and highest value that are whole steps."""
    step = next((one for one in _STEPS if (high - low) / one <= _LINES), _STEPS[-1])
    first, last = math.floor(low / step) * step, math.ceil(high / step) * step
    return step, first, last if last > first else first + step


def _mark(count: int, most: int, mean: Mean, low: float, high: float) -> Mark:
    first, last = _ends(mean)
    title = f"{count:,} labels: {mean.value:.3f}"
    if mean.low == mean.low:
        title += f" ({mean.low:.3f} to {mean.high:.3f})"
    middle, bottom, top = (_down(one, low, high) for one in (mean.value, first, last))
    return Mark(round(WIDTH * count / most, 1), middle, bottom, top, title)


def _ends(mean: Mean) -> tuple[float, float]:
    return (mean.value, mean.value) if mean.low != mean.low else (mean.low, mean.high)


def _down(value: float, low: float, high: float) -> float:
    return round(HEIGHT * (high - value) / (high - low), 1)


def _points(curve: Curve) -> list[tuple[int, str]]:
    """Labels, and the mean there with its interval."""
    return [
        (
            count,
            f"{mean.value:.3f}"
            + (f" ± {mean.high - mean.value:.3f}" if mean.low == mean.low else ""),
        )
        for count, mean in zip(curve.labels, curve.means, strict=True)
    ]


def _plain(value: object) -> object:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
