"""Samples that are selected in the App, as the garments that may still be acted on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.state import GarmentRow, garment_rows

if TYPE_CHECKING:
    from curate.fiftyone.window import Window

GONE = "no longer in FiftyOne: reload the page"
TAKEN = "no longer in the catalogue"
RETIRED = "retired by a newer extraction"
RECUT = "cut anew since: run `garmentloop curate sync`, then look at them again"


@dataclass(frozen=True)
class Selected:
    """`rows` by garment id, in the order of the selection; `skipped` counts others by reason."""

    rows: Mapping[str, GarmentRow] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)

    def without(self, reasons: Mapping[str, str]) -> "Selected":
        """The same without some garments, for a reason each."""
        rows = {name: row for name, row in self.rows.items() if name not in reasons}
        told = Counter(reason for name, reason in reasons.items() if name in self.rows)
        return Selected(rows, self.skipped + told)


def selected(window: "Window", sample_ids: Sequence[str]) -> Selected:
    """The garments of these samples that are in the catalogue as the App shows them.

    A page that has been open for long may show what was deleted, retired or cut anew meanwhile.
    """
    shown = _shown(window, sample_ids)
    known = {row.garment_id: row for row in garment_rows(window.dataset, list(shown))}
    reasons = Counter({GONE: len(set(sample_ids)) - len(shown)})
    rows = {}
    for name, crop in shown.items():
        row = known.get(name)
        if row is None:
            reasons[TAKEN] += 1
        elif row.retired:
            reasons[RETIRED] += 1
        elif row.crop_sha != crop:
            reasons[RECUT] += 1
        else:
            rows[name] = row
    return Selected(rows, +reasons)


def _shown(window: "Window", sample_ids: Sequence[str]) -> dict[str, str]:
    """Garment and crop of those samples that are there, in the order of `sample_ids`."""
    from bson import ObjectId

    ids = [ObjectId(name) for name in dict.fromkeys(sample_ids) if ObjectId.is_valid(name)]
    wanted = {"garment_id": True, "crop_sha": True}
    found = {
        document["_id"]: document
        for document in window.garments._sample_collection.find({"_id": {"$in": ids}}, wanted)
    }
    held = [found[name] for name in ids if found.get(name, {}).get("garment_id")]
    return {document["garment_id"]: document.get("crop_sha") for document in held}
