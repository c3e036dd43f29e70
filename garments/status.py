"""What is in a data set, in numbers that are quick to get."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garments.inforce import promotions
from garments.rounds import Round, rounds
from garments.said import LabelKind
from garments.withdrawals import Withdrawals

if TYPE_CHECKING:
    import pyarrow as pa

    from garments.dataset import Dataset


@dataclass(frozen=True)
class LoopStatus:
    """Where the loop stands.

    `waiting` tasks were sent and nobody has dealt with them, `blind` of these are in the audit
    slice. `corrected` garments have a label that somebody gave in this data set, imports left out.
    `rounds` have ended; `current` is the one that has not, empty without one, and `done` are its
    steps that have. `champions` are promoted models by attribute; elsewhere the settings hold.
    """

    waiting: int = 0
    blind: int = 0
    corrected: int = 0
    rounds: int = 0
    current: str = ""
    done: tuple[str, ...] = ()
    champions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """Counts of what holds now: retired garments and people of earlier extractions are left out.

    `unread` counts sources that gave no photo at all. `last_extraction` is UTC, None before any.
    `taking_down`: a takedown was stopped and is to be finished.
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
    loop: LoopStatus = LoopStatus()
    taking_down: bool = False


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
        labels=catalog.counts("labels", "kind", _said(dataset)),
        last_extraction=catalog.highest("extractions", "created_at", is_run),
        loop=_loop(dataset),
        taking_down=Withdrawals(dataset).pending() is not None,
    )


def _said(dataset: "Dataset") -> str | None:
    """Labels that somebody gave: a migration says them anew, but nobody said more by that."""
    return "migration IS NULL" if "migration" in dataset.catalog.stored("labels") else None


def _loop(dataset: "Dataset") -> LoopStatus:
    catalog, known = dataset.catalog, rounds(dataset)
    current = known[-1] if known and not known[-1].finished else Round("")
    said = f"kind NOT IN ('{LabelKind.IMPORT}', '{LabelKind.GOLD}') AND withdraws IS NULL"
    return LoopStatus(
        waiting=catalog.count("tasks", "state = 'created'"),
        blind=catalog.count("tasks", "state = 'created' AND audit"),
        corrected=catalog.distinct("labels", "garment_id", said),
        rounds=sum(one.finished for one in known),
        current=current.name,
        done=tuple(current.done),
        champions={name: str(row["model"]) for name, row in _promoted(dataset).items()},
    )


def _promoted(dataset: "Dataset") -> dict[str, dict[str, Any]]:
    """Promotions that name a model, if there ever was one: else the taxonomy is not read."""
    if not dataset.catalog.count("promotions"):
        return {}
    return {name: row for name, row in promotions(dataset).items() if row["model"]}


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
