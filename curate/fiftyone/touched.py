"""What has to be written: what the catalogue has said since the last sync, and what is missing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.fiftyone.journal import Journal
from garments.dataset import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

_OF_GARMENTS = ("garments", "proposals", "labels", "decisions", "tasks", "splits")
_OF_PHOTOS = ("photos", "people", "sources", "extractions")


@dataclass(frozen=True, eq=False)
class Catalogued:
    """What there is: the photo of each garment, photos that can be shown, and the newest `seq`."""

    photo_of: dict[str, str]
    photos: frozenset[str]
    seq: int

    @classmethod
    def of(cls, dataset: Dataset) -> "Catalogued":
        """The state of the catalogue now; rows that come later have a higher `seq`."""
        catalog = dataset.catalog
        seq = max(int(catalog.highest(table, "seq") or 0) for table in catalog.tables())
        rows = catalog.rows("garments", ["garment_id", "photo_id"])
        pairs = (rows.column(name).to_pylist() for name in ("garment_id", "photo_id"))
        photos = catalog.rows("photos", ["photo_id"], "state = 'ok'").column(0).to_pylist()
        return cls(dict(zip(*pairs, strict=True)), frozenset(photos), seq)


@dataclass(frozen=True, eq=False)
class Touched:
    """Garments and photos to be written, and samples to be removed; `everything`: all of them."""

    garments: frozenset[str]
    photos: frozenset[str]
    gone_garments: frozenset[str]
    gone_photos: frozenset[str]
    everything: bool

    @property
    def count(self) -> int:
        """How many samples are to be written."""
        return len(self.garments) + len(self.photos)


def find_touched(
    dataset: Dataset,
    there: Catalogued,
    journal: Journal,
    layout: str,
    shown: tuple[Collection[str], Collection[str]],
) -> Touched:
    """Hold the catalogue against the journal, and against the garments and photos that are shown.

    A catalogue that is younger than the journal was put back from a copy: all is written.
    """
    garments, photos = (frozenset(keys) for keys in shown)
    everything = journal.layout != layout or journal.seq > there.seq
    if everything:
        new_garments, new_photos = frozenset(there.photo_of), there.photos
    else:
        new_photos = _since(dataset, _OF_PHOTOS, "photo_id", journal.seq)
        new_garments = _since(dataset, _of_garments(dataset), "garment_id", journal.seq)
        new_garments |= {name for name, photo in there.photo_of.items() if photo in new_photos}
        new_garments |= frozenset(there.photo_of) - garments
        new_photos |= {there.photo_of[name] for name in new_garments if name in there.photo_of}
        new_photos |= there.photos - photos
    return Touched(
        new_garments & there.photo_of.keys(),
        new_photos & there.photos,
        garments - there.photo_of.keys(),
        photos - there.photos,
        everything,
    )


def _of_garments(dataset: Dataset) -> list[str]:
    return [*_OF_GARMENTS, *dataset.catalog.embedding_tables()]


def _since(dataset: Dataset, tables: Collection[str], column: str, seq: int) -> frozenset[str]:
    """Ids in rows of these tables that came after `seq`."""
    found: set[str] = set()
    for table in tables:
        rows: pa.Table = dataset.catalog.rows(table, [column], f"seq > {seq}")
        found |= set(rows.column(0).unique().to_pylist())
    return frozenset(found - {None})
