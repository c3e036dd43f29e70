"""Indices of large tables, by which rows are found without reading whole columns.

Only speed hangs on them: rows that no index knows yet are looked through as ever, and a table
without any answers the same. `Store.optimize` makes them and keeps them up.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from garments.catalog.schema import TableSpec

if TYPE_CHECKING:
    import lance

LARGE = 50_000
"""Rows from which on a table is indexed; and rows not indexed yet from which on they are."""

LOOKED_UP = ("photo_id", "garment_id", "task_id")
"""Columns beside the id by which rows of any table are looked up."""

INDEX_CACHE_MB, OUTLINE_CACHE_MB = 256, 32
"""Megabytes that a process keeps, at most, of what it read of indices and of tables' outlines."""


@cache
def session() -> Any:
    """What this process has read of indices and of tables' outlines, whatever folder they are in.

    Without it each call would read them anew.
    """
    import lance

    sizes = INDEX_CACHE_MB << 20, OUTLINE_CACHE_MB << 20
    return lance.Session(*sizes)  # type: ignore[attr-defined]


def indexed_columns(spec: TableSpec) -> list[str]:
    """Columns of a table that have an index where the table is large."""
    return [name for name in spec.names if name == spec.id or name in LOOKED_UP]


def keep_indexed(found: "lance.LanceDataset", spec: TableSpec) -> None:
    """Make the indices that a large table lacks, and add rows that came since to the others."""
    if found.count_rows() < LARGE:
        return
    known = {
        column: index.name for index in found.describe_indices() for column in index.field_names
    }
    for column in indexed_columns(spec):
        if column not in found.schema.names:
            continue  # added since, and nothing written there yet
        if column not in known:
            found.create_scalar_index(column, "BTREE")
        else:
            _add_new_rows(found, known[column])


def _add_new_rows(found: "lance.LanceDataset", name: str) -> None:
    """An index is a row of pieces, each at least as large as those after it together.

    So a row is written again a few times only, however large the table grows, and a lookup has
    few pieces to ask.
    """
    stats: dict[str, Any] = found.stats.index_stats(name)
    new = int(stats["num_unindexed_rows"])
    if new < LARGE:
        return
    pieces = 0
    for rows in reversed(stats["num_indexed_rows_per_delta"]):
        if rows > new:
            break
        new, pieces = new + int(rows), pieces + 1
    found.optimize.optimize_indices(num_indices_to_merge=pieces, index_names=[name])
