"""`garmentloop status`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from garmentloop.console import out, table
from garmentloop.options import DatasetOption, JsonFlag

if TYPE_CHECKING:
    from garments.rounds import Round
    from garments.status import LoopStatus, Status


def status(dataset: DatasetOption, as_json: JsonFlag = False) -> None:
    """Count what is in a data set, and say where the loop stands.

    Photos, people by verdict, garments by region, labels; then tasks that wait
    for people, garments that people labelled, rounds with their edit rates,
    the promoted tagger of each attribute, and what to do next.

    Examples:

      garmentloop status --dataset datasets/mine
      garmentloop status --dataset datasets/mine --json
    """
    from garmentloop.loop.standing import edit_rates_by_round, next_thing
    from garments.dataset import Dataset
    from garments.rounds import rounds
    from garments.status import status as count

    data = Dataset.open(dataset)
    counted, known = count(data), rounds(data)
    if as_json:
        more = {"edit_rates": edit_rates_by_round(known), "next": next_thing(counted)}
        text = json.dumps(asdict(counted) | more, indent=2, default=str)
        out.print(text, markup=False)
        return
    table((counted.name, "count", "of which"), rows(counted))
    if known:
        _tell_rounds(known)
    if counted.loop.champions:
        _tell_champions(data.settings.models.tagger, counted.loop)
    out.print(f"\nNext: {next_thing(counted)}", markup=False)


def rows(counted: "Status") -> Iterator[tuple[str, int, str]]:
    """The lines of the table: what, how many, and how they divide."""
    yield "photos", sum(counted.photos.values()), _parts(counted.photos)
    if counted.unread:
        yield "sources without a photo", counted.unread, ""
    yield "photos extracted", counted.extracted, ""
    yield "people", sum(counted.people.values()), _parts(counted.people)
    yield "garments", sum(counted.garments.values()), _parts(counted.garments)
    if counted.retired:
        yield "garments retired", counted.retired, ""
    yield "proposals", counted.proposals, ""
    yield "embeddings", counted.embeddings, ""
    yield "labels", sum(counted.labels.values()), _parts(counted.labels)
    yield from _loop_rows(counted.loop)


def _loop_rows(loop: "LoopStatus") -> Iterator[tuple[str, int, str]]:
    from garmentloop.loop.standing import next_step

    if loop.corrected:
        yield "garments corrected", loop.corrected, "by people, imports left out"
    if loop.waiting:
        yield "tasks waiting", loop.waiting, f"blind {loop.blind:,}" if loop.blind else ""
    if loop.rounds or loop.current:
        now = f"now {loop.current}, at {next_step(loop.done)}" if loop.current else ""
        yield "rounds done", loop.rounds, now


def _tell_rounds(known: "list[Round]") -> None:
    from garmentloop.loop.standing import ROUND_COLUMNS, round_rows

    out.print()
    table(ROUND_COLUMNS, round_rows(known))


def _tell_champions(otherwise: str, loop: "LoopStatus") -> None:
    named = ", ".join(f"{name} {model}" for name, model in loop.champions.items())
    out.print(f"\nIn force: {named}; elsewhere {otherwise} and the rules", markup=False)


def _parts(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count:,}" for name, count in ordered)
