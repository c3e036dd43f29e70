"""Repeating prints as small RGB tiles, and single motifs that sit on a chest."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from garments.synthetic.palette import Color, mix
from garments.synthetic.shapes import ellipse, fill, points

Image = NDArray[np.float32]
Colors = tuple[Color, Color, Color]
TILE = 128
"""Side of a tile in pixels; it covers about a tenth of a person's height."""


def _plain(color: Color) -> Image:
    return np.full((TILE, TILE, 3), color, np.float32)


def _bands(edges: list[tuple[float, float]]) -> NDArray[np.float32]:
    """Weight (TILE,) in [0, 1] of bands given as start and width in shares of the tile."""
    t = (np.arange(TILE, dtype=np.float32) + 0.5) / TILE
    weight: Image = np.zeros(TILE, np.float32)
    for start, width in edges:
        inside = np.clip((width / 2 - np.abs((t - start - width / 2 + 0.5) % 1 - 0.5)) * TILE, 0, 1)
        weight = np.maximum(weight, inside).astype(np.float32)
    return weight


def _striped(colors: Colors, edges: list[tuple[float, float]]) -> Image:
    weight = _bands(edges)[:, None, None]
    row = np.asarray(colors[0], np.float32) * (1 - weight) + np.asarray(colors[1]) * weight
    return np.ascontiguousarray(np.broadcast_to(row, (TILE, TILE, 3)), np.float32)


def _even(n: int, share: float) -> list[tuple[float, float]]:
    return [(k / n, share / n) for k in range(n)]


def _crossed(colors: Colors, edges: list[tuple[float, float]], depth: float) -> Image:
    band = _bands(edges)
    weight = (band[:, None] + band[None, :]) * depth
    weight = np.clip(weight, 0, 1)[..., None]
    tile = np.asarray(colors[0], np.float32) * (1 - weight) + np.asarray(colors[1]) * weight
    return np.asarray(tile, np.float32)


def _stamp(tile: Image, outline: NDArray[np.float32], color: Color) -> None:
    """Fill an outline into a tile so that it wraps around its edges."""
    mask = np.zeros((TILE * 3, TILE * 3), np.uint8)
    fill(mask, [outline + TILE], (0, 0))
    folded = mask.reshape(3, TILE, 3, TILE).max((0, 2)).astype(np.float32)[..., None] / 255
    tile += (np.asarray(color, np.float32) - tile) * folded


def _scatter(rng: np.random.Generator, n: int) -> list[tuple[float, float]]:
    """`n` * `n` jittered places in a tile."""
    step = TILE / n
    return [
        ((i + 0.5 * (j % 2) + rng.uniform(0.2, 0.8)) * step, (j + rng.uniform(0.2, 0.8)) * step)
        for i in range(n)
        for j in range(n)
    ]


def even_stripes(rng: np.random.Generator, colors: Colors) -> Image:
    """Bands of equal width."""
    return _striped(colors, _even(int(rng.integers(3, 6)), 0.5))


def pinstripes(rng: np.random.Generator, colors: Colors) -> Image:
    """Thin lines far apart."""
    return _striped(colors, _even(int(rng.integers(4, 7)), 0.18))


def breton(rng: np.random.Generator, colors: Colors) -> Image:
    """Sailor's stripes."""
    return _striped(colors, _even(int(rng.integers(3, 5)), 0.32))


def double_stripes(rng: np.random.Generator, colors: Colors) -> Image:
    """Pairs of stripes."""
    n = int(rng.integers(2, 4))
    return _striped(colors, [(k / n + d / n, 0.14 / n) for k in range(n) for d in (0.0, 0.3)])


def fading_stripes(rng: np.random.Generator, colors: Colors) -> Image:
    """Stripes that get thinner."""
    n = int(rng.integers(4, 6))
    return _striped(colors, [(k / n, (0.7 - 0.55 * k / n) / n) for k in range(n)])


def gingham(rng: np.random.Generator, colors: Colors) -> Image:
    """Even checks in two tones."""
    return _crossed(colors, _even(int(rng.integers(3, 6)), 0.5), 0.5)


def plaid(rng: np.random.Generator, colors: Colors) -> Image:
    """Wide and narrow crossing bands in three colors."""
    n = int(rng.integers(1, 3))
    tile = _crossed(colors, _even(n, 0.42), 0.45)
    thin = _bands([(k / n + 0.7 / n, 0.06 / n) for k in range(n)])
    weight = np.maximum(thin[:, None], thin[None, :])[..., None] * 0.8
    return np.asarray(tile + (np.asarray(colors[2], np.float32) - tile) * weight, np.float32)


def windowpane(rng: np.random.Generator, colors: Colors) -> Image:
    """A grid of thin lines."""
    return _crossed(colors, _even(int(rng.integers(2, 4)), 0.1), 0.9)


def argyle(rng: np.random.Generator, colors: Colors) -> Image:
    """Diamonds with a thin diagonal grid."""
    tile, h = _plain(colors[0]), TILE / 2
    _stamp(tile, points([[h, 4], [TILE - 30, h], [h, TILE - 4], [30, h]]), colors[1])
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32)
    for d in ((x + y) % h, (x - y) % h):
        line = np.clip(2.2 - np.minimum(d, h - d), 0, 1)[..., None]
        tile += (np.asarray(colors[2], np.float32) - tile) * line * 0.8
    return tile


def _dots(colors: Colors, n: int, radius: float) -> Image:
    tile, step = _plain(colors[0]), TILE / n
    for i in range(n):
        for j in range(n):
            x = (i + 0.25 + 0.5 * (j % 2)) * step
            _stamp(tile, ellipse((x, (j + 0.5) * step), radius * step, radius * step), colors[1])
    return tile


def polka(rng: np.random.Generator, colors: Colors) -> Image:
    """Big dots in a quincunx."""
    return _dots(colors, int(rng.choice([2, 4])), 0.27)


def pin_dots(rng: np.random.Generator, colors: Colors) -> Image:
    """Small dots in a quincunx."""
    return _dots(colors, int(rng.choice([4, 6])), 0.2)


def confetti(rng: np.random.Generator, colors: Colors) -> Image:
    """Dots of all sizes anywhere."""
    tile = _plain(colors[0])
    for k, at in enumerate(_scatter(rng, 4)):
        r = rng.uniform(4, 11)
        _stamp(tile, ellipse(at, r, r), colors[1 + k % 2])
    return tile


def rings(rng: np.random.Generator, colors: Colors) -> Image:
    """Dots with a hole, in rows."""
    tile, n = _plain(colors[0]), int(rng.integers(2, 4))
    step = TILE / n
    for i in range(n):
        for j in range(n):
            at = ((i + 0.5) * step, (j + 0.5) * step)
            _stamp(tile, ellipse(at, 0.33 * step, 0.33 * step), colors[1])
            _stamp(tile, ellipse(at, 0.16 * step, 0.16 * step), colors[0])
    return tile


def _flower(
    tile: Image, at: tuple[float, float], size: float, petals: int, turn: float, colors: Colors
) -> None:
    for k in range(petals):
        a = turn + 2 * np.pi * k / petals
        center = (at[0] + size * 0.6 * np.cos(a), at[1] + size * 0.6 * np.sin(a))
        _stamp(tile, ellipse(center, size * 0.55, size * 0.36, a), colors[1])
    _stamp(tile, ellipse(at, size * 0.3, size * 0.3), colors[2])


def daisies(rng: np.random.Generator, colors: Colors) -> Image:
    """Small flowers with many petals."""
    tile = _plain(colors[0])
    for at in _scatter(rng, 3):
        _flower(tile, at, rng.uniform(11, 16), 7, rng.uniform(0, 6), colors)
    return tile


def blossoms(rng: np.random.Generator, colors: Colors) -> Image:
    """Large five-petalled flowers between leaves."""
    tile = _plain(colors[0])
    green = mix(colors[0], (60, 110, 60), 0.7)
    for k, at in enumerate(_scatter(rng, 3)):
        a = rng.uniform(0, 6)
        _stamp(tile, ellipse(at, 17, 5, a), green)
        if k % 2 == 0:
            _flower(tile, at, rng.uniform(15, 21), 5, a, colors)
    return tile


def leaves(rng: np.random.Generator, colors: Colors) -> Image:
    """Twigs with pairs of leaves."""
    tile = _plain(colors[0])
    for x, y in _scatter(rng, 2):
        a = rng.uniform(0, 6)
        for k in range(-2, 3):
            step = (x + 9 * k * np.cos(a), y + 9 * k * np.sin(a))
            for side in (0.9, -0.9):
                c = (step[0] + 8 * np.cos(a + side), step[1] + 8 * np.sin(a + side))
                _stamp(tile, ellipse(c, 9, 3.2, a + side), colors[1 + (k + 2) % 2])
    return tile


def roses(rng: np.random.Generator, colors: Colors) -> Image:
    """Round blooms of nested petals."""
    tile = _plain(colors[0])
    for at in _scatter(rng, 2):
        size = rng.uniform(18, 26)
        for k in range(5):
            r = size * (1 - 0.19 * k)
            a = 1.3 * k
            center = (at[0] + 0.12 * size * np.cos(a), at[1] + 0.12 * size * np.sin(a))
            _stamp(tile, ellipse(center, r, r * 0.85, a), mix(colors[1], colors[2], 0.25 * k))
    return tile


_ALL = [even_stripes, pinstripes, breton, double_stripes, fading_stripes, gingham, plaid]
_ALL += [windowpane, argyle, polka, pin_dots, confetti, rings, daisies, blossoms, leaves, roses]
PRINTS: dict[str, Callable[[np.random.Generator, Colors], Image]] = {f.__name__: f for f in _ALL}
"""Every repeating print by name: (rng, three colors) -> tile (128, 128, 3) RGB float32."""


def resized(tile: Image, side: float) -> Image:
    """`tile` brought to about `side` pixels, so that it is sampled one to one."""
    n = int(np.clip(round(side), 4, 400))
    way = cv2.INTER_AREA if n < tile.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(tile, (n, n), interpolation=way), np.float32)
