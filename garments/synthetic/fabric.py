"""Cloth: what a garment is made of, before it is cut."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from garments.synthetic.looks import Look
from garments.synthetic.palette import Color, brightness, mix, scaled, shade
from garments.synthetic.prints import PRINTS, Colors, resized
from garments.synthetic.texture import Surface

WEAVES = {
    "sweater": (("knit", 0.07), ("rib", 0.09), ("fleece", 0.05)),
    "cardigan": (("knit", 0.07), ("rib", 0.08)),
    "scarf": (("knit", 0.07), ("fleece", 0.06)),
    "jeans": (("denim", 0.09),),
    "coat": (("tweed", 0.07), ("fleece", 0.05)),
    "blazer": (("tweed", 0.04),),
    "hoodie": (("fleece", 0.04),),
}
SHEEN = {"jacket": 0.55, "blouse": 0.45, "dress": 0.42, "boots": 0.6, "bag": 0.55}


@dataclass(frozen=True)
class Cloth:
    """A fabric: color and pattern by name, its RGB colors, and how it takes light and folds.

    `turn` rotates the print (0 across, 1 along, 0.5 diagonal); `span` is the tile's side in
    heights of the wearer.
    """

    color: str
    pattern: str
    base: Color
    second: Color
    tile: NDArray[np.float32] | None = None
    motif: str = ""
    span: float = 0.11
    turn: float = 0.0
    weave: str | None = None
    weave_amp: float = 0.0
    sheen: float = 0.36
    fold_amp: float = 0.09

    def surface(self, height: float, round_px: float, folds: str = "drape") -> Surface:
        """This cloth on somebody `height` px tall, for a shape of radius about `round_px`."""
        tile = None if self.tile is None else resized(self.tile, self.span * height)
        dark = 1.1 if brightness(self.base) > 70 else 1.7
        return Surface(
            color=self.base,
            tile=tile,
            folds=folds,
            fold_amp=self.fold_amp * dark,
            fold_size=max(6.0, 0.085 * height),
            weave=self.weave if height > 110 else None,
            weave_amp=self.weave_amp * dark,
            weave_size=max(64.0, 0.5 * height),
            relief=self.sheen * (1.0 if brightness(self.base) > 70 else 1.6),
            round_px=max(1.5, round_px),
            cast=0.35,
        )

    def plain(self) -> "Cloth":
        """The same cloth without its print, for collars and bands."""
        return replace(self, tile=None)


def weave_cloth(
    rng: np.random.Generator, look: Look, category: str, color: str, pattern: str
) -> Cloth:
    """Cloth of the named color and pattern for a garment of `category` in a look."""
    base = shade(look.shades, color, rng)
    second, third = _companions(rng, look, color, base)
    weave, amp = None, 0.0
    if category in WEAVES:
        options = WEAVES[category]
        weave, amp = options[int(rng.integers(len(options)))]
    cloth = Cloth(color, pattern, base, second, weave=weave, weave_amp=amp)
    cloth = replace(
        cloth,
        sheen=SHEEN.get(category, 0.36) * float(rng.uniform(0.85, 1.2)),
        fold_amp=float(rng.uniform(0.075, 0.15)),
    )
    return _printed(rng, look, cloth, pattern, (base, second, third))


def _companions(
    rng: np.random.Generator, look: Look, color: str, base: Color
) -> tuple[Color, Color]:
    """Two further colors that stand out from the base."""
    light = brightness(base) > 140
    names = ["navy", "black", "red", "green", "burgundy", "blue"] if light else ["white", "beige"]
    picks = [n for n in names if n != color]
    second = shade(look.shades, str(rng.choice(picks)), rng)
    others = [n for n in look.shades if n != color]
    third = shade(look.shades, str(rng.choice(others)), rng)
    return second, third


def _printed(
    rng: np.random.Generator, look: Look, cloth: Cloth, pattern: str, colors: Colors
) -> Cloth:
    if pattern == "solid":
        return cloth
    name = str(rng.choice(look.prints[pattern]))
    if pattern == "graphic":
        return replace(cloth, motif=name)
    tile = PRINTS[name](rng, colors)
    turn = float(rng.choice([0.0, 0.0, 1.0, 0.5])) if pattern == "striped" else 0.0
    if pattern == "checked" and rng.random() < 0.15:
        turn = 0.5
    span = float(rng.uniform(0.08, 0.16)) * (1.6 if pattern == "floral" else 1.0)
    return replace(cloth, tile=tile, span=span, turn=turn)


def flat(color: Color, relief: float = 0.35, round_px: float = 6.0, cast: float = 0.0) -> Surface:
    """A plain surface without folds: skin, leather, metal, things."""
    return Surface(color=color, relief=relief, round_px=max(1.0, round_px), cast=cast)


def trim(cloth: Cloth, gain: float = 0.86) -> Color:
    """Color of seams and hems of a cloth."""
    if brightness(cloth.base) < 60:
        return mix(cloth.base, (255, 255, 255), 0.16)
    return scaled(cloth.base, gain)
