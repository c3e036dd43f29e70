"""Which garments hold: active, retired, or thrown out by a curator; and what was decided on them.

A decision is in force from its row in `decisions` until a row withdraws it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from garments.catalog import one_of

if TYPE_CHECKING:
    from garments.dataset import Dataset

_FEW = 10_000
"""Up to this many garments are asked for by name, beyond it all are read."""


class Decision(StrEnum):
    """What curators and annotators decide about a garment; `send` is to the annotators."""

    EXCLUDED = "excluded"
    BAD_CROP = "bad_crop"
    GOLD = "gold"
    SEND = "send"


class GarmentState(StrEnum):
    """What became of a garment. Where several hold, the first of them counts."""

    RETIRED = "retired"
    EXCLUDED = "excluded"
    BAD_CROP = "bad_crop"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class GarmentRow:
    """One garment, with what was decided about it. `person_id` is None for a product shot."""

    garment_id: str
    photo_id: str
    person_id: str | None
    region: str
    crop_sha: str
    flags: tuple[str, ...]
    retired: bool
    decisions: frozenset[Decision]

    @property
    def state(self) -> GarmentState:
        """Retired, else excluded, else bad_crop, else active."""
        if self.retired:
            return GarmentState.RETIRED
        for decision in (Decision.EXCLUDED, Decision.BAD_CROP):
            if decision in self.decisions:
                return GarmentState(decision)
        return GarmentState.ACTIVE

    @property
    def gold(self) -> bool:
        """Whether a curator vouches for its labels."""
        return Decision.GOLD in self.decisions


def garment_rows(
    dataset: "Dataset", garment_ids: Collection[str] | None = None
) -> list[GarmentRow]:
    """Garments of a data set, all or those named, also retired ones, in the order of making."""
    columns = ["garment_id", "photo_id", "person_id", "region", "crop_sha", "flags", "seq"]
    where = _where(garment_ids)
    rows = dataset.catalog.rows("garments", columns, where).sort_by("seq").to_pylist()
    if garment_ids is not None:
        wanted = set(garment_ids)
        rows = [row for row in rows if row["garment_id"] in wanted]
    retired = dataset.catalog.retired_garments()
    decided = decisions_in_force(dataset.catalog.rows("decisions", where=where).to_pylist())
    return [
        GarmentRow(
            row["garment_id"],
            row["photo_id"],
            row["person_id"],
            row["region"],
            row["crop_sha"],
            tuple(row["flags"] or ()),
            row["garment_id"] in retired,
            frozenset(decided.get(row["garment_id"], {})),
        )
        for row in rows
    ]


def decisions_in_force(
    rows: Iterable[Mapping[str, Any]],
) -> dict[str, dict[Decision, list[dict[str, Any]]]]:
    """Rows of `decisions` that nobody withdrew: garment -> kind -> rows, oldest first.

    Notes and kinds of newer versions are left out.
    """
    ordered = sorted(rows, key=lambda row: int(row["seq"]))
    withdrawn = {row["withdraws"] for row in ordered if row["withdraws"]}
    found: dict[str, dict[Decision, list[dict[str, Any]]]] = defaultdict(dict)
    for row in ordered:
        known = row["kind"] in tuple(Decision)
        if known and not row["withdraws"] and row["decision_id"] not in withdrawn:
            found[row["garment_id"]].setdefault(Decision(row["kind"]), []).append(dict(row))
    return dict(found)


def _where(garment_ids: Collection[str] | None) -> str | None:
    if garment_ids is None or len(garment_ids) > _FEW:
        return None
    return one_of("garment_id", garment_ids)
