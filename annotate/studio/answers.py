"""From readings to a pre-filled form, and from a form that was sent to answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from annotate.studio.controls import (
    BAD_CROP,
    CROP,
    NOTE,
    OK,
    VERDICT,
    Choice,
    Control,
)
from garments.answers import NOT_VISIBLE
from garments.errors import BadInput
from garments.reading import Reading

Verdict = Literal["ok", "bad_crop", "skip"]

Values = dict[str, tuple[str, ...] | str]
"""By attribute: value ids in the taxonomy's order, or `not_visible`."""

Result = list[dict[str, Any]]
"""What Label Studio keeps of a form: one entry a control that holds something."""


@dataclass(frozen=True)
class FormAnswers:
    """What a person said about one garment.

    Attributes that were left empty are not in `values`. `unknown` are (control, choice) pairs that
    this form does not have, only filled where they were to be tolerated.
    """

    values: Values = field(default_factory=dict)
    verdict: Verdict = "ok"
    bad_crop_reason: str | None = None
    note: str | None = None
    unknown: tuple[tuple[str, str], ...] = ()


def prefill(asked: Sequence[Control], readings: Mapping[str, Reading]) -> Result:
    """What the form is filled with: whatever the tagger does not abstain on, and a good crop."""
    held = {
        name: [choice.id for choice in _proposed(control, readings)]
        for control in asked
        for name in [control.name]
    }
    return [choices_entry(name, ids) for name, ids in held.items() if ids] + [
        choices_entry(VERDICT, [OK])
    ]


def fill(asked: Sequence[Control], answers: FormAnswers) -> Result:
    """The form as somebody leaves it who answers that; `read` gives the same answers again."""
    entries = []
    for control in asked:
        ids = _filled(control, answers.values)
        if ids:
            entries.append(choices_entry(control.name, ids))
    entries.append(choices_entry(VERDICT, [answers.bad_crop_reason or OK]))
    if answers.note:
        text = {"text": answers.note.splitlines()}
        entries.append(_entry(NOTE, "textarea", text))
    return entries


def read(
    asked: Sequence[Control], result: Iterable[Mapping[str, Any]], tolerant: bool = False
) -> FormAnswers:
    """What a form says. `BadInput` names a choice that this form does not have.

    With `tolerant` such choices are gathered in `unknown`, and all others are read.
    """
    by_name = {control.name: control for control in asked}
    values: Values = {}
    reason, notes, unknown = None, [], []
    for entry in result:
        name, held = _content(entry)
        if name == NOTE:
            notes += held
        elif name == VERDICT:
            bad = [choice for choice in held if choice != OK]
            unknown += [(name, choice) for choice in bad if choice not in BAD_CROP]
            reason = next((choice for choice in bad if choice in BAD_CROP), None)
        else:
            control = by_name.get(name)
            known = [choice for choice in held if control and choice in control.by_id]
            unknown += [(name, choice) for choice in held if choice not in known]
            if control:
                values |= _said(control, [control.by_id[choice] for choice in known])
    if unknown and not tolerant:
        _refuse(unknown[0], by_name)
    note = "\n".join(line for line in notes if line.strip()) or None
    return FormAnswers(values, "bad_crop" if reason else "ok", reason, note, tuple(unknown))


def choices_entry(name: str, ids: Sequence[str]) -> dict[str, Any]:
    """One entry of a result: these choices of that control."""
    return _entry(name, "choices", {"choices": list(ids)})


def _entry(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"from_name": name, "to_name": CROP, "type": kind, "value": value}


def _proposed(control: Control, readings: Mapping[str, Reading]) -> list[Choice]:
    """The choices that a tagger's words come to: of a chain, as far down as it goes."""
    if control.multiple:
        said = _sure(readings.get(control.name))
        return [choice for choice in control.choices if choice.id in said]
    found: list[str] = []
    for attribute in control.attributes:
        values = _sure(readings.get(attribute.id))
        if not values or "/".join([*found, values[0]]) not in control.by_id:
            break
        found.append(values[0])
    return [control.by_id["/".join(found)]] if found else []


def _sure(reading: Reading | None) -> tuple[str, ...]:
    return () if reading is None or reading.abstained else reading.values


def _filled(control: Control, values: Values) -> list[str]:
    first = values.get(control.name)
    if first is None:
        return []
    if first == NOT_VISIBLE:
        return [NOT_VISIBLE]
    if control.multiple:
        return [choice.id for choice in control.choices if choice.id in first]
    path = [values.get(attribute.id) for attribute in control.attributes]
    return ["/".join(part[0] for part in path if isinstance(part, tuple))]


def _said(control: Control, chosen: Sequence[Choice]) -> Values:
    """Answers in the choices of one control; that it can't be seen goes before any value.

    Values may have been pre-filled, so whoever says `not visible` need not take them away.
    """
    if not chosen:
        return {}
    unseen = [choice for choice in chosen if choice.id == NOT_VISIBLE]
    if unseen:
        return dict(unseen[0].says)
    if control.multiple:
        order = control.attributes[0].ids
        ids = {choice.says[control.name] for choice in chosen}
        return {control.name: tuple(sorted(ids, key=order.index))}
    return {attribute: (value,) for attribute, value in chosen[-1].says.items()}


def _content(entry: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Name of the control and what it holds."""
    try:
        held = entry["value"].get("choices", entry["value"].get("text", []))
        name = entry["from_name"]
    except (AttributeError, KeyError, TypeError):
        name, held = None, None
    held = [held] if isinstance(held, str) else held
    if not isinstance(name, str) or not isinstance(held, list) or not _are_texts(held):
        raise BadInput(
            f"expected an entry of a Label Studio result with from_name and value, but got "
            f"{str(dict(entry) if isinstance(entry, Mapping) else entry)[:200]}; was the form "
            "edited by hand? Put ours back with `garmentloop annotate push`"
        )
    return name, held


def _are_texts(held: Iterable[Any]) -> bool:
    return all(isinstance(one, str) for one in held)


def _refuse(unknown: tuple[str, str], by_name: Mapping[str, Control]) -> None:
    name, choice = unknown
    control = by_name.get(name)
    if control is None and name != VERDICT:
        raise BadInput(
            f"expected an attribute of the taxonomy, one of {', '.join(by_name)}, but the form "
            f"asked for {name!r}; it was edited by hand or made from another taxonomy"
        )
    known = list(control.by_id) if control else [OK, *BAD_CROP]
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    raise BadInput(
        f"expected a choice of {name}, one of {shown}, but got {choice!r}; the form was edited "
        "by hand or made from another taxonomy"
    )
