"""What the catalogue knows of each garment that matters for its part, read once."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from curate.split.stated import Stated, stated_parts
from curate.state import GarmentState, garment_rows
from garments.answers import NOT_VISIBLE, answer_of
from garments.said import LabelKind, audit_slice, people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset

Duplicates = Callable[["Dataset"], Mapping[str, str]]
"""Names of duplicate groups by garment_id, of garments that are copies."""


@dataclass(frozen=True)
class Facts:
    """Plain facts, all by garment_id unless told otherwise.

    `photos` has all garments, retired ones too, since they may come back; `active` those that a
    release may have. `values` are what people hold, as `attribute=value`, an empty tuple where they
    named none. `sources` are rows with photo_id, handle and seq.
    """

    photos: Mapping[str, str]
    active: Collection[str] = frozenset()
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    audit: Collection[str] = frozenset()
    duplicates: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[Mapping[str, Any]] = ()
    stated: Stated = field(default_factory=Stated)


def read_facts(dataset: "Dataset", duplicates: Duplicates) -> Facts:
    """What a data set knows now; `duplicates` names groups of copies."""
    rows = garment_rows(dataset)
    photos = {row.garment_id: row.photo_id for row in rows}
    columns = ["photo_id", "handle", "seq", "split"]
    sources = dataset.catalog.rows("sources", columns, "photo_id IS NOT NULL").to_pylist()
    words = [(row["photo_id"], row["split"]) for row in sources if row["split"]]
    return Facts(
        photos,
        frozenset(row.garment_id for row in rows if row.state is GarmentState.ACTIVE),
        _values(dataset),
        audit_slice(dataset),
        duplicates(dataset),
        sources,
        stated_parts(words, _sets(dataset, photos) if words else {}),
    )


def _values(dataset: "Dataset") -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for (garment, attribute), held in people_say_in(dataset).items():
        found[garment] += _named(attribute, held.value)
    return {garment: tuple(sorted(values)) for garment, values in found.items()}


@cache  # a hundred thousand garments share a few hundred answers
def _named(attribute: str, value: str | None) -> tuple[str, ...]:
    answer = answer_of(value) if value else frozenset[str]()
    return tuple(f"{attribute}={one}" for one in sorted(answer) if one != NOT_VISIBLE)


def _sets(dataset: "Dataset", photos: Mapping[str, str]) -> dict[str, set[str]]:
    """Names of the imported sets that labelled something on a photo, by photo_id."""
    where = f"kind = '{LabelKind.IMPORT}'"
    labels = dataset.catalog.rows("labels", ["garment_id", "annotator"], where)
    found: dict[str, set[str]] = defaultdict(set)
    for garment, name in set(zip(*(c.to_pylist() for c in labels.columns), strict=True)):
        if garment in photos:
            found[photos[garment]].add(name or "")
    return found
