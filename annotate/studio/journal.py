"""What a push was about when it ended: so that a killed one is told from tasks that were deleted.

Rows of `tasks` are written before anything is sent. A task that has a row and is not on the server
was deleted there, and stays away; unless the journal names it: then it was never sent.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from annotate.studio.project import studio_folder
from garments.catalog.lock import exclusive
from garments.errors import CatalogError, StudioError
from garments.whole import write_whole

if TYPE_CHECKING:
    from garments.dataset import Dataset

PUSH_JOURNAL, DISPUTE_JOURNAL = "push.json", "adjudicate.json"
_LOCK = "push.lock"
_PATIENCE = 5.0
"""Seconds to wait for another push that is about to end."""


@contextmanager
def one_push(dataset: "Dataset") -> Iterator[None]:
    """Keep other pushes of this data set out; `StudioError` where one is at work."""
    path = studio_folder(dataset) / _LOCK
    held = False
    try:
        with exclusive(path, _PATIENCE):
            held = True
            yield
    except CatalogError as error:
        if held:
            raise
        raise StudioError(
            f"expected no other push for {dataset.folder}, but one is at work (it holds {path}); "
            "wait for it or stop it, then run this again"
        ) from error


def read_journal(dataset: "Dataset", name: str = PUSH_JOURNAL) -> frozenset[str]:
    """Ids of tasks that a push was sending or updating when it was cut off."""
    path = studio_folder(dataset) / name
    try:
        text = path.read_text(encoding="utf-8")
        return frozenset(str(name) for name in json.loads(text))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, TypeError) as error:
        raise StudioError(
            f"expected a list of tasks in {path}, but {error}; remove the file: "
            "tasks that were just being sent then count as deleted"
        ) from error


def write_journal(dataset: "Dataset", task_ids: frozenset[str], name: str = PUSH_JOURNAL) -> None:
    """Say what is about to be sent; an empty set when it arrived."""
    path = studio_folder(dataset) / name
    if not task_ids:
        path.unlink(missing_ok=True)
        return
    write_whole(path, json.dumps(sorted(task_ids)))
