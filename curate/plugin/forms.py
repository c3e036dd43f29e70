"""The forms of operators, and what they were filled in with."""

from typing import Any

import fiftyone.operators.types as types

from curate.fiftyone.standing import attribute_field
from curate.fiftyone.window import Window
from curate.plugin import context
from curate.plugin.telling import crops
from garments.answers import NOT_VISIBLE, Answer
from garments.errors import BadInput
from garments.taxonomy import Attribute, Value

NOTHING_APPLIES = "nothing_applies"
"""What the form calls an answer without values."""

TAKE_BACK = "take_back"
"""What the form calls it when a word is taken back."""


def problem(inputs: Any, text: str) -> None:
    """Say why this cannot be done; the form cannot be sent then."""
    view = types.Error(label="This cannot be done now", description=text)
    inputs.view("problem", view, invalid=True, error_message=text)


def selection(ctx: Any, inputs: Any) -> list[str]:
    """Say how many crops are selected; `BadInput` where none is."""
    found = context.expect_chosen(ctx)
    inputs.md(f"**{crops(len(found))}** selected", name="selection")
    return found


def name(inputs: Any) -> None:
    """Whose word it is."""
    known = context.names()
    _choice(inputs, "who", known, known[0], "Said by", free=True)


def reason(inputs: Any, reasons: list[str]) -> None:
    """Why, in words of one's own or one of these."""
    _choice(inputs, "reason", reasons, None, "Why", free=True, required=False)


def radio(inputs: Any, name: str, label: str, choices: dict[str, str], default: str) -> str:
    """One of some few things, by value and title; which one is chosen."""
    view = types.RadioGroup(orientation="horizontal")
    for value, title in choices.items():
        view.add_choice(value, label=title)
    inputs.str(name, label=label, default=default, required=True, view=view)
    return default


def attribute(ctx: Any, inputs: Any, window: Window) -> Attribute:
    """Which attribute is set: at first the one that was set last."""
    taxonomy = window.dataset.taxonomy
    wanted = context.asked(taxonomy, str(ctx.params.get("attribute") or ""))
    titles = {one.id: one.title for one in taxonomy.attributes}
    radio(inputs, "attribute", "What", titles, wanted)
    return taxonomy.attribute(wanted)


def value(inputs: Any, window: Window, asked: Attribute, picked: list[str]) -> None:
    """The values to choose from: of a sub-category those that fit what is selected."""
    offered = list(asked.values)
    if asked.parent:
        above = context.held(window, picked, attribute_field(asked.parent))
        offered = [one for one in offered if one.parent in above]
        if not offered:
            parent = window.dataset.taxonomy.attribute(asked.parent)
            raise BadInput(
                f"No {asked.title.lower()} stands under any {parent.title.lower()} that is "
                f"selected; set the {parent.title.lower()} first."
            )
    view = types.AutocompleteView(allow_user_input=False, allow_duplicates=False)
    for one in offered:
        view.add_choice(one.id, label=one.title, description=_described(one))
    view.add_choice(NOT_VISIBLE, label="(not visible)")
    view.add_choice(NOTHING_APPLIES, label="(nothing applies)")
    undo = "What others say counts again, else the tagger"
    view.add_choice(TAKE_BACK, label="(take back what I said)", description=undo)
    label = f"{asked.title}: one or several" if asked.multiple else asked.title
    if asked.multiple:
        inputs.list(_field(asked), types.String(), label=label, required=True, view=view)
    else:
        inputs.str(_field(asked), label=label, required=True, view=view)


def answer(ctx: Any, asked: str) -> Answer | None:
    """What was filled in for an attribute, None where it is taken back; `BadInput` for nothing."""
    given = ctx.params.get(f"value_{asked}")
    values = {given} if isinstance(given, str) else set(given or ())
    if not values - {""}:
        raise BadInput(f"expected a value of {asked}, but none was chosen; choose one")
    if len(values) > 1 and values & {NOT_VISIBLE, NOTHING_APPLIES, TAKE_BACK}:
        raise BadInput("expected values, or one choice in brackets, but got both; leave one out")
    return None if TAKE_BACK in values else frozenset(values - {NOTHING_APPLIES})


def _field(asked: Attribute) -> str:
    """One of its own for each attribute, so that no value stays when another is chosen."""
    return f"value_{asked.id}"


def _described(one: Value) -> str:
    return one.definition


def _choice(
    inputs: Any,
    field: str,
    known: list[str],
    default: str | None,
    label: str,
    *,
    free: bool,
    required: bool = True,
) -> None:
    view = types.AutocompleteView(allow_user_input=free)
    for one in known:
        view.add_choice(one, label=one)
    inputs.str(field, label=label, default=default, required=required, view=view)
