"""A Parquet file of a release without some of its rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from curate.release.shards import parquet_writer

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Gone:
    """What goes: photos, their garments, and names of groups with the new name of each.

    A group that is named by a photo has others in it too, which stay.
    """

    photos: Collection[str]
    garments: Collection[str]
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Thinned:
    """What became of a file: rows and bytes that stay, and `gone`: place of each row that went.

    Places count from 0 in the file as it was.
    """

    rows: int = 0
    bytes: int = 0
    gone: list[int] = field(default_factory=list)
    photos: set[str] = field(default_factory=set)


def has_any(path: Path, gone: Gone) -> bool:
    """Whether a row of the file goes, or stays in a group that gets another name."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        light = file.read(columns=["garment_id", "photo_id", "group"])
    return bool(_places(light, gone)) or bool(
        set(light.column("group").to_pylist()) & gone.groups.keys()
    )


def thin(path: Path, to: Path, gone: Gone) -> Thinned:
    """Write the rows that stay to `to`, in their order and row groups; none if none is left."""
    import pyarrow.parquet as pq

    found, before, writer = Thinned(), 0, None
    try:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                places = _places(table, gone)
                found.gone += [before + place for place in places]
                photos = table.column("photo_id").to_pylist()
                found.photos |= {photos[place] for place in places}
                before += table.num_rows
                kept = _renamed(_without(table, places), gone.groups)
                if kept.num_rows:
                    writer = writer or parquet_writer(to, file.schema_arrow)
                    writer.write_table(kept, row_group_size=kept.num_rows)
                    found.rows, found.bytes = found.rows + kept.num_rows, found.bytes + kept.nbytes
    finally:
        if writer is not None:
            writer.close()
    return found


def photos_in(paths: Sequence[Path]) -> int:
    """How many photos some files have rows of."""
    import pyarrow.parquet as pq

    found: set[str] = set()
    for path in paths:
        with pq.ParquetFile(path) as file:
            found |= set(file.read(columns=["photo_id"]).column(0).to_pylist())
    return len(found)


def _places(table: "pa.Table", gone: Gone) -> list[int]:
    garments, photos = (table.column(name).to_pylist() for name in ("garment_id", "photo_id"))
    return [
        at
        for at, (garment, photo) in enumerate(zip(garments, photos, strict=True))
        if garment in gone.garments or photo in gone.photos
    ]


def _without(table: "pa.Table", places: Sequence[int]) -> "pa.Table":
    import numpy as np

    stays = np.ones(table.num_rows, bool)
    stays[list(places)] = False
    return table.take(np.flatnonzero(stays)) if places else table


def _renamed(table: "pa.Table", groups: Mapping[str, str]) -> "pa.Table":
    import pyarrow as pa

    named = table.column("group").to_pylist()
    if not groups.keys() & set(named):
        return table
    at = table.schema.get_field_index("group")
    new = pa.array([groups.get(name, name) for name in named], table.schema.field(at).type)
    return table.set_column(at, table.schema.field(at), new)
