"""The scenes that people stand in. Every backdrop belongs to one look (see `looks`)."""

from collections.abc import Callable

from garments.synthetic.backdrops_unseen import market, seaside, station, studio
from garments.synthetic.background import Backdrop, cloud, foliage, paving, tree, windows

SKIES = ((150, 185, 225), (205, 215, 225), (180, 195, 215), (235, 215, 195))
WALLS = (
    (176, 122, 96),
    (205, 190, 165),
    (150, 150, 152),
    (120, 96, 84),
    (214, 205, 196),
    (164, 84, 66),
    (110, 122, 130),
)


def street(b: Backdrop) -> None:
    """House fronts with windows and doors along a pavement, trees, a parked car."""
    sky = b.pick(*SKIES)
    b.gradient(0, b.horizon, sky, b.tone((225, 228, 232)))
    x = -b.u(0, 60)
    while x < b.width:
        w, top = b.u(0.22, 0.6) * b.width, b.u(-0.6, 0.35) * b.horizon
        wall = b.pick(*WALLS)
        b.rect(x, top, x + w, b.horizon, wall)
        shop = b.horizon - b.u(0.3, 0.42) * b.height
        windows(b, x, top, x + w, shop, int(b.rng.integers(2, 5)), int(b.rng.integers(2, 5)),
                (88, 104, 122))  # fmt: skip
        _shopfront(b, x, shop, x + w, b.horizon)
        x += w
    b.texture(0, b.horizon, 0.05, 2.0, False)
    paving(b, b.pick((150, 146, 140), (120, 120, 124), (176, 166, 150)), True)
    for _ in range(int(b.rng.integers(0, 3))):
        tree(b, b.u(0, b.width), b.horizon + 6, b.u(0.4, 0.8) * b.horizon, b.tone((84, 116, 58)))
    if b.rng.random() < 0.5:
        car(b, b.u(-0.2, 0.8) * b.width, b.horizon + 8, b.u(0.3, 0.6) * b.width)


def _shopfront(b: Backdrop, x1: float, y1: float, x2: float, y2: float) -> None:
    sign = b.tone((120, 90, 90), 80)
    band = (y2 - y1) * 0.18
    b.rect(x1 + 2, y1, x2 - 2, y1 + band, sign)
    for k in range(int(b.rng.integers(3, 9))):
        left = x1 + (x2 - x1) * (0.2 + 0.07 * k)
        b.rect(left, y1 + band * 0.3, left + 4, y1 + band * 0.75, (235, 232, 225))
    b.rect(x1 + 5, y1 + band * 1.3, x2 - 5, y2 - 8, b.tone((74, 82, 92), 25))
    for _ in range(int(b.rng.integers(3, 9))):
        left, top = b.u(x1 + 6, max(x1 + 7, x2 - 20)), b.u(y1 + band * 1.4, y2 - 20)
        b.rect(left, top, min(left + b.u(6, 26), x2 - 6), min(top + b.u(8, 40), y2 - 9),
               b.tone((150, 130, 110), 80))  # fmt: skip


def car(b: Backdrop, x: float, base: float, length: float) -> None:
    """A parked car seen from the side."""
    paint = b.tone((130, 120, 125), 90)
    h = length * 0.3
    dark = (paint[0] * 0.6, paint[1] * 0.6, paint[2] * 0.6)
    b.poly([(x, base), (x, base - h * 0.5), (x + length * 0.18, base - h * 0.58),
            (x + length * 0.3, base - h), (x + length * 0.72, base - h),
            (x + length * 0.86, base - h * 0.55), (x + length, base - h * 0.45),
            (x + length, base)], paint)  # fmt: skip
    glass = b.tone((70, 82, 96), 12)
    b.poly(
        [
            (x + length * 0.24, base - h * 0.58),
            (x + length * 0.33, base - h * 0.92),
            (x + length * 0.7, base - h * 0.92),
            (x + length * 0.8, base - h * 0.56),
        ],
        glass,
    )
    b.line(x, base - h * 0.3, x + length, base - h * 0.28, dark, 2)
    for at in (0.2, 0.8):
        r = h * 0.24
        b.disc(x + length * at, base, r, r, (26, 26, 28))
        b.disc(x + length * at, base, r * 0.55, r * 0.55, (150, 150, 154))


def wall(b: Backdrop) -> None:
    """A plain or brick wall, sometimes painted, over a pavement."""
    base = b.pick(*WALLS, (236, 234, 230), (90, 108, 112), (196, 160, 120))
    b.gradient(0, b.horizon, base, (base[0] * 0.92, base[1] * 0.92, base[2] * 0.92))
    if b.rng.random() < 0.5:
        h = max(5.0, b.height * b.u(0.015, 0.035))
        mortar = (base[0] * 0.84 + 20, base[1] * 0.84 + 20, base[2] * 0.84 + 20)
        for j in range(int(b.horizon / h) + 1):
            b.line(0, j * h, b.width, j * h, mortar)
            for i in range(int(b.width / (h * 2.4)) + 2):
                x = (i - 0.5 * (j % 2)) * h * 2.4
                b.line(x, j * h, x, min(b.horizon, (j + 1) * h), mortar)
    if b.rng.random() < 0.3:
        b.blobs(9, 0, b.horizon, b.width * 0.16, b.tone((190, 80, 90), 90), (60, 110, 160))
    b.texture(0, b.horizon, 0.08, 1.3, False)
    b.texture(0, b.horizon, 0.03, 1.0, True)
    paving(b, b.pick((140, 138, 134), (98, 98, 102), (170, 158, 140)), b.rng.random() < 0.6)


def shop(b: Backdrop) -> None:
    """A shop from inside: shelves, rails of clothes, lamps."""
    b.gradient(0, b.horizon, b.tone((228, 222, 212)), b.tone((200, 190, 176)))
    for j in range(int(b.rng.integers(2, 5))):
        y = b.horizon * (0.2 + 0.24 * j)
        b.line(0, y, b.width, y, b.tone((120, 88, 60)), 4)
        x = 0.0
        while x < b.width:
            w, h = b.u(6, 26), b.u(0.08, 0.2) * b.horizon
            b.rect(x, y - h, x + w, y - 2, b.tone((140, 128, 124), 90))
            x += w + b.u(1, 12)
    for _ in range(int(b.rng.integers(2, 6))):
        b.disc(b.u(0, b.width), b.u(0, 0.2 * b.horizon), 9, 7, (255, 244, 214))
    b.texture(0, b.horizon, 0.04, 1.4, False)
    paving(b, b.pick((190, 170, 140), (160, 158, 156), (120, 92, 68)), b.rng.random() < 0.7)


def park(b: Backdrop) -> None:
    """Hedges, trees and lawn with a path."""
    b.gradient(0, b.horizon, b.pick(*SKIES), b.tone((222, 228, 226)))
    for _ in range(int(b.rng.integers(0, 4))):
        r = b.u(0.1, 0.35) * b.width
        cloud(b, b.u(0, b.width), b.u(0, b.horizon * 0.5), r, r * b.u(0.2, 0.45))
    for _ in range(int(b.rng.integers(3, 8))):
        leaf = b.pick((70, 104, 52), (104, 128, 62), (150, 120, 54), (52, 84, 56))
        tree(b, b.u(-0.1, 1.1) * b.width, b.horizon + b.u(0, 8), b.u(0.5, 1.1) * b.horizon, leaf)
    for _ in range(int(b.rng.integers(2, 6))):
        r = b.u(0.1, 0.3) * b.width
        green = b.pick((66, 96, 50), (88, 116, 60))
        foliage(b, b.u(0, b.width), b.horizon - 0.05 * b.height, r, 0.09 * b.height, green)
    paving(b, b.pick((108, 130, 70), (128, 140, 84), (150, 138, 108)), False)
    if b.rng.random() < 0.6:
        x = b.u(0.1, 0.9) * b.width
        b.poly([(x - 12, b.horizon), (x + 12, b.horizon), (x + b.width * 0.6, b.height),
                (x - b.width * 0.6, b.height)], b.tone((186, 174, 152)))  # fmt: skip
    b.texture(b.horizon, b.height, 0.09, 1.1, True)


def room(b: Backdrop) -> None:
    """A living room: wall, picture, window, sofa, skirting board."""
    base = b.pick((226, 220, 210), (200, 210, 214), (214, 200, 186), (150, 164, 160))
    b.gradient(0, b.horizon, base, (base[0] * 0.94, base[1] * 0.94, base[2] * 0.94))
    if b.rng.random() < 0.6:
        x, y, w = b.u(0, 0.6) * b.width, b.u(0.05, 0.2) * b.horizon, b.u(0.2, 0.45) * b.width
        windows(b, x, y, x + w, y + b.horizon * 0.6, 2, 1, (196, 214, 230))
    for _ in range(int(b.rng.integers(0, 4))):
        x, y = b.u(0, 0.9) * b.width, b.u(0.08, 0.5) * b.horizon
        w, h = b.u(0.08, 0.2) * b.width, b.u(0.1, 0.25) * b.horizon
        b.rect(x - 3, y - 3, x + w + 3, y + h + 3, b.tone((60, 48, 40)))
        b.rect(x, y, x + w, y + h, b.tone((150, 140, 140), 80))
    if b.rng.random() < 0.6:
        x, w, h = b.u(-0.2, 0.7) * b.width, b.u(0.4, 0.8) * b.width, b.u(0.2, 0.35) * b.horizon
        sofa = b.tone((120, 110, 110), 60)
        b.rect(x, b.horizon - h, x + w, b.horizon + 6, sofa)
        b.rect(
            x,
            b.horizon - h * 0.45,
            x + w,
            b.horizon + 10,
            (sofa[0] * 0.8, sofa[1] * 0.8, sofa[2] * 0.8),
        )
    b.rect(0, b.horizon - 6, b.width, b.horizon, b.tone((236, 232, 226), 8))
    b.texture(0, b.horizon, 0.03, 1.0, False)
    paving(b, b.pick((156, 112, 74), (190, 158, 116), (130, 124, 120)), b.rng.random() < 0.5)


def abstract(b: Backdrop) -> None:
    """Blobs and gradients: anything out of focus."""
    b.gradient(0, b.height, b.tone((130, 130, 130), 100), b.tone((130, 130, 130), 100))
    colors = [b.tone((128, 124, 120), 90) for _ in range(5)]
    b.blobs(int(b.rng.integers(10, 60)), 0, b.height, b.width * b.u(0.05, 0.3), *colors)
    for _ in range(int(b.rng.integers(0, 14))):
        b.line(b.u(0, b.width), b.u(0, b.height), b.u(0, b.width), b.u(0, b.height),
               b.tone((128, 128, 128), 100), b.u(1, 9))  # fmt: skip
    b.texture(0, b.height, 0.12, b.u(0.5, 2), False)


BACKDROPS: dict[str, Callable[[Backdrop], None]] = {
    f.__name__: f
    for f in (street, wall, shop, park, room, abstract, seaside, station, market, studio)
}
"""Every backdrop by name."""
