"""The counter behind `seq`. Call it only under the writer's lock."""

from collections.abc import Callable
from pathlib import Path

from garments.whole import write_whole


class Sequence:
    """Counts up in a file; gaps are harmless, a number given twice would not be.

    The counter moves before the rows are written, so a writer that is killed leaves a gap. A
    lost or damaged file is mended from `highest()`, the highest number in any table, one that was
    restored from a backup by `newest()`, that of the rows that were written last.
    """

    def __init__(
        self, path: Path, highest: Callable[[], int], newest: Callable[[], int] | None = None
    ) -> None:
        self._path, self._highest, self._newest = path, highest, newest or highest
        self._checked = False

    def reserve(self, count: int) -> int:
        """First of `count` numbers that nobody else was or will be given."""
        stored = self._stored()
        floor = 0 if self._checked else (self._highest if stored is None else self._newest)()
        first = max(stored or 0, floor) + 1
        write_whole(self._path, f"{first + count - 1}\n")
        self._checked = True
        return first

    def _stored(self) -> int | None:
        """What the file says, None where it is lost or damaged."""
        try:
            return int(self._path.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            self._checked = False
            return None
