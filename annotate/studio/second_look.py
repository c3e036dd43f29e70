"""Second looks: one more person is asked about garments that were answered before.

The task that is there already waits for one more answer, so nobody sees what was said, and whoever
said it is not asked again. As with every overlap our own row says so first; the next push tells the
server.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

from annotate.studio.side import CREATED, DONE
from garments.catalog import one_of

if TYPE_CHECKING:
    from garments.dataset import Dataset

_OURS = ("seq", "created_at")


def ask_one_more(
    dataset: "Dataset", garment_ids: Collection[str], dry_run: bool = False
) -> set[str]:
    """Have one more person asked about those of the garments whose task is done; which they are.

    A task that still waits for somebody, one that was skipped or deleted, and the audit slice are
    left alone. The same call again changes nothing until somebody has answered. A `dry_run` only
    says which they would be.
    """
    where = f"state = '{DONE}' AND audit = false AND {one_of('garment_id', garment_ids)}"
    rows = {
        row["garment_id"]: row for row in dataset.catalog.rows("tasks", where=where).to_pylist()
    }
    said = defaultdict[str, set[str]](set)
    for row in dataset.catalog.rows("labels", ["task_id", "annotator"]).to_pylist():
        said[row["task_id"]].add(row["annotator"])
    wanted = [
        {name: value for name, value in row.items() if name not in _OURS}
        | {"overlap": len(said[row["task_id"]]) + 1, "state": CREATED}
        for row in rows.values()
        if said[row["task_id"]]
    ]
    if not dry_run:
        dataset.catalog.put("tasks", wanted)
    return {str(row["garment_id"]) for row in wanted}
