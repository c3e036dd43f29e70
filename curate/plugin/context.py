"""What an operator works on: the data set whose App this is, and what is selected in it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.fiftyone.app import curator
from curate.fiftyone.environment import DATASET_VARIABLE, garments_name
from curate.fiftyone.window import Window, expect_ours
from garments.dataset import Dataset
from garments.errors import BadInput, FiftyOneError

if TYPE_CHECKING:
    from garments.taxonomy import Taxonomy

NOTHING = (
    "Nothing is selected. Tick crops in the grid (shift and a click: all up to there), or take "
    "“Select all crops of this view”, then come back."
)


@dataclass
class Memory:
    """What a form offers first: the attribute that was set last; names that were given."""

    attribute: str = ""
    names: list[str] = field(default_factory=list)


memory = Memory()
"""Of this App. The name that is offered first is never another's: that of whoever opened it."""


def dataset() -> Dataset:
    """The data set that this App shows, as it is now; `FiftyOneError` in an App of others."""
    folder = os.environ.get(DATASET_VARIABLE)
    if not folder:
        raise FiftyOneError(
            "expected an App that was opened by `garmentloop curate open`, but this one was not; "
            "open it by that command"
        )
    return Dataset.open(Path(folder))


def is_ours(ctx: Any) -> bool:
    """Whether the App shows our garments now: only then operators have a place in the grid."""
    folder = os.environ.get(DATASET_VARIABLE)
    return bool(folder) and ctx.dataset_name == _name(folder or "")


@cache
def _name(folder: str) -> str:
    """The name does not change while an App is open, and is asked for after every click."""
    return garments_name(Dataset.open(Path(folder)))


def window(ctx: Any) -> Window:
    """The garments that the App shows; `BadInput` where it shows something else."""
    import fiftyone as fo

    data = dataset()
    if ctx.dataset_name != garments_name(data):
        raise BadInput(
            f"expected the crops of {garments_name(data)}, but the App shows {ctx.dataset_name}; "
            "choose that dataset at the top left"
        )
    expect_ours(ctx.dataset, data)
    return Window(data, fo.config.database_uri, fo, ctx.dataset, None)


def chosen(ctx: Any) -> list[str]:
    """Ids of the selected samples; of the one that is looked at where none is selected."""
    picked = list(dict.fromkeys(ctx.selected))
    if not picked and ctx.current_sample:
        return [str(ctx.current_sample)]
    return picked


def expect_chosen(ctx: Any) -> list[str]:
    """The same, `BadInput` where there is none."""
    found = chosen(ctx)
    if not found:
        raise BadInput(NOTHING)
    return found


def who(ctx: Any) -> str:
    """Who acts: as the form says, else whoever opened the App; remembered as one to choose."""
    name = str(ctx.params.get("who") or "").strip() or curator(dataset())
    if name not in memory.names:
        memory.names.append(name)
    return name


def names() -> list[str]:
    """Names to choose from, that of whoever opened the App first."""
    return list(dict.fromkeys([curator(dataset()), *memory.names]))


def held(window: Window, sample_ids: Sequence[str], path: str) -> list[str]:
    """Values that the label in the field `path` of these samples has, each once."""
    from bson import ObjectId

    # FiftyOne was not told of `values` (see `documents.Collection.declare`): it is asked below it
    where = {"_id": {"$in": [ObjectId(name) for name in sample_ids]}}
    found = window.garments._sample_collection.distinct(f"{path}.values", where)
    return [str(value) for value in found]


def asked(taxonomy: "Taxonomy", wanted: str) -> str:
    """The attribute `wanted`, else the one that was set last, else the first."""
    ids = [attribute.id for attribute in taxonomy.attributes]
    return next(name for name in (wanted, memory.attribute, ids[0]) if name in ids)
