"""Gold garments: those whose answer is known, mixed in again to see how well people answer.

A curator's decision `gold` vouches for what holds. On the server such a task goes by a name of its
own and looks like any other, with the tagger's own word filled in; it is shown to everybody. What
people answer there scores them, and never becomes what holds.
"""

from collections.abc import Collection, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from annotate.studio.choose import excluded_garments
from garments.answers import Answer, answer_of
from garments.ids import ID_LENGTH, stable_id
from garments.said import people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset

GOLD_KIND = "gold"
"""Kind of the decision."""

Row = Mapping[str, Any]


def gold_garments(dataset: "Dataset") -> frozenset[str]:
    """Garments that a curator vouches for, and nobody turned down."""
    rows = dataset.catalog.rows("decisions").to_pylist()
    withdrawn = {row["withdraws"] for row in rows if row["withdraws"]}
    found = {
        row["garment_id"]
        for row in rows
        if row["kind"] == GOLD_KIND and not row["withdraws"] and row["decision_id"] not in withdrawn
    }
    return frozenset(found) - excluded_garments(dataset)


def gold_answers(dataset: "Dataset") -> dict[str, dict[str, Answer]]:
    """What holds of each gold garment by attribute; none that nobody labelled, or is disputed."""
    vouched = gold_garments(dataset)
    found: dict[str, dict[str, Answer]] = {}
    if not vouched:
        return found
    for (garment, attribute), held in people_say_in(dataset).items():
        if garment in vouched and held.value is not None:
            found.setdefault(garment, {})[attribute] = answer_of(held.value)
    return found


def wanted_gold(share: float, tasks: int, alive: int) -> int:
    """How many gold garments to mix in for `share` times `tasks`, of which `alive` are there."""
    return max(0, ceil(share * tasks - 1e-9) - alive)


def draw_gold(known: Collection[str], used: Collection[str], wanted: int) -> list[str]:
    """So many gold garments to mix in, or as many as there are.

    None comes twice: what somebody answers the second time says nothing new.
    """
    return sorted(set(known) - set(used), key=lambda name: stable_id("gold", name))[:wanted]


def gold_name(project_uuid: str, garment_id: str) -> str:
    """What a gold garment is called on the server: no way leads from there to the garment."""
    return stable_id("gold", project_uuid, garment_id)


def mixed(ordinary: Sequence[str], gold: Sequence[str]) -> list[str]:
    """Ordinary garments in their order, with gold ones scattered among them by their names."""
    places = {name: (at + 1) / (len(ordinary) + 1) for at, name in enumerate(ordinary)}
    places |= {name: int(name, 16) / 16**ID_LENGTH for name in gold}
    return sorted([*ordinary, *gold], key=lambda name: places[name])
