"""Reading and writing the tables of one catalogue folder."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from garments.catalog.convert import checked_columns, completed, one_of, to_arrow
from garments.catalog.indexes import keep_indexed, session
from garments.catalog.lock import exclusive
from garments.catalog.schema import TABLES, TableSpec, is_table, spec_of
from garments.catalog.sequence import Sequence as Counter
from garments.errors import CatalogError

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

Rows = Sequence[Mapping[str, Any]]
T = TypeVar("T")

KEEP_VERSIONS = timedelta(minutes=10)
"""Old versions stay this long, so that other processes finish what they are reading."""

FRAGMENT_ROWS = 262_144
"""Rows per file after compaction: files of this size are not rewritten again."""

MOST_TABLES = 10_000
"""Tables that are looked for in an object store; there are some 20."""

_FEW_IDS = 10_000
"""Up to this many ids are looked up one by one, beyond it all ids are read."""

_DISK_FULL = ("No space left", "File too large", "quota exceeded", "StorageFull")


class Store:
    """Tables in one folder, or in an object store, in the layout of a LanceDB database.

    Any number of processes may read and write at once; writers take turns. Tables are made when
    they are first written. Every method sees the newest committed state. Another writer is waited
    for, at most `patience` seconds.
    """

    patience = 600.0

    def __init__(self, folder: Path, tables: str = "") -> None:
        """`tables` is the URI where they are, empty for `folder`, which has the writers' lock."""
        self.folder = Path(folder)
        self.place = tables.rstrip("/")
        self._counter = Counter(self.folder / "seq", self._highest_seq, self._newest_seq)

    def add(self, table: str, rows: "Rows | pa.Table") -> int:
        """Insert the rows whose id is new, ignore the others; how many were inserted.

        Missing columns are null, `created_at` is now unless given, `seq` is assigned here. Of
        rows with the same id in one call the first counts.
        """
        spec = spec_of(table)
        data = to_arrow(spec, rows)
        if not data.num_rows:
            return 0
        with self.writing(table):
            found = self._ensure(spec)
            if _all_known(found, spec, data):
                return 0
            merge = found.merge_insert(spec.id).when_not_matched_insert_all()
            return int(merge.execute(self._numbered(data))["num_inserted_rows"])

    def put(self, table: str, rows: "Rows | pa.Table") -> int:
        """Insert rows, replacing those with the same id; how many were written.

        Only for tables that describe what is seen now (`TableSpec.replaceable`): what a person
        said is never replaced.
        """
        spec = spec_of(table)
        if not spec.replaceable:
            raise CatalogError(
                f"expected a table whose rows may be replaced, but {table} is append-only; add() "
                "a new row instead"
            )
        data = to_arrow(spec, rows)
        if data.num_rows:
            with self.writing(table):
                merge = self._ensure(spec).merge_insert(spec.id)
                merge = merge.when_matched_update_all().when_not_matched_insert_all()
                merge.execute(self._numbered(data))
        return int(data.num_rows)

    def rows(
        self, table: str, columns: Sequence[str] | None = None, where: str | None = None
    ) -> "pa.Table":
        """Rows as an Arrow table, all columns unless named; `where` is an SQL condition."""
        spec = spec_of(table)
        names = checked_columns(spec, columns)

        def read(found: "lance.LanceDataset") -> "pa.Table":
            stored = [name for name in names if name in found.schema.names]
            return completed(found.to_table(columns=stored, filter=where), spec, names)

        return self._reading(table, read, completed(None, spec, names))

    def batches(self, table: str, columns: Sequence[str], where: str | None = None) -> Any:
        """The same rows as Arrow record batches, one after the other; `columns` must be stored."""
        checked_columns(spec_of(table), columns)
        found = self.newest(table)
        return () if found is None else found.to_batches(columns=list(columns), filter=where)

    def count(self, table: str, where: str | None = None) -> int:
        """How many rows, or how many for which the SQL condition `where` holds."""
        return int(self._reading(spec_of(table).name, lambda t: t.count_rows(where), 0))

    def counts(self, table: str, by: str, where: str | None = None) -> dict[str, int]:
        """How many rows per value of the column `by`, nulls left out, without loading them."""
        checked_columns(spec_of(table), [by])
        rows = self._query(table, f'"{by}" AS k, count(*) AS n', where, f'GROUP BY "{by}"')
        return dict(sorted((row["k"], row["n"]) for row in rows if row["k"] is not None))

    def highest(self, table: str, column: str, where: str | None = None) -> Any:
        """Highest value of a column, None where there is none."""
        checked_columns(spec_of(table), [column])
        rows = self._query(table, f'max("{column}") AS highest', where)
        return rows[0]["highest"] if rows else None

    def distinct(self, table: str, column: str, where: str | None = None) -> int:
        """How many different values a column has, nulls left out."""
        checked_columns(spec_of(table), [column])
        rows = self._query(table, f'count(DISTINCT "{column}") AS n', where)
        return int(rows[0]["n"]) if rows else 0

    def tables(self) -> list[str]:
        """Names of all tables; of those of embeddings, the ones that were written."""
        if self.place:
            made = [name for name in self._names() if name not in TABLES]
        else:
            made = [path.stem for path in self.folder.glob("embeddings_*.lance")]
        return [*TABLES, *sorted(name for name in made if is_table(name))]

    def _names(self) -> list[str]:
        """Names of all tables in the object store."""
        return list(self.connect().list_tables(limit=MOST_TABLES).tables)

    def stored(self, table: str) -> list[str]:
        """Columns that a table has on disk: those that were added since are not there yet."""
        empty = list[str]()
        return self._reading(spec_of(table).name, lambda t: list(t.schema.names), empty)

    def ids(self, table: str) -> set[str]:
        """All ids of a table."""
        name = spec_of(table).id
        return set(self.rows(table, [name]).column(name).to_pylist())

    def known(self, table: str, ids: Iterable[str]) -> set[str]:
        """Those of `ids` that the table has."""
        name, wanted = spec_of(table).id, list(ids)
        if not wanted:
            return set()
        if len(wanted) > _FEW_IDS:
            return self.ids(table) & set(wanted)
        found = self.rows(table, [name], one_of(name, wanted))
        return set(found.column(name).to_pylist())

    def optimize(self) -> None:
        """Compact small commits, drop versions that nobody can be reading, index large tables."""
        for name in self.tables():
            with self.writing(name):
                found = self._open(name)
                if found is not None:
                    found.optimize.compact_files(target_rows_per_fragment=FRAGMENT_ROWS)
                    keep_indexed(found, spec_of(name))
                    found.cleanup_old_versions(KEEP_VERSIONS, error_if_tagged_old_versions=False)

    def connect(self) -> Any:
        """The tables as a LanceDB database, for vector search and other LanceDB tools."""
        import lancedb

        return lancedb.connect(self.place or self.folder)

    def _uri(self, table: str) -> str:
        return f"{self.place or self.folder}/{table}.lance"

    def newest(self, table: str) -> "lance.LanceDataset | None":
        """The newest version of a table as a Lance dataset, None while it was never written."""
        return self._open(spec_of(table).name)

    def _open(self, table: str) -> "lance.LanceDataset | None":
        """The newest version of a table, None while it was never written."""
        import lance

        if not self._written(table):
            return None
        return lance.dataset(self._uri(table), session=session())

    def _written(self, table: str) -> bool:
        if self.place:
            return table in self._names()
        versions = Path(self._uri(table)) / "_versions"
        return versions.is_dir() and any(versions.iterdir())

    def _ensure(self, spec: TableSpec) -> "lance.LanceDataset":
        """The table, made or given its newer columns where needed; under the lock."""
        import lance

        schema = spec.arrow()
        found = self._open(spec.name)
        if found is None:
            return lance.write_dataset(schema.empty_table(), self._uri(spec.name), mode="create")
        missing = [field for field in schema if field.name not in found.schema.names]
        if missing:
            found.add_columns(missing)
        return found

    def _numbered(self, data: "pa.Table") -> "pa.Table":
        import pyarrow as pa

        first = self._counter.reserve(data.num_rows)
        numbers = pa.array(range(first, first + data.num_rows), pa.int64())
        return data.set_column(data.schema.get_field_index("seq"), "seq", numbers)

    def _highest_seq(self) -> int:
        """Highest `seq` in any table, 0 when all are empty."""
        return max(int(self.highest(name, "seq") or 0) for name in self.tables())

    def _newest_seq(self) -> int:
        """The same, where rows stand in the order in which they were numbered: quick to tell."""
        import pyarrow.compute as pc

        newest = 0
        for name in self.tables():
            if (found := self._open(name)) is not None:
                filled = (part for part in reversed(found.get_fragments()) if part.count_rows())
                if last := next(filled, None):
                    highest = pc.max(last.to_table(columns=["seq"]).column(0)).as_py()
                    newest = max(newest, int(highest or 0))
        return newest

    def _query(self, table: str, select: str, where: str | None, end: str = "") -> list[Any]:
        """Rows of an SQL query that is answered inside the store."""
        query = f"SELECT {select} FROM dataset {f'WHERE {where}' if where else ''} {end}"

        def read(found: "lance.LanceDataset") -> list[Any]:
            batches = found.sql(query).build().to_batch_records()
            return [row for batch in batches for row in batch.to_pylist()]

        return self._reading(table, read, list[Any]())

    def _reading(self, table: str, read: "Callable[[lance.LanceDataset], T]", empty: T) -> T:
        """Result of `read(table)`, tried again once: another process may have cleaned up."""
        for attempt in (1, 2):
            try:
                found = self._open(table)
                return empty if found is None else read(found)
            except (OSError, ValueError, RuntimeError) as error:
                if attempt == 2:
                    raise CatalogError(
                        f"expected to read the table {table} in {self.place or self.folder}, but "
                        f"{_plainly(error)}"
                    ) from error
        raise AssertionError("unreachable")

    @contextmanager
    def writing(self, table: str) -> Iterator[None]:
        """Hold the writer's lock and turn what the file system says into advice."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self.folder / ".lock", self.patience):
                yield
        except (OSError, ValueError, RuntimeError) as error:
            where = self.place or str(self.folder)
            raise CatalogError(_write_failure(table, where, error)) from error


def _all_known(found: "lance.LanceDataset", spec: TableSpec, data: "pa.Table") -> bool:
    """Whether every id is stored already, so that a replay leaves no trace."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = data.column(spec.id)
    few = len(ids) <= _FEW_IDS
    where = one_of(spec.id, ids.to_pylist()) if few else None
    stored = found.to_table(columns=[spec.id], filter=where).column(0)
    return bool(pc.all(pc.is_in(ids, pa.array(stored.combine_chunks()))).as_py())


def _write_failure(table: str, where: str, error: Exception) -> str:
    message = f"expected to write the table {table} in {where}, but {_plainly(error)}; "
    if any(sign.lower() in str(error).lower() for sign in _DISK_FULL):
        message += "free some disk space and run the same command again: "
    else:
        message += "mend what it says and run the same command again: "
    return message + "what was finished is kept"


def _plainly(error: Exception) -> str:
    """What an error says, without the places in Lance's own source that it names."""
    return re.sub(r",? /\S+\.rs:\d+:\d+", "", str(error)).strip()
