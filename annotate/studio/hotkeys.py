"""Which key gives which answer: every attribute has one row of the keyboard, in reading order.

The first attribute that is asked with chips gets the digits, the next the row below, and so on;
shift and the same row go on where a row is too short. A `hotkey` in the taxonomy goes first. What
is left goes to the commonest entries of menus, which show it beside the entry.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from annotate.studio.controls import Control
from garments.answers import NOT_VISIBLE
from garments.parts import Region
from garments.taxonomy import Attribute

ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")

BAD_CROP_KEYS = ("shift+z", "shift+x", "shift+c", "shift+v")

SILENT = "f19"
"""For whatever has no key: Label Studio would give it the next free letter, without showing it."""

EDITOR_KEYMAP = json.dumps(
    {
        "annotation:submit": {
            "key": "space,ctrl+enter",
            "mac": "space,command+enter",
            "description": "Accept and go on",
        }
    }
)
"""EDITOR_KEYMAP of a server that we start: Space alone accepts. Elsewhere it is Ctrl+Enter.

Not Enter, which chooses in the open menu and would send the form at once.
"""

Answer = tuple[str, str]
"""(attribute, value id or not_visible)"""

_TYPED = re.compile(r"((ctrl|alt|shift)\+)*[a-z0-9]")


def keys_of(asked: Sequence[Control]) -> dict[Answer, str]:
    """Keys by (control, choice): of chips first, then what is left for the entries of menus."""
    keys = assign([control.attributes[0] for control in asked if not control.menu])
    for control in asked:
        if control.menu:
            keys |= assign_menu(control.attributes[0], keys.values())
    return keys


def assign(attributes: Sequence[Attribute]) -> dict[Answer, str]:
    """Keys of the answers to these attributes; answers beyond the keyboard have none."""
    keys: dict[Answer, str] = {}
    free = [key for row in _runs() for key in row]
    for answer, key in _wished(attributes):
        if key in free:
            keys[answer] = key
            free.remove(key)
    for attribute in attributes:
        row = _row(free, sum((attribute.id, value) not in keys for value in attribute.ids) + 1)
        if row:
            keys[attribute.id, NOT_VISIBLE] = row.pop()
        lacking = [value for value in attribute.ids if (attribute.id, value) not in keys]
        keys |= {(attribute.id, value): key for value, key in zip(lacking, row, strict=False)}
        taken = set(keys.values())
        free = [key for key in free if key not in taken]
    return keys


def assign_menu(attribute: Attribute, taken: Iterable[str]) -> dict[Answer, str]:
    """Keys for values of an attribute that is asked with a menu: what the others leave free.

    The first values of every region have theirs first, as a taxonomy names common ones first.
    """
    gone = set(taken)
    keys = {answer: key for answer, key in _wished([attribute]) if key not in gone}
    gone |= set(keys.values())
    free = [key for run in _runs() for key in run if key not in gone]
    lacking = [value for value in _by_turns(attribute) if (attribute.id, value) not in keys]
    return keys | {(attribute.id, value): key for value, key in zip(lacking, free, strict=False)}


def label(key: str) -> str:
    """A key as people read it."""
    *held, last = key.split("+")
    signs = {"shift": "⇧", "ctrl": "Ctrl ", "alt": "Alt "}
    return "".join(signs[name] for name in held) + last.upper()


def _by_turns(attribute: Attribute) -> list[str]:
    """Values in the order in which regions take turns, each with its own values in theirs."""
    places: Counter[Region | None] = Counter()
    ranked = []
    for place, value in enumerate(attribute.values):
        regions: Sequence[Region | None] = value.regions or (None,)
        ranked.append((max(places[region] for region in regions), place, value.id))
        if len(regions) == 1:  # one of several regions takes nobody's turn
            places.update(regions)
    return [value for _, _, value in sorted(ranked)]


def _wished(attributes: Iterable[Attribute]) -> Iterable[tuple[Answer, str]]:
    """Keys that the taxonomy names, where they are keys that a form can have."""
    for attribute in attributes:
        for value in attribute.values:
            key = (value.hotkey or "").lower().replace(" ", "")
            if _TYPED.fullmatch(key):
                yield (attribute.id, value.id), key


def _runs() -> list[list[str]]:
    """The rows as they are, then each with shift."""
    shifted = [["shift+" + key for key in row] for row in ROWS]
    return [list(row) for row in ROWS] + [
        [key for key in row if key not in BAD_CROP_KEYS] for row in shifted
    ]


def _row(free: Sequence[str], needed: int) -> list[str]:
    """Free keys for `needed` answers: the first untouched row, else what is left of the roomiest.

    The last one is far from the others, for `not visible`.
    """
    runs = [[key for key in run if key in free] for run in _runs()]
    for at, row in enumerate(ROWS):
        if len(runs[at]) == len(row):
            return runs[at] + runs[at + len(ROWS)]
    fitting = [run for run in runs if len(run) >= needed]
    return fitting[0] if fitting else max(runs, key=len)
