"""How far FiftyOne is in step with the catalogue.

The journal is kept in FiftyOne's own dataset (`info`), so that it goes with it: a dataset that was
deleted, or another MongoDB, is begun from nothing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from curate.fiftyone.environment import fiftyone_folder
from garments.dataset import Dataset

KEY = "garmentloop"


@dataclass(frozen=True)
class Journal:
    """`seq` is the catalogue's order up to which everything is written, 0 for nothing.

    `layout` is what was written how, `model_fields` the fields of single models that it has.
    What the curator did until `heard` is read back, None where nothing was.
    """

    seq: int = 0
    layout: str = ""
    model_fields: tuple[str, ...] = ()
    heard: datetime | None = None


def owner(dataset: Dataset) -> str:
    """What tells this data set from others of its name, wherever its folder is moved."""
    path = fiftyone_folder(dataset) / "owner"
    if not path.exists():
        path.write_text(f"{uuid.uuid4()}\n", encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def read_journal(dataset: Any) -> Journal:
    """The journal of a FiftyOne dataset; a new one where there is none or it is damaged."""
    if dataset is None:
        return Journal()
    try:
        kept: Mapping[str, Any] = dataset.info[KEY]
        heard = kept.get("heard")
        return Journal(
            int(kept["seq"]),
            str(kept["layout"]),
            tuple(kept["model_fields"]),
            datetime.fromisoformat(heard) if heard else None,
        )
    except (KeyError, TypeError, ValueError):
        return Journal()


def write_journal(dataset: Any, journal: Journal) -> None:
    """Keep the journal, beside what else the dataset's `info` has."""
    before = dict(dataset.info.get(KEY) or {})
    kept = asdict(journal) | {
        "model_fields": list(journal.model_fields),
        "heard": journal.heard.isoformat() if journal.heard else None,
    }
    dataset.info = {**dataset.info, KEY: {**before, **kept}}
    dataset.save()
