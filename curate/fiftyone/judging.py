"""When labels are judged anew: for that all of them are read, however few were added.

So some few new labels among many wait for more. Until then their garments have no suspicion; the
evaluations already know who was right about them, and only their figures are older.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from curate.fiftyone.journal import keep, kept
from curate.fiftyone.standing import attribute_field

if TYPE_CHECKING:
    from curate.fiftyone.window import Window

SHARE = 0.02
"""Share of the labelled garments that must have changed."""

_WAITING = "waiting"
"""Where a FiftyOne dataset keeps how many garments were labelled since."""


def is_due(window: "Window", touched: Collection[str] | None) -> bool:
    """Whether enough labelled garments were touched by now; None: all were."""
    if touched is None:
        return True
    fresh = _labelled(window, touched)
    if not fresh:
        return False
    waiting = fresh + int(kept(window.garments, _WAITING) or 0)
    labels = window.dataset.catalog.rows("labels", ["garment_id"]).column(0)
    due = waiting >= SHARE * len(labels.unique())
    if not due:
        keep(window.garments, **{_WAITING: waiting})
    return bool(due)


def was_done(window: "Window") -> None:
    """Count from nothing again."""
    keep(window.garments, **{_WAITING: 0})


def _labelled(window: "Window", touched: Collection[str]) -> int:
    """Of how many of these garments people said something."""
    attributes = window.dataset.taxonomy.attributes
    said = [{f"{attribute_field(a.id)}_human": {"$ne": None}} for a in attributes]
    where = {"garment_id": {"$in": list(touched)}, "$or": said}
    return int(window.garments._sample_collection.count_documents(where))
