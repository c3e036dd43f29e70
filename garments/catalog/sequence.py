"""The counter behind `seq`. Call it only under the writer's lock."""

from collections.abc import Callable
from pathlib import Path

from garments.whole import write_whole


class Sequence:
    """Counts up in a file; gaps are harmless, a number given twice would not be.

    The counter moves before the rows are written, so a writer that is killed leaves a gap. A
    lost, damaged or restored file is mended from `highest()`, the highest number in any table.
    """

    def __init__(self, path: Path, highest: Callable[[], int]) -> None:
        self._path, self._highest = path, highest
        self._checked = False

    def reserve(self, count: int) -> int:
        """First of `count` numbers that nobody else was or will be given."""
        first = max(self._stored(), self._floor()) + 1
        write_whole(self._path, f"{first + count - 1}\n")
        self._checked = True
        return first

    def _stored(self) -> int:
        try:
            return int(self._path.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            self._checked = False
            return 0

    def _floor(self) -> int:
        return 0 if self._checked else self._highest()
