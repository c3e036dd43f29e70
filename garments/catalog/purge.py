"""Taking rows out for good: no version, index, transaction or stray file keeps them.

Lance deletes by a mark beside the old file. So rows are deleted, files with marks are written
anew, tags on versions that still have the rows are dropped, and all old versions are cleaned up.
Writers wait meanwhile; whoever is reading an old version may have to read again.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from garments.catalog.belongings import Belongings, among, versions
from garments.catalog.convert import one_of
from garments.catalog.schema import spec_of
from garments.catalog.store import FRAGMENT_ROWS

if TYPE_CHECKING:
    import lance

    from garments.catalog.catalog import Catalog

WITHDRAWN = "withdrawn"
"""What stands in free text in place of an id that was taken down."""

_IN_WORDS = {"decisions": ("note",)}
"""Columns, of tables about single garments, in which others may be mentioned. Of tables that are
about none, it may be any."""


def purge(
    catalog: "Catalog", what: Belongings, tell: Callable[[str], None] = lambda table: None
) -> dict[str, int]:
    """Take all rows out that belong to some photos; how many by table. Done again, it finishes.

    Tags on versions that have such rows are dropped from every table: what they froze is not
    there any more. Indices of tables that had such rows are dropped too.
    """
    gone = {}
    drop_tags(catalog, tags_with(catalog, what))
    for table in catalog.tables():
        tell(table)
        with catalog.writing(table):
            if (found := catalog.newest(table)) is not None:
                gone[table] = _delete(found, table, what)
                _rename_groups(found, table, what.groups)
                _unmention(catalog, table, what)
                _rewrite(catalog, table, what)
    return {table: count for table, count in gone.items() if count}


def count_rows(catalog: "Catalog", what: Belongings) -> dict[str, int]:
    """Rows that belong to some photos now, by table."""
    found = {
        table: sum(catalog.count(table, where) for where in what.conditions(table))
        for table in catalog.tables()
    }
    return {table: count for table, count in found.items() if count}


def left(catalog: "Catalog", what: Belongings) -> dict[str, int]:
    """Rows that are still there, in any version, by table; and mentions in free text."""
    found = {}
    for table in catalog.tables():
        count = sum(_count(version, table, what) for version in versions(catalog, table))
        count += sum(1 for _ in _mentions(catalog, table, what))
        if count:
            found[table] = count
    return found


def tags_with(catalog: "Catalog", what: Belongings) -> set[str]:
    """Tags on versions of any table that have rows of the photos."""
    import lance

    found = set()
    for table in catalog.tables():
        if (newest := catalog.newest(table)) is None:
            continue
        for tag, known in newest.tags.list().items():
            if tag not in found:
                version = lance.dataset(newest.uri, version=int(known["version"]))
                if _count(version, table, what):
                    found.add(tag)
    return found


def drop_tags(catalog: "Catalog", tags: set[str]) -> None:
    """Take tags off every table."""
    for table in catalog.tables():
        if (newest := catalog.newest(table)) is not None:
            for tag in tags & newest.tags.list().keys():
                newest.tags.delete(tag)


def _conditions(found: "lance.LanceDataset", table: str, what: Belongings) -> Iterator[str]:
    """Those that this version of a table can be asked: old ones may lack columns."""
    yield from what.conditions(table)
    if table == "splits" and "group" in found.schema.names:
        yield from among("group", what.groups)


def _count(found: "lance.LanceDataset", table: str, what: Belongings) -> int:
    return sum(int(found.count_rows(where)) for where in _conditions(found, table, what))


def _delete(found: "lance.LanceDataset", table: str, what: Belongings) -> int:
    count = 0
    for where in what.conditions(table):
        if rows := int(found.count_rows(where)):
            found.delete(where)
            count += rows
    return count


def _rename_groups(found: "lance.LanceDataset", table: str, groups: Mapping[str, str]) -> None:
    """Groups of a split that were named by a photo are named by another of theirs."""
    if table == "splits":
        for group, name in groups.items():
            where = one_of("`group`", [group])
            if found.count_rows(where):
                found.update({"group": f"'{name}'"}, where)


def _unmention(catalog: "Catalog", table: str, what: Belongings) -> None:
    """Write over names in free text of rows that stay."""
    key, terms = spec_of(table).id, what.terms
    for row in list(_mentions(catalog, table, what)):
        found = catalog.newest(table)
        assert found is not None
        for column in _free_text(table):
            if row[column] and terms.within(row[column]):
                quoted = terms.replaced(row[column], WITHDRAWN).replace("'", "''")
                found.update({column: f"'{quoted}'"}, one_of(key, [row[key]]))


def _mentions(catalog: "Catalog", table: str, what: Belongings) -> Iterator[dict[str, Any]]:
    """Rows that stay whose free text names what was taken down, with id and that text."""
    if not (columns := _free_text(table)):
        return
    terms, spec = what.terms, spec_of(table)
    own = [name for name in ("garment_id",) if name in spec.names]
    for row in catalog.rows(table, [spec.id, *own, *columns]).to_pylist():
        mine = own and row["garment_id"] in what.garments
        if not mine and any(row[name] and terms.within(row[name]) for name in columns):
            yield row


def _free_text(table: str) -> tuple[str, ...]:
    """Columns in whose text a photo may be mentioned that the row is not about."""
    spec = spec_of(table)
    if {"photo_id", "garment_id"} & {*spec.names}:
        return _IN_WORDS.get(table, ())
    return tuple(one.name for one in spec.columns[1:] if one.type == "text")


def _rewrite(catalog: "Catalog", table: str, what: Belongings) -> None:
    """Write files anew that have deleted rows in them, and forget all that was before."""
    found = catalog.newest(table)
    assert found is not None
    touched = any(_count(version, table, what) for version in versions(catalog, table))
    if touched:  # an index may hold what it was made from
        for index in found.describe_indices():
            found.drop_index(index.name)
    found.optimize.compact_files(
        target_rows_per_fragment=FRAGMENT_ROWS,
        materialize_deletions=True,
        materialize_deletions_threshold=0.0,
    )
    # A version keeps the command that made it, and that of a deletion has the ids in it.
    found.update_config({"garmentloop.purged": str(found.version)})
    # Nobody else writes now, so files that no version knows were left by the dead.
    found.cleanup_old_versions(
        timedelta(0), delete_unverified=True, error_if_tagged_old_versions=False
    )
