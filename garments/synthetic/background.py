"""Backdrops: the painter's tools, ground and walls, and the drawing of a whole backdrop."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from garments.synthetic import noise
from garments.synthetic.palette import Color

Image = NDArray[np.float32]


@dataclass
class Backdrop:
    """A background of (H, W, 3) float32 RGB under construction.

    `horizon` is the y of the ground's far edge; people stand below it.
    """

    pixels: Image
    horizon: float
    rng: np.random.Generator

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    def u(self, low: float, high: float) -> float:
        """A random number in [low, high)."""
        return float(self.rng.uniform(low, high))

    def tone(self, color: Color, spread: float = 18.0) -> Color:
        """A color near `color`."""
        lift = self.u(-0.7, 0.7) * spread
        shifts = (self.u(-0.6, 0.6) * spread for _ in range(3))
        r, g, b = (float(np.clip(c + lift + s, 0, 255)) for c, s in zip(color, shifts, strict=True))
        return r, g, b

    def pick(self, *colors: Color) -> Color:
        """One of some colors, moved a little."""
        return self.tone(colors[int(self.rng.integers(len(colors)))])

    def gradient(self, y1: float, y2: float, top: Color, low: Color) -> None:
        """Fill rows y1..y2 with a vertical gradient."""
        a, b = max(0, int(y1)), min(self.height, int(y2))
        if b > a:
            t = np.linspace(0, 1, b - a, dtype=np.float32)[:, None, None]
            start, end = np.asarray(top, np.float32), np.asarray(low, np.float32)
            self.pixels[a:b] = start + (end - start) * t

    def rect(self, x1: float, y1: float, x2: float, y2: float, color: Color) -> None:
        """A filled rectangle."""
        a, b, c, d = max(0, int(x1)), max(0, int(y1)), max(0, int(x2)), max(0, int(y2))
        self.pixels[b:d, a:c] = color

    def poly(self, corners: list[tuple[float, float]], color: Color) -> None:
        """A filled polygon, anti-aliased."""
        fixed = np.round(np.asarray(corners, np.float32) * 16).astype(np.int32)
        cv2.fillPoly(self.pixels, [fixed], color, cv2.LINE_8, 4)

    def disc(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        """A filled ellipse."""
        center, axes = (round(x), round(y)), (max(1, round(rx)), max(1, round(ry)))
        cv2.ellipse(self.pixels, center, axes, 0, 0, 360, color, -1, cv2.LINE_8)

    def line(self, x1: float, y1: float, x2: float, y2: float, color: Color, w: float = 1) -> None:
        """A straight line `w` px wide."""
        start, end = (round(x1), round(y1)), (round(x2), round(y2))
        cv2.line(self.pixels, start, end, color, max(1, round(w)), cv2.LINE_8)

    def texture(self, y1: float, y2: float, amount: float, scale: float, grainy: bool) -> None:
        """Modulate rows y1..y2 by noise of the given scale (px per bank pixel)."""
        a, b = max(0, int(y1)), min(self.height, int(y2))
        if b <= a:
            return
        bank = noise.grain() if grainy else noise.clouds()
        shift = self.rng.uniform(0, noise.BANK, 2)
        matrix = np.array([[1 / scale, 0, shift[0]], [0, 1 / scale, shift[1]]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (self.width, b - a)
        field = cv2.warpAffine(bank, matrix, size, flags=flags, borderMode=cv2.BORDER_WRAP)
        self.pixels[a:b] *= (1 + amount * field)[..., None]

    def blobs(self, count: int, y1: float, y2: float, size: float, *colors: Color) -> None:
        """Random ellipses between rows: crowds, leaves, goods."""
        for _ in range(count):
            r = self.u(0.3, 1.0) * size
            x, y = self.u(0, self.width), self.u(y1, y2)
            self.disc(x, y, r * self.u(0.6, 1.4), r, self.pick(*colors))


def tree(b: Backdrop, x: float, base: float, size: float, leaf: Color) -> None:
    """A trunk with a ragged, dappled crown."""
    bark = b.tone((86, 66, 50), 14)
    b.poly([(x - size * 0.05, base), (x - size * 0.03, base - size), (x + size * 0.03, base - size),
            (x + size * 0.06, base)], bark)  # fmt: skip
    foliage(b, x, base - size * 1.05, size * b.u(0.38, 0.5), size * b.u(0.36, 0.5), leaf)


def foliage(b: Backdrop, x: float, y: float, rx: float, ry: float, leaf: Color) -> None:
    """A crown or bush: an ellipse with a ragged rim, dappled, lit from above."""
    where = _puff(b, x, y, rx, ry)
    if where is None:
        return
    target, v, inside, clumps, dapple = where
    cover = np.clip(6 * (inside + 0.22 * clumps + 0.1 * dapple), 0, 1)[..., None]
    shade = np.clip(1 - 0.3 * v + 0.2 * clumps + 0.2 * dapple, 0.3, 1.7)[..., None]
    target += (np.clip(np.asarray(leaf, np.float32) * shade, 0, 255) - target) * cover


def cloud(b: Backdrop, x: float, y: float, rx: float, ry: float) -> None:
    """A cloud with a soft rim, darker beneath."""
    where = _puff(b, x, y, rx, ry)
    if where is None:
        return
    target, v, inside, clumps, _ = where
    cover = np.clip(1.1 * (inside + 0.5 * clumps), 0, 0.9)[..., None]
    shade = np.clip(244 - 14 * v + 6 * clumps, 0, 255)[..., None]
    target += (shade - target) * cover


def _puff(
    b: Backdrop, x: float, y: float, rx: float, ry: float
) -> tuple[Image, Image, Image, Image, Image] | None:
    """Pixels round an ellipse with v in it, how far inside it they lie, and two noises."""
    x1, x2 = max(0, int(x - 1.3 * rx)), min(b.width, int(x + 1.3 * rx))
    y1, y2 = max(0, int(y - 1.3 * ry)), min(b.height, int(y + 1.3 * ry))
    if x2 <= x1 or y2 <= y1:
        return None
    scale, shift = max(0.05, rx / 160), b.rng.uniform(0, noise.BANK, 2)
    matrix = np.array([[1 / scale, 0, shift[0]], [0, 1 / scale, shift[1]]], np.float32)
    flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (x2 - x1, y2 - y1)
    dapple = cv2.warpAffine(noise.crumple(), matrix, size, flags=flags, borderMode=cv2.BORDER_WRAP)
    matrix[:, :2] *= 0.5
    clumps = cv2.warpAffine(noise.clouds(), matrix, size, flags=flags, borderMode=cv2.BORDER_WRAP)
    v = ((np.arange(y1, y2, dtype=np.float32) - y) / ry)[:, None]
    u = ((np.arange(x1, x2, dtype=np.float32) - x) / rx)[None]
    fields = (np.asarray(f, np.float32) for f in (v, 0.86 - u * u - v * v, clumps, dapple))
    first, second, third, fourth = fields
    return b.pixels[y1:y2, x1:x2], first, second, third, fourth


def windows(
    b: Backdrop, x1: float, y1: float, x2: float, y2: float, cols: int, rows: int, glass: Color
) -> None:
    """A grid of windows with frames and reflections."""
    w, h = (x2 - x1) / cols, (y2 - y1) / rows
    frame = b.tone((225, 220, 210), 25)
    for i in range(cols):
        for j in range(rows):
            left, top = x1 + (i + 0.22) * w, y1 + (j + 0.2) * h
            right, low = left + 0.56 * w, top + 0.62 * h
            b.rect(left - 2, top - 2, right + 2, low + 3, frame)
            pane = b.tone(glass, 22)
            b.rect(left, top, right, low, pane)
            light = (min(255, pane[0] + 35), min(255, pane[1] + 38), min(255, pane[2] + 42))
            b.poly([(left, top), (left + 0.3 * w, top), (left, top + 0.3 * h)], light)


def paving(b: Backdrop, color: Color, joints: bool) -> None:
    """Ground from the horizon down, lighter far away, with joints in perspective."""
    far = tuple(min(255.0, c * 1.08 + 6) for c in color)
    near = tuple(c * 0.88 for c in color)
    b.gradient(b.horizon, b.height, (far[0], far[1], far[2]), (near[0], near[1], near[2]))
    if joints:
        dark = (color[0] * 0.8, color[1] * 0.8, color[2] * 0.8)
        vanish = b.u(0, b.width)
        step = b.width * b.u(0.14, 0.3)
        for k in range(-12, 13):
            b.line(vanish + k * step * 0.12, b.horizon, vanish + k * step, b.height, dark)
        y, gap = b.horizon + 3.0, 4.0
        while y < b.height:
            b.line(0, y, b.width, y, dark)
            y, gap = y + gap, gap * 1.4
    b.texture(b.horizon, b.height, 0.05, 1.5, True)
    b.texture(b.horizon, b.height, 0.035, 0.8, False)
