"""What a rehearsal found, round by round: labels, edit rate, F1, and what was promoted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

from garmentloop.loop.standing import rate_of
from garments.rounds import Round

if TYPE_CHECKING:
    from garmentloop.simulate.run import Rehearsal

CHAMPION = "champion"
"""Key of the taggers in force in the record of a round's evaluation."""


@dataclass(frozen=True)
class Point:
    """Something measured when so many garments were labelled; `low` to `high` is its interval."""

    labels: int
    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Result:
    """One attribute over the rounds: at 0 labels, then after each round.

    `of_proposed` is the edit rate of those answers about which something was proposed.
    """

    attribute: str
    edit_rate: tuple[Point, ...]
    of_proposed: tuple[Point, ...]
    f1: tuple[Point, ...]
    decisions: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """All of it: `rounds` are the names, `labels` garments labelled for training after each."""

    set: str
    options: Mapping[str, Any]
    held_out: int
    studio: bool
    rounds: tuple[str, ...]
    labels: tuple[int, ...]
    results: tuple[Result, ...]
    software: str = field(default_factory=lambda: metadata.version("garmentloop"))

    def as_json(self) -> dict[str, Any]:
        """As plain values, without NaN."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def summarize(rehearsal: "Rehearsal", held_out: int, studio: bool) -> Summary:
    """What the finished rounds of a rehearsal found, for attributes of which the truth is known."""
    known = rehearsal.finished()
    labels = tuple(_labels(one) for one in known)
    attributes = [name for name in rehearsal.set.attributes if _measured(known, name)]
    return Summary(
        rehearsal.set.name,
        asdict(rehearsal.options),
        held_out,
        studio,
        tuple(one.name for one in known),
        labels,
        tuple(_result(known, labels, name) for name in attributes),
    )


def table_rows(summary: Summary) -> list[tuple[object, ...]]:
    """Lines of `COLUMNS`: one a round and attribute."""
    return [
        (
            name,
            labels,
            result.attribute,
            _percent(result.edit_rate[place + 1]),
            _percent(result.edit_rate[0]),
            _percent(result.of_proposed[place + 1]),
            _share(result.f1[place + 1]),
            result.decisions[place].partition(":")[0],
        )
        for place, (name, labels) in enumerate(zip(summary.rounds, summary.labels, strict=True))
        for result in summary.results
    ]


def refusals(summary: Summary) -> list[str]:
    """Why taggers were refused, a sentence a round and attribute."""
    return [
        f"{name}, {result.attribute}: {reason}"
        for place, name in enumerate(summary.rounds)
        for result in summary.results
        if (reason := result.decisions[place].partition(": ")[2])
    ]


COLUMNS = (
    "round",
    "labelled",
    "attribute",
    "edit rate",
    "at first",
    "of what was proposed",
    "F1 in force",
    "decision",
)


def _labels(one: Round) -> int:
    """Garments that people labelled beside those that are held out."""
    found = one.of("pull")
    return int(found.get("garments") or 0) - int(found.get("blind") or 0)


def _measured(known: Sequence[Round], attribute: str) -> bool:
    return any(rate_of(one, "after", attribute) for one in known)


def _result(known: Sequence[Round], labels: Sequence[int], attribute: str) -> Result:
    measured = [(0, rate_of(known[0], "before", attribute))]
    measured += [
        (count, rate_of(one, "after", attribute)) for count, one in zip(labels, known, strict=True)
    ]
    f1 = [Point(0, _f1(known[0], attribute, CHAMPION))]
    f1 += [
        Point(count, _f1(one, attribute, _winner(one, attribute)))
        for count, one in zip(labels, known, strict=True)
    ]
    return Result(
        attribute,
        tuple(_point(count, found, "rate", "low", "high") for count, found in measured),
        tuple(_point(count, found, "shown_rate") for count, found in measured),
        tuple(f1),
        tuple(_decision(one, attribute) for one in known),
    )


def _point(labels: int, found: Mapping[str, Any], *names: str) -> Point:
    numbers = (found.get(name) for name in names)
    return Point(labels, *(math.nan if number is None else float(number) for number in numbers))


def _winner(one: Round, attribute: str) -> str:
    """Key of the tagger that is in force for the attribute after the round."""
    promoted = attribute in (one.of("promote").get("promoted") or {})
    return str(one.of("promote")["model"]) if promoted else CHAMPION


def _f1(one: Round, attribute: str, key: str) -> float:
    figures = (one.of("evaluate").get("figures") or {}).get(attribute, {}).get(key, {})
    found = figures.get("weighted_f1")
    return math.nan if found is None else float(found)


def _decision(one: Round, attribute: str) -> str:
    found = one.of("promote")
    if attribute in (found.get("promoted") or {}):
        return "promoted"
    reason = (found.get("refused") or {}).get(attribute)
    return f"refused: {reason}" if reason else "not judged"


def _percent(point: Point) -> str:
    return "" if math.isnan(point.value) else f"{point.value:.1%}"


def _share(point: Point) -> str:
    return "" if math.isnan(point.value) else f"{point.value:.3f}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
