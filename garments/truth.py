"""What holds now: the one place that decides which of many answers about a garment counts.

What people said (`garments.said`), else the proposal of the tagger in force for that attribute as
it is read (`garments.proposals`). Where the tagger abstains nothing holds.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from garments.answers import value_of
from garments.proposals import read_proposals
from garments.reading import Reading
from garments.said import Basis, Held, Key, LabelKind, Row, Rules, people_say, people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset

__all__ = ["Basis", "Held", "LabelKind", "Rules", "held_in", "what_holds"]


def what_holds(
    labels: Iterable[Row],
    readings: Mapping[str, Mapping[str, Reading]] | None = None,
    rules: Rules | None = None,
) -> dict[Key, Held]:
    """What holds by (garment_id, attribute), from rows of `labels` in any order.

    `readings` are those of the tagger in force, by garment and attribute.
    """
    return _together(people_say(labels, rules), readings or {})


def held_in(dataset: "Dataset") -> dict[Key, Held]:
    """What holds now for the active garments of a data set, by (garment_id, attribute)."""
    said = people_say_in(dataset)
    held = _together(said, read_proposals(dataset, said))
    active = set(dataset.catalog.active_garments(columns=["garment_id"]).column(0).to_pylist())
    return {key: found for key, found in held.items() if key[0] in active}


def _together(
    said: Mapping[Key, Held], readings: Mapping[str, Mapping[str, Reading]]
) -> dict[Key, Held]:
    held = {
        (garment, attribute): _proposed(garment, attribute, reading)
        for garment, by_attribute in readings.items()
        for attribute, reading in by_attribute.items()
        if not reading.abstained
    }
    return dict(sorted({**held, **said}.items()))


def _proposed(garment: str, attribute: str, reading: Reading) -> Held:
    value = _stored(reading.values)
    return Held(garment, attribute, value, Basis.PROPOSAL, reading.tagger, 0, reading.confidence)


_stored = cache(value_of)  # a hundred thousand garments share a few hundred answers
