"""All that the card and the datasheet of a release tell, gathered once."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.release.choose import Choice, LeftOut
from curate.release.figures import Figures
from curate.release.gaps import Gap
from curate.release.manifest import FileEntry, TableEntry
from curate.release.shards import Written
from extract.provenance import read_provenance

if TYPE_CHECKING:
    from garments.dataset import Dataset


SIZES = (0, 32, 64, 128, 256, 512)
"""Pixels of the photo."""


@dataclass(frozen=True)
class Cutter:
    """Who found and cut so many garments; empty names where that was not recorded."""

    detector: str
    parser: str
    garments: int


@dataclass(frozen=True)
class Facts:
    """What a release is, what is in it and what is not."""

    name: str
    dataset: str
    created_at: str
    note: str
    software: str
    simulated: bool
    tag: str
    choice: Choice
    written: Written
    figures: Figures
    gaps: Sequence[Gap]
    left_out: Mapping[LeftOut, int]
    cutters: Sequence[Cutter]
    sizes: Mapping[str, int]
    files: Mapping[str, FileEntry]
    catalogue: Mapping[str, TableEntry]


def cutters_and_sizes(dataset: "Dataset", choice: Choice) -> tuple[list[Cutter], dict[str, int]]:
    """Who cut the garments of a release, and how many are of which size."""
    ids = {item.garment.garment_id for item in choice.items}
    columns = ["garment_id", "config_hash", "x1", "y1", "x2", "y2"]
    rows = dataset.catalog.rows("garments", columns).to_pylist()
    rows = [row for row in rows if row["garment_id"] in ids]
    return _cutters(dataset, rows), _sizes(rows)


def _cutters(dataset: "Dataset", rows: Sequence[Mapping[str, Any]]) -> list[Cutter]:
    found: Counter[tuple[str, str]] = Counter()
    for config, count in Counter(row["config_hash"] or "" for row in rows).items():
        known = read_provenance(dataset, config)
        found[known.detector, known.parser] += count
    return [Cutter(*models, count) for models, count in found.most_common()]


def _sizes(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Garments by the longer side of their box, from one of `SIZES` to the next."""
    sides = [max(row["x2"] - row["x1"], row["y2"] - row["y1"]) for row in rows]
    ends = [*SIZES[1:], math.inf]
    found = {}
    for low, high in zip(SIZES, ends, strict=True):
        name = f"{low} to {high}" if high < math.inf else f"{low} and more"
        found[name] = sum(low <= side < high for side in sides)
    return found
