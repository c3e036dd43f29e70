"""Writing the Parquet files of a release, in pieces that fit into memory."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.crops import CropLoader
from curate.release.choose import Choice, Item
from curate.release.columns import RowMaker, features
from garments.catalog import one_of
from garments.dataset import Dataset
from garments.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

SHARD_BYTES = 400 * 2**20
"""Pictures in one Parquet file, at least; what the hub's viewer and its cache like."""

ROW_GROUP = 256
"""Garments that are read and written at once: a few MB, so that one can be looked at quickly."""


@dataclass
class Written:
    """What was written: garments and bytes by split, and garments without a readable crop."""

    rows: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    schema: Any = None


def write_shards(
    dataset: Dataset, choice: Choice, folder: Path, written: Written, workers: int, most: int
) -> Iterator[int]:
    """Write `<split>-00000-of-0000N.parquet` into `folder`; yields garments as they are done.

    `written` is filled on the way. `most` is where a file of a split ends and the next begins.
    """
    written.schema = features(dataset.taxonomy)
    names = tuple(attribute.id for attribute in dataset.taxonomy.attributes)
    maker = RowMaker(dataset, choice.origins, names, CropLoader(dataset))
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(workers) as pool:
        for split, items in groupby(choice.items, lambda item: item.split):
            with _Files(folder, split, written.schema.arrow_schema, most) as files:
                while some := list(islice(items, ROW_GROUP)):
                    files.write(_rows(maker, some, pool, written.unreadable))
                    yield len(some)
            written.rows[split], written.bytes[split] = files.rows, files.bytes
    written.rows = {split: count for split, count in written.rows.items() if count}


def _rows(
    maker: RowMaker, items: Sequence[Item], pool: ThreadPoolExecutor, unreadable: dict[str, str]
) -> list[dict[str, Any]]:
    """Rows of those items that have a crop; why the others have none goes into `unreadable`."""
    catalog = maker.dataset.catalog
    ids = [item.garment.garment_id for item in items]
    garments = _table(catalog.rows("garments", where=one_of("garment_id", ids)), "garment_id")
    photo_ids = {item.garment.photo_id for item in items}
    columns = ["photo_id", "width", "height"]
    photos = _table(catalog.rows("photos", columns, one_of("photo_id", photo_ids)), "photo_id")

    def make(item: Item) -> dict[str, Any] | BadInput:
        try:
            garment = garments[item.garment.garment_id]
            return maker.row(item, garment, photos.get(item.garment.photo_id, {}))
        except BadInput as error:
            return error

    found = []
    for item, row in zip(items, pool.map(make, items), strict=True):
        if isinstance(row, BadInput):
            unreadable[item.garment.garment_id] = str(row)
        else:
            found.append(row)
    return found


def _table(rows: "pa.Table", key: str) -> dict[str, Mapping[str, Any]]:
    return {row[key]: row for row in rows.to_pylist()}


def parquet_writer(path: Path, schema: "pa.Schema") -> "pq.ParquetWriter":
    """A writer of one file of a release."""
    import pyarrow.parquet as pq

    # pages of an index let readers fetch single rows; statistics of JPEGs help nobody
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        write_page_index=True,
        write_statistics=["garment_id", "photo_id", "group", "region"],
    )


class _Files:
    """The Parquet files of one split. How many there are is known, and named, at the end."""

    def __init__(self, folder: Path, split: str, schema: "pa.Schema", most: int) -> None:
        self._folder, self._split, self._schema, self._most = folder, split, schema, most
        self._writer: pq.ParquetWriter | None = None
        self._paths: list[Path] = []
        self._filled = 0
        self.rows = self.bytes = 0

    def __enter__(self) -> "_Files":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._close()
        if kind is None:
            for number, path in enumerate(self._paths):
                ending = f"{number:05d}-of-{len(self._paths):05d}.parquet"
                path.rename(self._folder / f"{self._split}-{ending}")

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Append rows as a row group; the file is closed when it holds enough."""
        import pyarrow as pa

        if not rows:
            return
        table = pa.Table.from_pylist(rows, schema=self._schema)
        self._open().write_table(table, row_group_size=len(rows))
        self.rows, self.bytes = self.rows + table.num_rows, self.bytes + table.nbytes
        self._filled += table.nbytes
        if self._filled >= self._most:
            self._close()

    def _open(self) -> "pq.ParquetWriter":
        if self._writer is None:
            self._paths.append(self._folder / f"{self._split}-{len(self._paths):05d}.part")
            self._writer = parquet_writer(self._paths[-1], self._schema)
        return self._writer

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._filled = None, 0
