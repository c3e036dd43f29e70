"""What is in a data set, in numbers that are quick to get."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from garments.dataset import Dataset


@dataclass(frozen=True)
class Status:
    """Counts of what holds now: retired garments and people of earlier extractions are left out.

    `unread` counts sources that gave no photo at all. `last_extraction` is UTC, None before any.
    """

    name: str
    folder: Path
    photos: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    extracted: int = 0
    people: dict[str, int] = field(default_factory=dict)
    garments: dict[str, int] = field(default_factory=dict)
    retired: int = 0
    proposals: int = 0
    embeddings: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    last_extraction: datetime | None = None


def status(dataset: "Dataset") -> Status:
    """Count photos by state, people by verdict, active garments by region and labels by kind."""
    catalog, is_run = dataset.catalog, "kind = 'run'"
    configurations = catalog.counts("extractions", "config_hash", is_run)
    retired = len(catalog.retired_garments())
    return Status(
        name=dataset.settings.name,
        folder=dataset.folder,
        photos=catalog.counts("photos", "state"),
        unread=catalog.sources_without_photo(["origin"]).num_rows,
        extracted=catalog.distinct("extractions", "photo_id", is_run),
        people=_people(dataset, len(configurations) <= 1),
        garments=_garments(dataset, not retired),
        retired=retired,
        proposals=catalog.count("proposals"),
        embeddings=sum(catalog.count(table) for table in catalog.embedding_tables()),
        labels=catalog.counts("labels", "kind"),
        last_extraction=catalog.highest("extractions", "created_at", is_run),
    )


def _people(dataset: "Dataset", one_configuration: bool) -> dict[str, int]:
    """People by verdict; counted in the store as long as there is one configuration only."""
    if one_configuration:
        return dataset.catalog.counts("people", "verdict")
    return _tally(dataset.catalog.active_people(columns=["verdict"]).column("verdict"))


def _garments(dataset: "Dataset", none_retired: bool) -> dict[str, int]:
    """Active garments by region; counted in the store as long as none is retired."""
    if none_retired:
        return dataset.catalog.counts("garments", "region")
    return _tally(dataset.catalog.active_garments(columns=["region"]).column("region"))


def _tally(column: "pa.ChunkedArray") -> dict[str, int]:
    counted = column.value_counts()
    return dict(sorted((item["values"].as_py(), item["counts"].as_py()) for item in counted))
