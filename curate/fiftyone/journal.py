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


def kept(shown: Any, name: str) -> Any:
    """What was kept under that name in a FiftyOne dataset, None where nothing was."""
    return (shown.info.get(KEY) or {}).get(name)


def keep(shown: Any, **values: Any) -> None:
    """Keep these values in a FiftyOne dataset, beside what else its `info` has."""
    before = dict(shown.info.get(KEY) or {})
    if any(before.get(name) != value for name, value in values.items()):
        shown.info = {**shown.info, KEY: {**before, **values}}
        shown.save()


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
        found: Mapping[str, Any] = dataset.info[KEY]
        heard = found.get("heard")
        return Journal(
            int(found["seq"]),
            str(found["layout"]),
            tuple(found["model_fields"]),
            datetime.fromisoformat(heard) if heard else None,
        )
    except (KeyError, TypeError, ValueError):
        return Journal()


def write_journal(dataset: Any, journal: Journal) -> None:
    """Keep the journal."""
    heard = journal.heard.isoformat() if journal.heard else None
    fields = list(journal.model_fields)
    keep(dataset, **asdict(journal) | {"model_fields": fields, "heard": heard})
