"""Which people and garments of a new extraction are those of an earlier one.

Ids are hashes of what was seen at first sight, and people label garments by id. So a thing that
is found again in the same photo, if only with a slightly different box, keeps its id.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from garments.boxes import Box, iou_matrix
from garments.ids import garment_id, person_id, stable_id
from garments.records import Garment, Person

SAME = 0.7
"""Intersection over union from which two boxes of the same kind are the same thing."""


def match_boxes(old: Sequence[Box], new: Sequence[Box], threshold: float = SAME) -> dict[int, int]:
    """New index -> old index, one to one, best overlap first; ties go to the lower indices."""
    if not old or not new:
        return {}
    overlap = iou_matrix(np.array(new), np.array(old))
    pairs = np.argwhere(overlap >= threshold)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -overlap[pairs[:, 0], pairs[:, 1]]))
    matched: dict[int, int] = {}
    used: set[int] = set()
    for new_index, old_index in pairs[order].tolist():
        if new_index not in matched and old_index not in used:
            matched[new_index] = old_index
            used.add(old_index)
    return matched


def keep_person_ids(old: Sequence[Person], new: Sequence[Person]) -> list[Person]:
    """The `new` people of a photo, each with the id of the `old` one it matches, else its own."""
    matched = match_boxes([p.box for p in old], [p.box for p in new])
    taken = {p.person_id for p in old}
    kept = []
    for index, person in enumerate(new):
        if index in matched:
            name = old[matched[index]].person_id
        else:
            name = _free(person_id(person.photo_id, person.box), taken)
        taken.add(name)
        kept.append(replace(person, person_id=name))
    return kept


def keep_garment_ids(
    active: Sequence[Garment], retired: Sequence[Garment], new: Sequence[Garment]
) -> list[Garment]:
    """The `new` garments of a photo, each with the id of the old one it matches, else its own.

    Garments match within one region. Active ones come first: a retired one is only matched by
    what no active one matches.
    """
    names: dict[int, str] = {}
    for old in (active, retired):
        for region in sorted({g.region for g in new}):
            before = [g for g in old if g.region is region]
            rows = [i for i, g in enumerate(new) if g.region is region and i not in names]
            matched = match_boxes([g.box for g in before], [new[i].box for i in rows])
            names |= {rows[row]: before[index].garment_id for row, index in matched.items()}
    taken = {g.garment_id for g in (*active, *retired)}
    kept = []
    for index, garment in enumerate(new):
        name = names.get(index) or _free(_own_id(garment), taken)
        taken.add(name)
        kept.append(replace(garment, garment_id=name))
    return kept


def _own_id(garment: Garment) -> str:
    return garment_id(garment.photo_id, garment.person_id, garment.region, garment.box)


def _free(name: str, taken: set[str]) -> str:
    """`name`, or one derived from it where it belongs to something that has moved since."""
    while name in taken:
        name = stable_id("again", name)
    return name
