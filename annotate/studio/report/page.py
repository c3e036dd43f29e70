"""Writing the report: one page with its plots inside, which needs no network."""

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.studio.outcomes import Ledger, Outcome, RoundCounts
from annotate.studio.report import figures, plots
from garments.whole import write_page

if TYPE_CHECKING:
    from jinja2 import Template

    from garments.dataset import Dataset

PAGE = "annotation.html"

WORDS = {
    Outcome.ACCEPTED: "accepted",
    Outcome.CHANGED: "changed",
    Outcome.EMPTIED: "emptied",
    Outcome.FILLED: "filled in",
    Outcome.OPEN: "left open",
}
"""Outcomes as people read them, in the order of the bars."""


def write_report(dataset: "Dataset", ledger: Ledger) -> Path:
    """Write the page into the data set's reports; its path. `DatasetError` where it cannot be."""
    page = dataset.reports / PAGE
    again = f"`garmentloop annotate report --dataset {dataset.folder}`"
    write_page(page, _html(dataset, ledger), again)
    return page


def _html(dataset: "Dataset", ledger: Ledger) -> str:
    filled, blind = figures.overall(ledger)
    times, blind_times = (figures.Times(tuple(ledger.seconds(b))) for b in (False, True))
    return _template().render(
        name=dataset.settings.name,
        simulated=dataset.settings.simulated,
        titles={attribute.id: attribute.title for attribute in dataset.taxonomy.attributes},
        ledger=ledger,
        counts=_sum(ledger),
        filled=filled,
        blind=blind,
        times=times,
        blind_times=blind_times,
        saving=figures.saving(times.values, blind_times.values),
        versions=figures.versions(ledger),
        rounds=figures.rounds(ledger),
        anchoring=figures.anchoring(ledger),
        people=figures.people(ledger),
        outcomes=WORDS,
        plots=plots,
        fewest=figures.FEWEST,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=_asset("extract.report", "style.css") + _asset(__package__, "ledger.css"),
    )


def _sum(ledger: Ledger) -> RoundCounts:
    parts = [vars(counts) for counts in ledger.rounds.values()]
    return RoundCounts(**{name: sum(part[name] for part in parts) for name in vars(RoundCounts())})


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": _percent, "number": _number, "at": _at, "time": _time}
    return environment.from_string(_asset(__package__, "ledger.html.jinja"))


@cache
def _asset(package: str, name: str) -> str:
    return (files(package) / "templates" / name).read_text(encoding="utf-8")


def _percent(value: float) -> str:
    return "–" if isnan(value) else f"{100 * value:.1f} %"  # noqa: RUF001 - a dash is meant


def _time(value: float) -> str:
    return "–" if isnan(value) else f"{value:.1f} s"  # noqa: RUF001


def _number(value: Any) -> str:
    return f"{value:,}"


def _at(value: float) -> str:
    """A coordinate."""
    return f"{value:.1f}"
