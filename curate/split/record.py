"""Versions of the split, as rows of the catalogue; of each garment the newest row holds."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.split.parts import Part
from garments.errors import BadSetting
from garments.ids import stable_id

if TYPE_CHECKING:
    from garments.dataset import Dataset

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Given:
    """The part and group that a version of the split gave a garment."""

    part: Part
    group: str
    version: str = ""


@dataclass(frozen=True)
class Earlier:
    """What earlier splits decided.

    `newest` holds, by garment_id. `home` is the last part that was not quarantine. `versions` are
    names with the `seq` of their first row, oldest first. `groups` are all (garment_id, group)
    that ever were.
    """

    newest: Mapping[str, Given]
    home: Mapping[str, Part]
    versions: Mapping[str, int]
    groups: frozenset[tuple[str, str]]


def read_earlier(dataset: "Dataset") -> Earlier:
    """All that earlier splits of a data set decided."""
    columns = ["garment_id", "split", "group", "version", "seq"]
    return earlier_in(dataset.catalog.rows("splits", columns).to_pylist())


def earlier_in(rows: Iterable[Mapping[str, Any]]) -> Earlier:
    """What rows of `splits` decided, given in any order."""
    newest: dict[str, Given] = {}
    home: dict[str, Part] = {}
    versions: dict[str, int] = {}
    groups = set()
    for row in sorted(rows, key=lambda row: int(row["seq"])):
        garment, part = row["garment_id"], Part(row["split"])
        newest[garment] = Given(part, row["group"] or "", row["version"])
        versions.setdefault(row["version"], row["seq"])
        if row["group"]:
            groups.add((garment, row["group"]))
        if part is not Part.QUARANTINE:
            home[garment] = part
    return Earlier(newest, home, versions, frozenset(groups))


def newest_split(dataset: "Dataset") -> dict[str, Given]:
    """The part of each garment that holds now, by garment_id; garments without one are left out."""
    return dict(read_earlier(dataset).newest)


def split_rows(version: str, given: Mapping[str, Given]) -> list[dict[str, str]]:
    """Rows of `splits` for a version."""
    return [
        {
            "split_id": stable_id("split", version, garment),
            "version": version,
            "garment_id": garment,
            "split": str(found.part),
            "group": found.group,
        }
        for garment, found in sorted(given.items())
    ]


def next_version(taken: Iterable[str]) -> str:
    """The first free name of `split-1`, `split-2` and so on."""
    known = set(taken)
    number = len(known) + 1
    while f"split-{number}" in known:
        number += 1
    return f"split-{number}"


def checked_version(name: str) -> str:
    """The name of a version, or `BadSetting`."""
    if not _NAME.fullmatch(name):
        raise BadSetting(
            "expected a version name of at most 64 letters, digits, dots, dashes and underscores, "
            f"but got {name!r}; try split-1"
        )
    return name
