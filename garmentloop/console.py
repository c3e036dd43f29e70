"""The two consoles that commands print to: results on stdout, everything else on stderr."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeVar

from rich.console import Console
from rich.table import Table

out = Console(highlight=False, soft_wrap=True)
"""Results: what a user would pipe into a file."""

err = Console(stderr=True, highlight=False, soft_wrap=True)
"""Progress, notes and errors."""


T = TypeVar("T")


def awaited(events: Iterable[T], text: str) -> Iterator[T]:
    """The events, after `text` was shown until the first one came."""
    rest = iter(events)
    with err.status(text):
        first = list(next(zip(rest, strict=False), ()))
    return chain(first, rest)


def table(
    header: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None
) -> None:
    """Print `rows` under `header`; the first column is left-aligned, the others to the right."""
    grid = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(header):
        grid.add_column(name, justify="left" if index == 0 else "right")
    for row in rows:
        grid.add_row(*(shown(cell) for cell in row))
    if not out.is_terminal:
        out.width = 1000  # a file or a pipe has no width to keep to: nothing is folded there
    out.print(grid)


def shown(value: object) -> str:
    """A value as people read it: thousands apart, four digits of a fraction, blank for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
