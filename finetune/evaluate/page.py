"""The page of an evaluation: taggers side by side, with plots and the worst failures as pictures.

One file with its plots and pictures inside, which needs no network.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from curate.release.pages import asset
from finetune.evaluate.contenders import CHAMPION, RULE, ZERO_SHOT
from finetune.evaluate.failures import confusions, matrix, worst
from finetune.evaluate.figures import NAMES, Figure, Scored, difference
from finetune.evaluate.run import Evaluation
from garments.calibration_page import SIDE, bars
from garments.measured import Curve
from garments.taxonomy import Attribute
from garments.whole import write_page

if TYPE_CHECKING:
    from jinja2 import Template

    from garments.dataset import Dataset

TITLES = dict(
    zip(
        NAMES,
        ("accuracy", "macro F1", "weighted F1", "P@1", "P@3", "ECE", "coverage", "precision"),
        strict=True,
    )
)
PLOTTED = ("accuracy", "macro_f1", "weighted_f1", "precision_at_3", "coverage", "precision")
"""Figures that have bars; of all of them more is better."""

_FIXED = (ZERO_SHOT, RULE, CHAMPION)


@dataclass(frozen=True, eq=False)
class Shown:
    """One row of a table: contenders that are one and the same for an attribute, as one.

    `gained` is by how much a challenger is right more often than the tagger in force.
    """

    key: str
    look: str
    roles: str
    model: str
    scored: Scored
    gained: Figure | None = None

    @property
    def figures(self) -> dict[str, Figure]:
        """By name."""
        return self.scored.figures

    @property
    def curve(self) -> Curve:
        """Reliability, as calibration pages draw it."""
        error = self.figures["ece"]
        return Curve(error.value, error.low, error.high, tuple(self.scored.bins))


@dataclass(frozen=True, eq=False)
class Section:
    """One attribute. `focus` is the tagger whose failures are shown: a challenger, if any."""

    attribute: Attribute
    shown: list[Shown]
    focus: Shown

    @property
    def labels(self) -> int:
        """How many."""
        return len(self.focus.scored)


def page_of(dataset: "Dataset", release: str) -> Path:
    """Where the page of a release lies."""
    return dataset.reports / f"evaluation-{release}.html"


def write_evaluation_page(dataset: "Dataset", found: Evaluation) -> Path:
    """Write the page into the data set's reports; its path. `DatasetError` where it cannot be."""
    page = page_of(dataset, found.held_out.name)
    again = f"`garmentloop evaluate tagger --dataset {dataset.folder} --page`"
    write_page(page, _html(dataset, found), again)
    return page


def _html(dataset: "Dataset", found: Evaluation) -> str:
    sections = [_section(found, name) for name in found.scored]
    return _template().render(
        name=dataset.settings.name,
        simulated=dataset.settings.simulated,
        found=found,
        sections=sections,
        photos=len(set(found.held_out.photo_ids)),
        titles=TITLES,
        plotted=PLOTTED,
        better={section.attribute.id: _verdict(section.focus.gained) for section in sections},
        verdict=_verdict,
        worst=lambda section: worst(section.focus.scored, found.held_out),
        confusions=confusions,
        matrix=matrix,
        bars=bars,
        side=SIDE,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style="".join(
            [
                asset("style.css", "extract.report"),
                asset("datasheet.css"),
                asset("evaluation.css", "finetune.evaluate"),
            ]
        ),
    )


def _section(found: Evaluation, attribute: str) -> Section:
    shown = _shown(found, attribute)
    by_key = found.scored[attribute]
    keys = [key for key in found.cast.challengers if key in by_key]
    focus = keys[0] if keys else CHAMPION if CHAMPION in by_key else next(iter(by_key))
    row = next(one for one in shown if focus in one.key.split(" "))
    return Section(found.taxonomy.attribute(attribute), shown, row)


def _shown(found: Evaluation, attribute: str) -> list[Shown]:
    """Contenders by who really speaks, so that nobody stands there twice."""
    return [_row(found, attribute, keys) for keys in found.alike(attribute)]


def _row(found: Evaluation, attribute: str, keys: list[str]) -> Shown:
    by_key = found.scored[attribute]
    scored, champion = by_key[keys[0]], by_key.get(CHAMPION)
    challenges = keys[0] in found.cast.challengers and champion is not None
    return Shown(
        " ".join(keys),
        _look(found, keys),
        ", ".join(dict.fromkeys(found.contenders[key].title for key in keys)),
        found.contenders[keys[0]].model(attribute),
        scored,
        difference(scored, champion) if challenges and champion else None,
    )


def _look(found: Evaluation, keys: list[str]) -> str:
    """Its color on the page: that of the tagger in force goes before the others'."""
    if CHAMPION in keys:
        return CHAMPION
    place = {key: f"c{at % 4}" for at, key in enumerate(found.cast.challengers)}
    return keys[0] if keys[0] in _FIXED else place[keys[0]]


def _verdict(gained: Figure | None) -> str:
    if gained is None:
        return ""
    return "better" if gained.low > 0 else "worse" if gained.high < 0 else "not clearly different"


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: dict[str, Callable[..., str]] = {
        "number": lambda value: f"{value:,}",
        "percent": _percent,
        "points": lambda value: f"{100 * value:+.1f}",
        "at": lambda value: f"{value:.2f}".rstrip("0").rstrip("."),
        "figure": lambda value: _DASH if value != value else f"{value:.3f}",
    }
    environment.filters |= filters
    text = (files("finetune.evaluate") / "templates" / "evaluation.html.jinja").read_text("utf-8")
    return environment.from_string(text)


_DASH = "–"  # noqa: RUF001 - a dash is meant


def _percent(value: float) -> str:
    return _DASH if value != value else f"{100 * value:.1f} %"
