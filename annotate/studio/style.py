"""The form's looks: a style sheet that is fixed, and rules that depend on what is asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from annotate.studio import hotkeys
from annotate.studio.controls import NOTE, VERDICT, Control
from garments.parts import Region


def region_class(region: str) -> str:
    """Class that tells a garment's region to the style sheet."""
    return f"gl-region-{Region(region)}"


def style(
    asked: Sequence[Control], keys: Mapping[hotkeys.Answer, str], adjudicates: bool = False
) -> str:
    """CSS for a form with these questions, of which `keys` has the keys by (control, choice).

    One that `adjudicates` has what people said above the questions.

    Label Studio escapes `>`, `<` and `&` in it, so that no rule may use them.
    """
    names = [control.name for control in asked]
    rules = [_sheet("form.css"), *([_sheet("verdict.css")] if adjudicates else [])]
    for row, name in enumerate([*names, VERDICT, NOTE], 2 if adjudicates else 1):
        rules.append(f".gl-field-{name} {{ grid-row: {row}; }}")
    if adjudicates:  # below all fields, of which most are hidden and leave their rows free
        rules.append(f".gl-help {{ grid-row: {len(names) + 4}; }}")
    for row, control in enumerate(asked, 1):
        rules += _bars(control, row)
        name = control.name
        rules.append(
            f".gl-fields:has(.gl-without-{name}) .gl-field-{name} {{ display: none !important; }}"
        )
        if control.menu:
            rules += [*_menus(control), *_menu_keys(control, keys)]
    return "\n".join(rules)


def _bars(control: Control, row: int) -> Iterator[str]:
    """The bars of one field, side by side from the right, each named where there are several."""
    right = 12.0
    for attribute in reversed(control.attributes):
        bar = f".gl-bar-{attribute.id}"
        yield f"{bar} {{ grid-row: {row}; right: {right:.0f}px; }}"
        yield (
            f".gl-fields:has(.gl-low-{attribute.id}) .gl-field-{control.name} "
            "{ --gl-mark: var(--gl-low); }"
        )
        if len(control.attributes) > 1:
            yield f'{bar}::before {{ content: "{_quoted(attribute.title)}"; }}'
            right += 110 + 7 * len(attribute.title)


def _quoted(text: str) -> str:
    """Text within quotes; what Label Studio would escape is left out."""
    kept = "".join(letter for letter in text if letter not in "<>&")
    return kept.replace("\\", "\\\\").replace('"', '\\"')


def _menus(control: Control) -> Iterator[str]:
    """In the menu, only what the garment's region allows; the menu is known by its first entry."""
    text = control.choices[0].text
    if set(text) & set("<>&"):
        return
    first = _quoted(text)
    menu = f'[data-testid="select-popup"]:has([data-testid="select-option-{first}"])'
    for region in Region:
        if region is Region.UNKNOWN:
            continue
        hidden = [
            place
            for place, choice in enumerate(control.choices, 1)
            if choice.regions and region not in choice.regions
        ]
        places = [f":nth-child(n+{start}):nth-child(-n+{end})" for start, end in _stretches(hidden)]
        if places:
            yield (
                f"body:has(.{region_class(region)}) {menu} [cmdk-item]:is({', '.join(places)})"
                " { display: none; }"
            )


def _menu_keys(control: Control, keys: Mapping[hotkeys.Answer, str]) -> Iterator[str]:
    """In the menu, the key beside the entry that it gives."""
    for choice in control.choices:
        key = keys.get((control.name, choice.id))
        if key and not set(choice.text) & set("<>&"):
            entry = f'[data-testid="select-option-{_quoted(choice.text)}"]'
            place = f'{entry} [data-testid="select-option-label"]::after'
            yield f'{place} {{ content: "{hotkeys.label(key)}"; }}'


def _stretches(places: Iterable[int]) -> list[tuple[int, int]]:
    """Neighbouring numbers as (first, last)."""
    found: list[tuple[int, int]] = []
    for place in places:
        if found and found[-1][1] == place - 1:
            found[-1] = (found[-1][0], place)
        else:
            found.append((place, place))
    return found


@cache
def _sheet(name: str) -> str:
    return (files("annotate.studio") / name).read_text(encoding="utf-8").strip()
