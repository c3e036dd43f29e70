"""The figures of growth drawn as SVG: what is flat is a level line, what is linear a diagonal."""

import math
from collections.abc import Mapping
from html import escape

from garmentloop.bench.growth.tabled import GARMENTS, PHOTOS, Series, series_of

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 40, 34, 40
"""Of one panel, in pixels; lines run between the margins."""

COLORS = ("#1b6ca8", "#c8553d", "#2e7d4f", "#7b4ea3", "#b8860b")
STYLE = "font:11px sans-serif;fill:#333"


def drawn(figures: Mapping[str, float | int]) -> str:
    """Two panels side by side, both axes logarithmic: milliseconds over photos and garments."""
    panels = [
        _panel(series_of(figures, _milliseconds(titles)), f"milliseconds by {what}", place * WIDTH)
        for place, (what, titles) in enumerate((("photos", PHOTOS), ("garments", GARMENTS)))
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT + 80}" '
        f'style="background:#fff">\n' + "\n".join(panels) + "\n</svg>\n"
    )


def _milliseconds(titles: Mapping[str, str]) -> dict[str, str]:
    return {key: title.removesuffix(", ms") for key, title in titles.items() if key.endswith("_ms")}


def _panel(series: Series, title: str, shift: int) -> str:
    points = [point for mine in series.values() for point in mine.items()]
    if not points:
        return ""
    across, up = (_decades([point[axis] for point in points]) for axis in (0, 1))

    def at(size: float, value: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * _share(size, across)
        return x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _share(value, up)

    parts = [f'<text x="{LEFT}" y="18" style="{STYLE};font-weight:bold">{escape(title)}</text>']
    for power in range(across[0], across[1] + 1):
        x, y = at(10.0**power, 10.0 ** up[0])
        parts.append(_text(x, y + 16, f"{10**power:,}", "middle"))
    for power in range(up[0], up[1] + 1):
        x, y = at(10.0 ** across[0], 10.0**power)
        parts.append(f'<path d="M{x:.0f} {y:.0f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(_text(x - 6, y + 4, f"{10.0**power:,g}", "end"))
    for place, (name, mine) in enumerate(series.items()):
        color, path = COLORS[place % len(COLORS)], [at(*point) for point in mine.items()]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in path)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in path)
        parts.append(f'<path d="M{line}" stroke="{color}" stroke-width="2" fill="none"/>')
        parts.append(f'<g fill="{color}">{dots}</g>')
        parts.append(
            f'<text x="{LEFT}" y="{HEIGHT + 15 * place}" style="{STYLE};fill:{color}">'
            f"{escape(name)}</text>"
        )
    return f'<g transform="translate({shift} 0)">' + "\n".join(parts) + "</g>"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" style="{STYLE}">{text}</text>'


def _decades(values: list[float]) -> tuple[int, int]:
    """Powers of ten around all values."""
    low = math.floor(math.log10(min(values)))
    return low, max(low + 1, math.ceil(math.log10(max(values))))


def _share(value: float, powers: tuple[int, int]) -> float:
    return (math.log10(value) - powers[0]) / (powers[1] - powers[0])
