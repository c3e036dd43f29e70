"""The newest selection of a data set, kept for `annotate push --select FILE` and for FiftyOne."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.studio.choose import named_garments
from garments.whole import write_whole

if TYPE_CHECKING:
    from garments.dataset import Dataset

FILE = "selected.txt"
"""In DIR/run/curate: the garments that were selected last, a line each."""


@dataclass(frozen=True)
class Kept:
    """Garments of a selection in their order, and what chose them, in words."""

    garments: tuple[str, ...]
    about: str


def selected_file(dataset: "Dataset") -> Path:
    """Where the newest selection is kept."""
    return dataset.run / "curate" / FILE


def write_selected(path: Path, garments: Sequence[str], about: str) -> Path:
    """Write ids, a line each, below a line that says what chose them; the file is whole or old."""
    write_whole(path, f"# {about}\n" + "".join(f"{name}\n" for name in garments))
    return path


def newest_selected(dataset: "Dataset") -> Kept | None:
    """What was selected last, None before."""
    path = selected_file(dataset)
    if not path.exists():
        return None
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return Kept(tuple(named_garments(path)), first.removeprefix("#").strip())
