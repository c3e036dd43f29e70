"""Hair in the styles that are seen in the street, and where it lies before and behind the body."""

import numpy as np

from garments.parts import HAIR, SKIN
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.fabric import flat
from garments.synthetic.head import Face, HeadFrame, face_patch
from garments.synthetic.palette import Color, brightness
from garments.synthetic.shapes import Points, ellipse, points, ribbon, smooth
from garments.synthetic.texture import Surface

STYLES = (
    "short",
    "crop",
    "buzz",
    "bald",
    "bob",
    "long",
    "wavy",
    "bun",
    "ponytail",
    "afro",
    "curly",
)
GROWTH = {"buzz": 1.03, "crop": 1.08, "afro": 1.25, "curly": 1.18, "bun": 1.07, "ponytail": 1.06}
FALL = {"bob": 0.72, "long": 1.25, "wavy": 1.5, "curly": 0.95, "ponytail": 0.45}
"""How far loose hair falls, in head heights below the head's centre."""


def _surface(head: HeadFrame, hair: Color, curly: bool) -> Surface:
    dark = 2.2 if brightness(hair) < 60 else 1.0
    return Surface(
        color=hair,
        folds="crumple" if curly else "drape",
        fold_amp=0.13 * dark,
        fold_size=head.px * (0.35 if curly else 0.3),
        relief=0.5 * dark,
        round_px=head.px * 0.16,
        cast=0.3,
    ).along(head.at(0, -0.5), head.at(0, 0.5))


def _ragged(outline: Points, head: HeadFrame, amount: float, seed: int) -> Points:
    rng = np.random.default_rng(seed)
    center = outline.mean(0)
    wobble = 1 + amount * rng.standard_normal(len(outline)).astype(np.float32)
    return smooth(center + (outline - center) * wobble[:, None], steps=2)


def paint_back_hair(
    canvas: Canvas, head: HeadFrame, face: Face, style: str, ids: Ids, seed: int
) -> None:
    """Hair that hangs behind the head; painted before the trunk, or after it from behind."""
    if style not in FALL:
        return
    fall, wide = FALL[style], head.half(0.0) * (1.3 if style in ("wavy", "curly") else 1.14)
    back = -float(np.sin(head.yaw)) * 0.16
    if style == "ponytail":
        tail = [head.px * r for r in (0.1, 0.15, 0.13, 0.05)]
        start = head.at(back * 2.4, -0.2)
        shapes = [ribbon(start, head.at(back * 3.0, 0.75), tail, bow=head.px * 0.1)]
    else:
        ends = (-1.0, -0.5, 0.0, 0.5, 1.0)
        low = [head.at(back + e * wide * 0.95, fall - 0.07 * abs(e)) for e in ends]
        top = [head.at(back + wide * 1.0, 0.1), head.at(back + wide * 0.8, -0.3)]
        top += [head.at(back - wide * 0.8, -0.3), head.at(back - wide * 1.0, 0.1)]
        shape = smooth(points(low + top), steps=4)
        shapes = [_ragged(shape, head, 0.03 if style == "curly" else 0.012, seed)]
    canvas.paint(shapes, _surface(head, face.hair, style == "curly"), ids)


def paint_hair(
    canvas: Canvas, head: HeadFrame, face: Face, style: str, owner: int, seed: int
) -> None:
    """Hair on the skull, then the face that shows between it, then locks over it."""
    if style == "bald":
        return
    rng = np.random.default_rng(seed)
    ids, grow = Ids(HAIR, owner), GROWTH.get(style, 1.1)
    surface = _surface(head, face.hair, style in ("afro", "curly"))
    low = 0.12 if style in ("short", "crop", "buzz", "bun", "ponytail") else 0.3
    low += 0.16 * max(0.0, -head.sight(0))
    top = -0.5 - (grow - 1.0) * 0.45
    cap = _cap(head, grow, low, top)
    shapes = [_ragged(cap, head, 0.035, seed) if style in ("afro", "curly") else cap]
    if style == "bun":
        back = -float(np.sin(head.yaw)) * 0.3
        shapes.append(ellipse(head.at(back, -0.52), head.px * 0.17, head.px * 0.15))
    canvas.paint(shapes, surface, ids)
    hairline = float(rng.uniform(-0.33, -0.24))
    temples = {"buzz": 76, "bun": 74, "crop": 72, "ponytail": 74}.get(style, 66)
    patch = face_patch(head, hairline, temples)
    if patch is not None:
        canvas.paint([patch], flat(face.skin, 0.3, head.px * 0.14), Ids(SKIN, owner))
    if style in ("long", "wavy", "bob") and head.sight(0) > 0.2:
        _locks(canvas, head, style, surface, ids, rng)
    elif style in ("short", "crop") and head.sight(0) > 0 and rng.random() < 0.6:
        _fringe(canvas, head, hairline, surface, ids, rng)


def _cap(head: HeadFrame, grow: float, low: float, top: float) -> Points:
    vs = np.linspace(top, low, 8)
    back = -float(np.sin(head.yaw)) * 0.05
    scale = (0.5 + low) / (low - top)

    def half(v: float) -> float:
        return head.half(low - (low - v) * scale) * grow

    left = [head.at(back + head.shift(v) - half(v), v) for v in vs]
    right = [head.at(back + head.shift(v) + half(v), v) for v in vs]
    middle = head.at(back + head.shift(low), low + 0.02)
    left[-1], right[-1] = (p * 0.86 + middle * 0.14 for p in (left[-1], right[-1]))
    return smooth(points([*left, middle, *right[::-1]]), steps=3)


def _locks(
    canvas: Canvas,
    head: HeadFrame,
    style: str,
    surface: Surface,
    ids: Ids,
    rng: np.random.Generator,
) -> None:
    """Strands that frame the face from the parting down."""
    part = float(rng.uniform(-25, 25))
    fall = FALL[style] * float(rng.uniform(0.55, 0.95))
    for side in (-1, 1):
        temple = head.on(side * 80, 0.02)
        end = head.at(head.shift(0) + side * head.half(0.0) * 1.12, fall)
        outer = head.at(head.shift(0) + side * head.half(0.0) * 1.22, 0.25)
        top = head.on(part, -0.46)
        brow = head.on(part + (side * 62 - part) * 0.75, -0.2)
        inner = head.on(side * 66, 0.3)
        shape = smooth(points([top, brow, temple, inner, end, outer, head.on(side * 92, -0.2)]))
        canvas.paint([shape], surface, ids)


def _fringe(
    canvas: Canvas,
    head: HeadFrame,
    hairline: float,
    surface: Surface,
    ids: Ids,
    rng: np.random.Generator,
) -> None:
    """Hair swept over the forehead."""
    low = hairline + float(rng.uniform(0.05, 0.14))
    side = float(rng.choice([-1.0, 1.0]))
    rim = [(-70 * side, hairline * 0.6), (-30 * side, low), (25 * side, hairline + 0.04)]
    rim += [(62 * side, hairline * 0.7), (40 * side, -0.44), (-40 * side, -0.44)]
    canvas.paint([smooth(points([head.on(a, v) for a, v in rim]))], surface, ids)
