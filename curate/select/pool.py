"""What a selection chooses from: garments that people may be asked about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from annotate.studio.audit import draw_audit
from annotate.studio.choose import excluded_garments
from garments.ids import stable_id
from garments.labelled import held_out_by_source, in_split
from garments.said import Held, Key, people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Pool:
    """N garments that were never sent, nobody turned down and that are not of the audit slice.

    `ids`, `photos` and `regions` (N) are in the order of the ids.
    `seen_photos` are those that annotators have seen, `labelled` the garments outside the audit
    slice that people answered something about, `blind` those of the slice that were sent.
    `attributes` are those that count, in the
    taxonomy's order. `seed` decides whatever is drawn.
    """

    dataset: "Dataset"
    ids: list[str]
    photos: list[str]
    regions: list[str]
    seen_photos: frozenset[str]
    labelled: frozenset[str]
    blind: frozenset[str]
    said: Mapping[Key, Held]
    attributes: tuple[str, ...]
    seed: str

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def photo_of(self) -> dict[str, str]:
        """The photo of each garment."""
        return dict(zip(self.ids, self.photos, strict=True))

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each garment."""
        return {garment: row for row, garment in enumerate(self.ids)}

    def shuffled(self) -> list[str]:
        """All of them in an order that `seed` decides."""
        return sorted(self.ids, key=lambda garment: stable_id("loop", self.seed, garment))

    @property
    def number(self) -> int:
        """`seed` as a number, for libraries that draw."""
        return int(stable_id("selection", self.seed)[:8], 16)


def pool_of(dataset: "Dataset", audit: float, seed: str, attributes: tuple[str, ...] = ()) -> Pool:
    """What there is to choose from, with an audit slice of that share.

    `attributes` are those that count, all where there are none; `BadTaxonomy` for one that is none.
    Garments that a source or the split holds out for the test are not asked about either.
    """
    asked = {dataset.taxonomy.attribute(name).id for name in attributes}
    names = tuple(a.id for a in dataset.taxonomy.attributes if not asked or a.id in asked)
    sent: dict[str, bool] = {}
    for garment, audited in _rows(dataset, "tasks", "garment_id", "audit"):
        sent[garment] = bool(audited) or sent.get(garment, False)
    blind = frozenset(garment for garment, audited in sent.items() if audited)
    away = excluded_garments(dataset)
    columns = ["garment_id", "photo_id", "region"]
    table = dataset.catalog.active_garments(columns=columns)
    everything = sorted(zip(*(table.column(name).to_pylist() for name in columns), strict=True))
    said = people_say_in(dataset)
    slice_ = blind.union(draw_audit(dataset, audit, sent).garments)
    closed = slice_ | away | held_out_by_source(dataset) | in_split(dataset, "test")
    labelled = {garment for garment, name in said if name in names} - closed
    free = [row for row in everything if row[0] not in sent and row[0] not in closed]
    return Pool(
        dataset,
        [row[0] for row in free],
        [row[1] for row in free],
        [row[2] for row in free],
        frozenset(photo for garment, photo, _ in everything if garment in sent),
        frozenset(labelled).intersection(row[0] for row in everything),
        blind,
        said,
        names,
        seed,
    )


def _rows(dataset: "Dataset", table: str, *columns: str) -> Iterator[tuple[str, bool]]:
    found = dataset.catalog.rows(table, columns)
    return zip(*(found.column(name).to_pylist() for name in columns), strict=True)
