"""Garments that could not be shown to a tagger, and why."""

from collections.abc import Iterable
from datetime import UTC, datetime

from garments.dataset import Dataset
from garments.errors import DatasetError

SHOWN = 5
"""Reasons that a run tells; the log has all of them."""


class Failures:
    """Writes each to `run/prelabel.log`, and keeps the first few to be told."""

    def __init__(self, dataset: Dataset) -> None:
        self.path = dataset.run / "prelabel.log"
        self.first: tuple[str, ...] = ()

    def add(self, failed: Iterable[tuple[str, str]]) -> None:
        """Record (garment_id, reason) of each; `DatasetError` where the log cannot be written."""
        lines = [f"garment {garment_id}: {reason}" for garment_id, reason in failed]
        if not lines:
            return
        self.first = (*self.first, *lines)[:SHOWN]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as log:
                log.writelines(f"{now} {line}\n" for line in lines)
        except OSError as error:
            raise DatasetError(
                f"expected to write {self.path}, but {error.strerror or error}; make room there, "
                "then run the same command again: what was finished is kept"
            ) from error
