"""Which values of an attribute are easily taken for each other, as the taxonomy itself tells."""

from itertools import combinations

import numpy as np

from garments.taxonomy import Attribute, Taxonomy, Value, lab
from garments.words import normalised

NEAR = 17.0
"""CIELAB distance of two typical colors below which they are easily confused."""

ALIKE = 0.6
"""Share of the shorter definition's words that the other one has too."""

_FILLING = frozenset(
    ["a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "of", "on", "or", "that"]
) | {"the", "to", "with", "without"}

Pair = tuple[Value, Value]


def look_alikes(attribute: Attribute) -> list[Pair]:
    """Pairs of values to tell apart, in the order of the values.

    Colors whose shades lie close together, values whose definition names the other, and values
    that are defined in much the same words. Values that never meet, because they are of different
    regions or stand under different parents, are none.
    """
    near = _near(attribute)
    return [
        (one, other)
        for one, other in combinations(attribute.values, 2)
        if _meet(one, other)
        and ((one.id, other.id) in near or _names(one, other) or _defined_alike(one, other))
    ]


def _meet(one: Value, other: Value) -> bool:
    if one.parent != other.parent:
        return False
    return not one.regions or not other.regions or bool(set(one.regions) & set(other.regions))


def _names(one: Value, other: Value) -> bool:
    """Whether a definition names the other value, in the singular or the plural."""
    for value, named in ((one, other), (other, one)):
        text, title = f" {normalised(value.definition)} ", normalised(named.title)
        if f" {title} " in text or f" {title}s " in text:
            return True
    return False


def _defined_alike(one: Value, other: Value) -> bool:
    first, second = (set(normalised(v.definition).split()) - _FILLING for v in (one, other))
    shorter = min(len(first), len(second))
    return shorter > 1 and len(first & second) >= ALIKE * shorter


def _near(attribute: Attribute) -> set[tuple[str, str]]:
    """Values with typical colors that lie close together, in both orders."""
    ids, rgb = Taxonomy(attributes=(attribute,)).anchors(attribute.id)
    places = lab(rgb)
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    return {(ids[i], ids[j]) for i, j in np.argwhere(distance < NEAR) if ids[i] != ids[j]}
