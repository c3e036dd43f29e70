"""The figures of growth as tables: what was measured down, how much there was across."""

from collections.abc import Mapping

from garmentloop.console import out, table

Series = dict[str, dict[int, float]]
"""By what was measured: the figure at each size, the smallest first."""

PHOTOS = {
    "photo_ms": "one photo, ms",
    "photo_mb": "peak memory until then, MB",
    "resume_ms": "one photo of a run with nothing to do, ms",
}
GARMENTS = {
    "upsert_ms": "upsert of 500 garments, ms",
    "pull_ms": "incremental pull of 250 tasks, ms",
    "status_ms": "status, ms",
    "select_ms": "select of 300, ms",
    "similar_ms": "similar, 20 neighbours, ms",
    "garment_bytes": "catalogue for each garment, bytes",
}
"""Figures and their titles, by what grows."""


def series_of(figures: Mapping[str, float | int], titles: Mapping[str, str]) -> Series:
    """Of all figures of a benchmark those with a title, by title and size."""
    found: Series = {}
    for key, title in titles.items():
        start = f"growth_{key}_"
        mine = {int(k.removeprefix(start)): v for k, v in figures.items() if k.startswith(start)}
        if mine:
            found[title] = dict(sorted(mine.items()))
    return found


def print_tables(figures: Mapping[str, float | int]) -> None:
    """One for photos and one for garments; none where growth was not measured."""
    for what, titles in (("photos", PHOTOS), ("garments", GARMENTS)):
        series = series_of(figures, titles)
        sizes = sorted({size for mine in series.values() for size in mine})
        rows = [
            (title, *(_cell(mine.get(size)) for size in sizes)) for title, mine in series.items()
        ]
        if rows:
            out.print()
            table((what, *(f"{size:,}" for size in sizes)), rows)


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"
