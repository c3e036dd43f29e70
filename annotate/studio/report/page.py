"""Writing the report: one page with its plots inside, which needs no network; and its figures."""

import json
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.studio.outcomes import Ledger, Outcome, RoundCounts
from annotate.studio.report import figures, plots
from annotate.studio.report.data import as_data
from annotate.studio.report.differences import heats
from annotate.studio.team import Team, team
from garments.whole import write_page

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

    from garments.dataset import Dataset

PAGE, DATA = "annotation.html", "annotation.json"

WORDS = {
    Outcome.ACCEPTED: "accepted",
    Outcome.CHANGED: "changed",
    Outcome.EMPTIED: "emptied",
    Outcome.FILLED: "filled in",
    Outcome.OPEN: "left open",
}
"""Outcomes as people read them, in the order of the bars."""


def write_report(dataset: "Dataset", ledger: Ledger, found: Team | None = None) -> Path:
    """Write the page into the data set's reports, and its figures as JSON beside it; its path.

    `found` has the figures of the team, which are computed where it is left out. `DatasetError`
    where nothing can be written.
    """
    found = found or team(dataset)
    page = dataset.reports / PAGE
    again = f"`garmentloop annotate report --dataset {dataset.folder}`"
    data = json.dumps(as_data(dataset, ledger, found), indent=1, ensure_ascii=False)
    write_page(dataset.reports / DATA, data + "\n", again)
    write_page(page, _html(dataset, ledger, found), again)
    return page


def _html(dataset: "Dataset", ledger: Ledger, found: Team) -> str:
    filled, blind = figures.overall(ledger)
    times, blind_times = (figures.Times(tuple(ledger.seconds(b))) for b in (False, True))
    titles = {attribute.id: attribute.title for attribute in dataset.taxonomy.attributes}
    return _template("ledger.html.jinja").render(
        name=dataset.settings.name,
        simulated=dataset.settings.simulated,
        titles=titles,
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
        team=_of_team(dataset, found, titles),
        outcomes=WORDS,
        plots=plots,
        fewest=figures.FEWEST,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=_asset("extract.report", "style.css") + _asset(__package__, "ledger.css"),
    )


def _of_team(dataset: "Dataset", found: Team, titles: dict[str, str]) -> "Markup":
    """The part of the page about the team, empty where there is nothing to tell."""
    from markupsafe import Markup

    shown = heats(found.agreements, dataset.taxonomy.attributes)
    made = _template("team.html.jinja").render(team=found, titles=titles, heats=shown)
    return Markup(made)


def _sum(ledger: Ledger) -> RoundCounts:
    parts = [vars(counts) for counts in ledger.rounds.values()]
    return RoundCounts(**{name: sum(part[name] for part in parts) for name in vars(RoundCounts())})


@cache
def _template(name: str) -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters = {"percent": _percent, "number": _number, "plain": _plain, "at": _at, "time": _time}
    environment.filters |= filters
    return environment.from_string(_asset(__package__, name))


@cache
def _asset(package: str, name: str) -> str:
    return (files(package) / "templates" / name).read_text(encoding="utf-8")


def _percent(value: float) -> str:
    return "–" if isnan(value) else f"{100 * value:.1f} %"  # noqa: RUF001 - a dash is meant


def _time(value: float) -> str:
    return "–" if isnan(value) else f"{value:.1f} s"  # noqa: RUF001


def _plain(value: float) -> str:
    return "–" if isnan(value) else f"{value:.2f}"  # noqa: RUF001


def _number(value: Any) -> str:
    return f"{value:,}"


def _at(value: float) -> str:
    """A coordinate."""
    return f"{value:.1f}"
