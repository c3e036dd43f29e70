"""Who works on a data set, and who has to have it to himself.

Whatever writes about photos for a while (extracting, tagging, releasing, training) is `at_work`,
any number at once; a takedown is `alone`, so that nothing that it takes out is written again by
somebody who read it before.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from garments.catalog.lock import exclusive, shared
from garments.errors import CatalogError, DatasetError

if TYPE_CHECKING:
    from garments.dataset import Dataset


@contextmanager
def at_work(dataset: "Dataset", timeout: float = 600.0) -> Iterator[None]:
    """Write about photos for a while; a takedown that is at work is waited for.

    `DatasetError` where that does not end within `timeout` seconds. Take no other lock before.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(shared(_lock(dataset), timeout))
        except CatalogError as error:
            raise DatasetError(
                f"expected no takedown of {dataset.folder} to be at work, but one has been for "
                f"{timeout:.0f} s; wait for it, then run the same command again"
            ) from error
        yield


@contextmanager
def alone(dataset: "Dataset", timeout: float = 60.0) -> Iterator[None]:
    """Keep all others out; `DatasetError` where they do not end within `timeout` seconds."""
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(_lock(dataset), timeout))
        except CatalogError as error:
            raise DatasetError(
                f"expected nobody else to work on {dataset.folder}, but another command has been "
                f"at it for {timeout:.0f} s (extract, prelabel, a release or a training); wait for "
                "it or stop it, then run the same command again"
            ) from error
        yield


def _lock(dataset: "Dataset") -> Path:
    dataset.run.mkdir(parents=True, exist_ok=True)
    return dataset.run / "work.lock"
