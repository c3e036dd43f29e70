"""Keeps out whoever reads or writes labels in the words of a taxonomy, while that is replaced."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from garments.atwork import at_work
from garments.catalog.lock import exclusive
from garments.errors import CatalogError, DatasetError

if TYPE_CHECKING:
    from garments.dataset import Dataset

PATIENCE = 5.0
"""Seconds to wait for somebody who is about to end."""


@contextmanager
def alone(dataset: "Dataset") -> Iterator[None]:
    """Hold the locks of all others who work with labels; `DatasetError` names who is at work."""
    from annotate.studio.journal import one_push
    from annotate.studio.pull import one_pull

    folder = dataset.run
    held = [
        (folder / "migrate.lock", "another migration"),
        (folder / "loop.lock", "a loop"),
        (folder / "import-labels.lock", "an import"),
        (dataset.releases / ".lock", "a release"),
    ]
    if (folder / "fiftyone").is_dir():
        held.append((folder / "fiftyone" / "sync.lock", "a sync of FiftyOne"))
    with ExitStack() as stack:
        stack.enter_context(at_work(dataset, PATIENCE))  # a takedown keeps everybody out
        for path, who in held:
            stack.enter_context(_one(path, who, dataset))
        stack.enter_context(one_push(dataset))
        stack.enter_context(one_pull(dataset))
        yield


@contextmanager
def _one(path: Path, who: str, dataset: "Dataset") -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(
            f"expected to make {path.parent}, but {error.strerror or error}; make room there, then "
            "run this again"
        ) from error
    inside = False
    try:
        with exclusive(path, PATIENCE):
            inside = True
            yield
    except CatalogError as error:
        if inside:
            raise
        raise DatasetError(
            f"expected nobody to work with the labels of {dataset.folder}, but {who} is at work "
            f"(it holds {path}); wait for it or stop it, then run this again. Nothing was changed"
        ) from error
