"""`garmentloop status`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from garmentloop.console import out, table
from garmentloop.options import DatasetOption, JsonFlag

if TYPE_CHECKING:
    from garments.status import Status


def status(dataset: DatasetOption, as_json: JsonFlag = False) -> None:
    """Count what is in a data set: photos, people by verdict, garments by region, labels.

    Examples:

      garmentloop status --dataset datasets/mine
      garmentloop status --dataset datasets/mine --json
    """
    from garments.dataset import Dataset
    from garments.status import status as count

    counted = count(Dataset.open(dataset))
    if as_json:
        out.print(json.dumps(asdict(counted), indent=2, default=str), markup=False)
    else:
        table((counted.name, "count", "of which"), rows(counted))


def rows(counted: "Status") -> Iterator[tuple[str, int, str]]:
    """The lines of the table: what, how many, and how they divide."""
    yield "photos", sum(counted.photos.values()), _parts(counted.photos)
    if counted.unread:
        yield "sources without a photo", counted.unread, ""
    yield "photos extracted", counted.extracted, ""
    yield "people", sum(counted.people.values()), _parts(counted.people)
    yield "garments", sum(counted.garments.values()), _parts(counted.garments)
    if counted.retired:
        yield "garments retired", counted.retired, ""
    yield "proposals", counted.proposals, ""
    yield "embeddings", counted.embeddings, ""
    yield "labels", sum(counted.labels.values()), _parts(counted.labels)


def _parts(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count:,}" for name, count in ordered)
