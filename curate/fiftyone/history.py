"""The history of one garment: what holds now and why, and who said and decided what, and when."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from curate.fiftyone.facts import Facts, facts
from curate.fiftyone.fields import DECISION_TAGS, holds, label_of
from curate.fiftyone.standing import Standing
from curate.state import Decision, GarmentRow
from garments.answers import answer_of
from garments.catalog import one_of
from garments.dataset import Dataset
from garments.errors import BadInput
from garments.said import Basis, Held, LabelKind

Row = Mapping[str, Any]

_BECAUSE = {
    Basis.ADJUDICATED: "adjudicated by {who}",
    Basis.CURATOR: "{who} said so, as curator",
    Basis.CONSENSUS: "{answers} annotators agree ({who})",
    Basis.ANNOTATOR: "{who} said so, the last of {answers} annotators",
    Basis.IMPORT: "imported from {who}",
}
_NO_VOTE = {
    LabelKind.GOLD: "answer to a check, does not count",
    LabelKind.SIMULATED: "simulated",
}


@dataclass(frozen=True)
class Now:
    """What holds for one attribute, why, and what the taggers propose, each as text."""

    attribute: str
    label: str
    why: str
    proposed: tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """Something that happened; `undone` where it was taken back later."""

    seq: int
    at: datetime
    who: str
    what: str
    undone: bool = False


@dataclass(frozen=True)
class History:
    """One garment with what holds, and its events, oldest first."""

    garment: GarmentRow
    holds: tuple[Now, ...]
    events: tuple[Event, ...]


def history(dataset: Dataset, garment_id: str) -> History:
    """The history of a garment; `BadInput` where there is none of that id."""
    standing = Standing.of(dataset)
    known = facts(standing, [garment_id], {})
    if not known.rows:
        raise BadInput(
            f"expected a garment of {dataset.folder}, but {garment_id!r} is not in the catalogue; "
            "run `garmentloop curate sync`"
        )
    events = sorted(_events(dataset, garment_id), key=lambda event: event.seq)
    return History(known.rows[0], tuple(_now(standing, known)), tuple(events))


def _now(standing: Standing, known: Facts) -> Iterator[Now]:
    row = known.rows[0]
    for attribute in standing.taxonomy.attributes:
        held = known.said.get((row.garment_id, attribute.id))
        found = holds(known, row.garment_id, attribute.id)
        label = label_of(found[0]) if found else ""
        spoken = known.proposals.get(row.garment_id, {}).get(attribute.id, ())
        proposed = tuple(
            f"{label_of(one.values)} {one.confidence:.2f} ({one.model})"
            + (", not sure enough" if one.abstained else "")
            for one in sorted(spoken, key=lambda one: not one.in_force)
            if one.values
        )
        yield Now(attribute.title, label, _why(held, bool(found), bool(spoken)), proposed)


def _why(held: Held | None, known: bool, spoken: bool) -> str:
    """Why that holds, or nothing does."""
    if held is None and known:
        return "the tagger in force proposes it, nobody has spoken"
    if held is None:
        return "the tagger is not sure, nobody has spoken" if spoken else "nobody has spoken"
    if held.value is None:
        return f"annotators disagree ({held.who}): to be adjudicated"
    if held.basis is Basis.ANNOTATOR and held.answers == 1:
        return f"{held.who} said so"
    return _BECAUSE[held.basis].format(who=held.who or "unknown", answers=held.answers)


def _events(dataset: Dataset, garment_id: str) -> Iterator[Event]:
    where = one_of("garment_id", [garment_id])
    labels = dataset.catalog.rows("labels", where=where).to_pylist()
    decisions = dataset.catalog.rows("decisions", where=where).to_pylist()
    yield from _of_labels(labels)
    yield from _of_decisions(decisions)
    for row in dataset.catalog.rows("tasks", where=where).to_pylist():
        yield Event(row["seq"], row["created_at"], "", _sent(row))
    for row in dataset.catalog.rows("extractions", where=where).to_pylist():
        what = {"retire": "retired by an extraction", "revive": "found again by an extraction"}
        if row["kind"] in what:
            yield Event(row["seq"], row["created_at"], "", what[row["kind"]])


def _of_labels(rows: Sequence[Row]) -> Iterator[Event]:
    taken_back = {row["withdraws"] for row in rows if row["withdraws"]}
    by_id = {row["label_id"]: row for row in rows}
    for row in rows:
        said = by_id.get(row["withdraws"] or "", row)
        what = f"{said['attribute']}: {label_of(sorted(answer_of(said['value'])))}"
        kind = LabelKind(row["kind"])
        about = _NO_VOTE.get(kind, str(kind)) + (", by a migration" if row["migration"] else "")
        what = f"{'takes back ' if row['withdraws'] else ''}{what} ({about})"
        undone = row["label_id"] in taken_back
        yield Event(row["seq"], row["created_at"], row["annotator"] or "", what, undone)


def _of_decisions(rows: Sequence[Row]) -> Iterator[Event]:
    taken_back = {row["withdraws"] for row in rows if row["withdraws"]}
    tags = {str(kind): tag for kind, tag in DECISION_TAGS.items()}
    for row in rows:
        what = str(tags.get(row["kind"], row["kind"]))
        what = f"no longer: {what}" if row["withdraws"] else what
        what += f" ({row['note']})" if row["note"] else ""
        undone = row["decision_id"] in taken_back
        yield Event(row["seq"], row["created_at"], row["who"] or "", what, undone)


def _sent(row: Row) -> str:
    """A task, with what its form held."""
    shown = json.loads(row["shown"]) if row["shown"] else {}
    held = [
        f"{name} {label_of(said['values'])}" + _sure(said)
        for name, said in shown.items()
        if said.get("values")
    ]
    form = f"the form held {', '.join(held)}" if held else "the form was empty"
    return f"sent to annotators in {row['round'] or 'a round'}, {form}"


def _sure(said: Row) -> str:
    confidence = said.get("confidence")
    return f" {confidence:.2f}" if isinstance(confidence, int | float) else ""


def decided(garment: GarmentRow) -> list[str]:
    """What is decided about a garment, in the words of its tags."""
    return [DECISION_TAGS[kind] for kind in Decision if kind in garment.decisions]
