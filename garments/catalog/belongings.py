"""What the catalogue has of some photos: every id that leads to them, and the rows that have it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from garments.catalog.convert import one_of
from garments.catalog.schema import TABLES, spec_of
from garments.handles import same_handle
from garments.scrub import Terms

if TYPE_CHECKING:
    from garments.catalog.catalog import Catalog

AT_ONCE = 2_000
"""Ids in one condition."""

_TELLING = re.compile(r".+\.[A-Za-z][A-Za-z0-9]{1,4}|(?=.*\d)(?=.*[A-Za-z]).{10,}")
"""Names of files that are nobody else's word: one with a suffix, or a long one with a digit. The
last part of an address may be `image` or `12`, which stand everywhere."""


@dataclass(frozen=True)
class Belongings:
    """All that belongs to some photos, by id.

    `sources` are rows that tell where they came from, `origins` the paths and URLs there, and
    `file_names` names of these files without their folders; of both those that no other photo has.
    `crops` are the pictures of their garments, old ones too, that no other garment shares. `groups`
    has a new name for each group of a split that one of the photos names and that others are in.
    """

    photos: frozenset[str]
    sources: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    file_names: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    garments: frozenset[str] = frozenset()
    crops: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> frozenset[str]:
        """All ids, of whatever kind."""
        return self.photos.union(self.sources, self.people, self.garments, self.crops, self.tasks)

    @property
    def terms(self) -> Terms:
        """Ids, paths and file names that must not stand anywhere afterwards."""
        return Terms(self.ids, self.origins | self.file_names)

    def conditions(self, table: str) -> Iterator[str]:
        """SQL conditions that together find every row of `table` that is about the photos."""
        columns = spec_of(table).names
        if "photo_id" in columns:
            yield from among("photo_id", self.photos)
        elif "garment_id" in columns:
            yield from among("garment_id", self.garments)
        if table == "sources":
            yield from among("source_id", self.sources)


def belongings(catalog: "Catalog", photos: Collection[str], handle: str = "") -> Belongings:
    """All that the catalogue has of these photos; of a `handle` also sources without a photo."""
    wanted = frozenset(photos)
    sources = _sources(catalog, wanted, handle)
    origins, names = _names(catalog, sources)
    garments = _column(catalog, "garments", "garment_id", among("photo_id", wanted))
    found = Belongings(
        wanted,
        frozenset(row["source_id"] for row in sources),
        origins,
        names,
        _column(catalog, "people", "person_id", among("photo_id", wanted)),
        garments,
        tasks=_tasks(catalog, garments),
        groups=_groups(catalog, wanted, garments),
    )
    crops = frozenset(_crops(catalog, found))
    return Belongings(**{**vars(found), "crops": crops - _shared(catalog, crops, found)})


def photos_of_handle(catalog: "Catalog", handle: str) -> list[str]:
    """Photos of which a source says that they are this handle's, and "" for sources without one."""
    wanted = same_handle(handle)
    rows = catalog.rows("sources", ["photo_id", "handle"], "handle IS NOT NULL").to_pylist()
    mine = (row for row in rows if row["handle"] and same_handle(row["handle"]) == wanted)
    return sorted({row["photo_id"] or "" for row in mine})


def _sources(catalog: "Catalog", photos: Collection[str], handle: str) -> list[dict[str, Any]]:
    """Rows about the photos, and about the same files where they could not be read."""
    columns = ["source_id", "origin", "photo_id", "handle"]
    found = []
    for where in among("photo_id", photos):
        found += catalog.rows("sources", columns, where).to_pylist()
    lost = catalog.rows("sources", columns, "photo_id IS NULL").to_pylist()
    origins = {row["origin"] for row in found}
    for row in lost:
        of_handle = handle and same_handle(row["handle"] or "") == same_handle(handle)
        if row["origin"] in origins or of_handle:
            found.append(row)
    return found


def _names(
    catalog: "Catalog", sources: Collection[Mapping[str, Any]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Origins, and file names in them, that are of these sources and of no other."""
    mine = {row["source_id"] for row in sources}
    rows = catalog.rows("sources", ["source_id", "origin"]).to_pylist() if mine else ()
    others = {row["origin"] for row in rows if row["source_id"] not in mine}
    origins = {row["origin"] for row in sources} - others
    names = {name for origin in origins if _TELLING.fullmatch(name := _file_name(origin))}
    return frozenset(origins), frozenset(names - {_file_name(name) for name in others})


def _file_name(origin: str) -> str:
    """`IMG_1.jpg` of a path or of `https://far/IMG_1.jpg?size=2`."""
    return PurePath(urlsplit(origin).path if "://" in origin else origin).name


def _groups(
    catalog: "Catalog", photos: Collection[str], garments: Collection[str]
) -> dict[str, str]:
    """A photo that stays, for each group of a split that is named by one that goes."""
    stay: dict[str, set[str]] = {}
    for where in among("group", photos):
        for row in catalog.rows("splits", ["garment_id", "group"], where).to_pylist():
            if row["garment_id"] not in garments:
                stay.setdefault(row["group"], set()).add(row["garment_id"])
    named = {}
    for group, members in sorted(stay.items()):
        found = _column(catalog, "garments", "photo_id", among("garment_id", members))
        named[group] = min(found - set(photos), default=min(members))
    return named


def _tasks(catalog: "Catalog", garments: Collection[str]) -> frozenset[str]:
    """Keys of all tasks about some garments, in whatever table; and what they call a garment."""
    found: frozenset[str] = frozenset()
    for column in ("task_id", "name"):
        for table in _with_columns(column, "garment_id"):
            found |= _column(catalog, table, column, among("garment_id", garments))
    return found


def _crops(catalog: "Catalog", of: Belongings) -> Iterator[str]:
    """Crops of the garments, also those that only an old version of the table remembers."""
    for table in tables_with_crops(catalog):
        for where in of.conditions(table):
            yield from _column(catalog, table, "crop_sha", [where])
    for version in versions(catalog, "garments"):
        for where in of.conditions("garments"):
            yield from version.to_table(columns=["crop_sha"], filter=where).column(0).to_pylist()


def _shared(catalog: "Catalog", crops: Collection[str], of: Belongings) -> set[str]:
    """Those of `crops` that garments of other photos have too, pixel for pixel."""
    found = set()
    for table in tables_with_crops(catalog):
        for where in among("crop_sha", crops):
            for row in catalog.rows(table, ["garment_id", "crop_sha"], where).to_pylist():
                if row["garment_id"] not in of.garments:
                    found.add(row["crop_sha"])
    return found


def tables_with_crops(catalog: "Catalog") -> list[str]:
    """Tables whose rows name a crop."""
    return _with_columns("crop_sha") + catalog.embedding_tables()


def _with_columns(*names: str) -> list[str]:
    return [table for table, spec in TABLES.items() if {*names} <= {*spec.names}]


def versions(catalog: "Catalog", table: str) -> Iterator[Any]:
    """Every version of a table that is still there, as Lance datasets, the newest first."""
    import lance

    newest = catalog.newest(table)
    if newest is None:
        return
    numbers = sorted((int(found["version"]) for found in newest.versions()), reverse=True)
    for number in numbers:
        yield lance.dataset(newest.uri, version=number)


def _column(catalog: "Catalog", table: str, name: str, where: Iterable[str]) -> frozenset[str]:
    """All values of a column in rows for which any of the conditions holds."""
    found = set()
    for condition in where:
        found |= set(catalog.rows(table, [name], condition).column(0).to_pylist())
    return frozenset(found - {None})


def among(column: str, values: Collection[str]) -> Iterator[str]:
    """SQL conditions that a column has one of these values, some of them at a time."""
    ordered = sorted(values)
    for start in range(0, len(ordered), AT_ONCE):
        yield one_of(f"`{column}`", ordered[start : start + AT_ONCE])
