"""Colors by name, in shades that differ between looks, and the colors of skin and hair."""

import numpy as np

Color = tuple[float, float, float]

TRAIN_SHADES: dict[str, tuple[str, ...]] = {
    "black": ("1b1b1d", "26262a", "141416"),
    "white": ("f3f2ee", "fafafa", "ececea"),
    "grey": ("8c8e92", "6d7075", "aeb1b5"),
    "beige": ("d8c3a0", "cdb592", "e3d5bb"),
    "brown": ("6e4a2f", "5a3b27", "87603f"),
    "red": ("c4222b", "b3161e", "d63a3a"),
    "burgundy": ("6a1a2d", "5b1526", "7a2438"),
    "pink": ("e79ab4", "f0b9c8", "dd6f97"),
    "orange": ("e07b2a", "d9662a", "ee9445"),
    "yellow": ("edc93c", "f3d96b", "e2b41f"),
    "green": ("2f8a48", "3f9d5a", "1f6f3a"),
    "olive": ("6b6a3a", "5b5d35", "7d7a4a"),
    "teal": ("1f7d80", "2a8f8d", "176a70"),
    "blue": ("2f66c0", "4a83d4", "79a6de"),
    "navy": ("1d2747", "232f57", "171f3a"),
    "purple": ("6d3f93", "8255a8", "9a78bd"),
    "gold": ("c39a3c", "b58b30", "cfaa55"),
    "silver": ("c3c7cc", "b6bbc2", "d0d4d8"),
}
UNSEEN_SHADES: dict[str, tuple[str, ...]] = {
    "black": ("0a0d12", "261c1f"),
    "white": ("f7f0fb", "eef3f9"),
    "grey": ("7c7a80", "9c9b98"),
    "beige": ("d9c7b4", "c7ae86"),
    "brown": ("7a4f3a", "4c3122"),
    "red": ("cf1f42", "a81912"),
    "burgundy": ("75152a", "50161f"),
    "pink": ("f2a3a9", "e582b8"),
    "orange": ("e8692f", "d98a33"),
    "yellow": ("f0d24f", "dcbf2a"),
    "green": ("3a9a3c", "1d7a55"),
    "olive": ("757134", "545a2a"),
    "teal": ("168a8b", "2d7682"),
    "blue": ("3c78e0", "5c97c9"),
    "navy": ("151d4f", "2d305a"),
    "purple": ("7a3aa6", "8a68c4"),
    "gold": ("cba12d", "b0873f"),
    "silver": ("b8c0cd", "cdcad3"),
}

SKIN = ("f3d3bd", "ecc3a3", "e0ac86", "cf9a73", "b98260", "9b6a4a", "7c5238", "5f3d2a", "4a2f22")
HAIR = ("17130f", "2a1d15", "3e2a1c", "5b3d26", "7a5433", "a37b4c", "c9a46c", "dcc395", "8d3f22")
RARE_HAIR = ("9a9a98", "c9c8c4", "d16a8f", "41669c")


def rgb(code: str) -> Color:
    """`rrggbb` as RGB in [0, 255]."""
    return float(int(code[:2], 16)), float(int(code[2:4], 16)), float(int(code[4:], 16))


def shade(table: dict[str, tuple[str, ...]], name: str, rng: np.random.Generator) -> Color:
    """One of a look's shades of a color name, moved by at most 3 of 255 a channel."""
    base = rgb(str(rng.choice(table[name])))
    move = rng.uniform(-3, 3, 3)
    red, green, blue = (float(np.clip(c + m, 0, 255)) for c, m in zip(base, move, strict=True))
    return red, green, blue


def mix(a: Color, b: Color, share: float) -> Color:
    """`a` with `share` in [0, 1] of `b` in it."""
    red, green, blue = (x + (y - x) * share for x, y in zip(a, b, strict=True))
    return red, green, blue


def scaled(color: Color, gain: float) -> Color:
    """`color` made lighter or darker by a factor, within [0, 255]."""
    red, green, blue = (min(255.0, max(0.0, c * gain)) for c in color)
    return red, green, blue


def brightness(color: Color) -> float:
    """Rec. 601 luma in [0, 255]."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
