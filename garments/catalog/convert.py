"""Between rows as dictionaries, Arrow tables of a table's schema, and SQL conditions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from garments.catalog.schema import TableSpec
from garments.errors import CatalogError

if TYPE_CHECKING:
    import pyarrow as pa


def to_arrow(spec: TableSpec, rows: "Sequence[Mapping[str, Any]] | pa.Table") -> "pa.Table":
    """Rows in the table's schema, one per id (the first counts), with `created_at` filled in.

    Raises `CatalogError` for unknown columns, values of the wrong type and missing ids.
    """
    import pyarrow as pa

    if isinstance(rows, pa.Table):
        _check_names(spec, rows.column_names)
        table = completed(rows, spec, spec.names)
    else:
        table = _from_rows(spec, rows)
    return _stamped(_first_of_each_id(table, spec))


def _from_rows(spec: TableSpec, rows: Sequence[Mapping[str, Any]]) -> "pa.Table":
    import pyarrow as pa

    _check_names(spec, {name for row in rows for name in row})
    try:
        return _from_dicts([dict(row) for row in rows], spec.arrow())
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise CatalogError(
            f"expected rows of the table {spec.name} with columns "
            f"{', '.join(f'{c.name} ({c.type})' for c in spec.columns)}, but {error}"
        ) from error


def _from_dicts(rows: list[dict[str, Any]], schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    try:
        return pa.Table.from_pylist(rows, schema=schema)
    except UnicodeEncodeError:
        return pa.Table.from_pylist([_storable_row(row) for row in rows], schema=schema)


def _storable_row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: storable(value) if isinstance(value, str) else value for name, value in row.items()
    }


def storable(text: str) -> str:
    """The text as it is stored: bytes of a file name that are no UTF-8 become \\udcXX escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def completed(table: "pa.Table | None", spec: TableSpec, names: Sequence[str]) -> "pa.Table":
    """`table` with exactly the columns `names`, in order; absent ones (or no table) are null."""
    import pyarrow as pa

    schema = spec.arrow()
    fields = [schema.field(name) for name in names]
    if table is None:
        return pa.schema(fields).empty_table()
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in fields
    ]
    return pa.table(columns, schema=pa.schema(fields))


def _first_of_each_id(table: "pa.Table", spec: TableSpec) -> "pa.Table":
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = table.column(spec.id)
    if ids.null_count:
        raise CatalogError(f"expected a {spec.id} in every row of {spec.name}, but one is missing")
    if pc.count_distinct(ids).as_py() == len(ids):
        return table
    numbered = pa.table({"id": ids, "at": np.arange(len(ids))})
    first = numbered.group_by("id").aggregate([("at", "min")]).column("at_min")
    return table.take(first.take(pc.sort_indices(first)))


def _stamped(table: "pa.Table") -> "pa.Table":
    import pyarrow as pa
    import pyarrow.compute as pc

    at = table.schema.get_field_index("created_at")
    now = pa.scalar(datetime.now(UTC), table.schema.field(at).type)
    return table.set_column(at, table.schema.field(at), pc.fill_null(table.column(at), now))


def checked_columns(spec: TableSpec, columns: Sequence[str] | None) -> list[str]:
    """The columns asked for, all when None; `CatalogError` for one that does not exist."""
    if columns is None:
        return spec.names
    _check_names(spec, columns)
    return list(columns)


def _check_names(spec: TableSpec, names: Iterable[str]) -> None:
    unknown = sorted(set(names) - set(spec.names))
    if unknown:
        raise CatalogError(
            f"expected columns of {spec.name} ({', '.join(spec.names)}), but got "
            f"{', '.join(unknown)}"
        )


def one_of(column: str, values: Iterable[str]) -> str:
    """SQL condition that `column` has one of these texts."""
    quoted = ", ".join("'" + storable(value).replace("'", "''") + "'" for value in values)
    return f"{column} IN ({quoted})" if quoted else "false"
