"""Things that hide people or that people sit on."""

import numpy as np

from garments.synthetic.body import Rig
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.fabric import flat
from garments.synthetic.palette import Color, scaled
from garments.synthetic.shapes import Points, ellipse, points, ribbon, smooth

NOTHING = Ids(0, 0, 0)


def _box(x1: float, y1: float, x2: float, y2: float) -> Points:
    return points([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])


def _tone(rng: np.random.Generator, color: Color, spread: float = 25) -> Color:
    r, g, b = (float(np.clip(c + rng.uniform(-spread, spread), 0, 255)) for c in color)
    return r, g, b


def paint_prop(canvas: Canvas, rng: np.random.Generator) -> None:
    """One thing in the foreground: bench, car, tree, sign, bollard, plant or box."""
    kinds = (_bench, _car, _tree, _sign, _plant, _post)
    kinds[int(rng.integers(len(kinds)))](canvas, rng)


def _bench(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = canvas.size
    w = width * float(rng.uniform(0.3, 0.6))
    x, y = width * float(rng.uniform(-0.1, 0.8)), height * float(rng.uniform(0.76, 0.92))
    h, wood = height * float(rng.uniform(0.07, 0.11)), _tone(rng, (140, 96, 60))
    iron = flat((48, 48, 52), 0.3, 3)
    legs = [_box(x + w * t, y, x + w * (t + 0.03), y + h) for t in (0.08, 0.88)]
    canvas.paint(legs, iron, NOTHING)
    for k in range(3):
        slat = _box(x, y - h * 0.28 * k, x + w, y - h * 0.28 * k + h * 0.2)
        canvas.paint([slat], flat(scaled(wood, 1 - 0.08 * k), 0.3, 4), NOTHING)


def _car(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = canvas.size
    w = width * float(rng.uniform(0.6, 1.1))
    left = rng.random() < 0.5
    x = -w * float(rng.uniform(0.3, 0.6)) if left else width - w * float(rng.uniform(0.4, 0.6))
    base, h = height * float(rng.uniform(0.95, 1.05)), w * 0.3
    paint = _tone(rng, (130, 125, 130), 100)
    hull = [(x, base), (x, base - h * 0.5), (x + w * 0.2, base - h * 0.6), (x + w * 0.32, base - h)]
    hull += [(x + w * 0.7, base - h), (x + w * 0.85, base - h * 0.58), (x + w, base - h * 0.45)]
    hull += [(x + w, base)]
    canvas.paint([smooth(points(hull), steps=3)], flat(paint, 0.5, h * 0.2), NOTHING)
    glass = [(x + w * 0.27, base - h * 0.6), (x + w * 0.35, base - h * 0.9)]
    glass += [(x + w * 0.68, base - h * 0.9), (x + w * 0.78, base - h * 0.6)]
    canvas.paint([points(glass)], flat((62, 72, 84), 0.3, 6), NOTHING)
    wheels = [ellipse((x + w * t, base - h * 0.04), h * 0.24, h * 0.24) for t in (0.2, 0.8)]
    canvas.paint(wheels, flat((28, 28, 30), 0.5, 6), NOTHING)


def _tree(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = canvas.size
    x, w = width * float(rng.uniform(0.05, 0.95)), width * float(rng.uniform(0.025, 0.07))
    trunk = ribbon((x, -9), (x + rng.uniform(-20, 20), height * 0.97), [w, w * 0.9, w, w * 1.5])
    bark = flat(_tone(rng, (92, 74, 58)), 0.5, w * 0.6)
    canvas.paint([trunk], bark, NOTHING)


def _sign(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = canvas.size
    x, y = width * float(rng.uniform(0.1, 0.9)), height * float(rng.uniform(0.15, 0.6))
    r = width * float(rng.uniform(0.05, 0.1))
    canvas.paint([_box(x - 3, y, x + 3, height * 0.96)], flat((140, 142, 146), 0.4, 3), NOTHING)
    plate = ellipse((x, y), r, r) if rng.random() < 0.5 else _box(x - r, y - r, x + r, y + r * 0.6)
    color = _tone(rng, (150, 90, 80), 90)
    canvas.paint([plate], flat(color, 0.2, 4), NOTHING)
    canvas.dab([_box(x - r * 0.6, y - r * 0.12, x + r * 0.6, y + r * 0.12)], (240, 240, 238), 0.9)


def _plant(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = canvas.size
    x, y = width * float(rng.uniform(0, 1)), height * float(rng.uniform(0.86, 1.02))
    s = height * float(rng.uniform(0.08, 0.16))
    rim, foot = y - s * 0.4, y + s * 0.2
    ring = [(x - s * 0.35, rim), (x + s * 0.35, rim), (x + s * 0.25, foot), (x - s * 0.25, foot)]
    pot = points(ring)
    canvas.paint([pot], flat(_tone(rng, (150, 88, 62)), 0.4, s * 0.15), NOTHING)
    for _ in range(9):
        a, reach = float(rng.uniform(-2.7, -0.4)), s * float(rng.uniform(0.6, 1.2))
        tip = (x + reach * np.cos(a), y - s * 0.4 + reach * np.sin(a))
        leaf = ribbon((x, y - s * 0.4), tip, [s * 0.03, s * 0.12, s * 0.02], bow=s * 0.1)
        canvas.paint([leaf], flat(_tone(rng, (66, 110, 60)), 0.4, s * 0.1), NOTHING)


def _post(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = canvas.size
    x, w = width * float(rng.uniform(0.05, 0.95)), width * float(rng.uniform(0.02, 0.05))
    top, low = height * float(rng.uniform(0.55, 0.75)), height * float(rng.uniform(0.93, 1.02))
    color = _tone(rng, (110, 112, 116), 60)
    canvas.paint([ribbon((x, low), (x, top), [w, w], cap=0.8)], flat(color, 0.5, w * 0.7), NOTHING)


def paint_seat_prop(canvas: Canvas, rng: np.random.Generator, rig: Rig) -> None:
    """What a seated person sits on: a bench with a back, a stool or a block."""
    hips = (rig.xy("hip0") + rig.xy("hip1")) / 2
    floor = rig.lowest()
    top = float(hips[1]) + rig.px(0.045)
    kind, x = int(rng.integers(3)), float(hips[0])
    w = rig.px(0.34 if kind == 0 else 0.13)
    wood = _tone(rng, (150, 112, 78), 40)
    surface = flat(wood, 0.35, rig.px(0.02))
    if kind == 0:
        back = [_box(x - w, top - rig.px(0.2 - 0.06 * k), x + w, top - rig.px(0.16 - 0.06 * k))
                for k in range(3)]  # fmt: skip
        canvas.paint(back, surface, NOTHING)
    deep = rig.px(0.06)
    if kind == 2:
        canvas.paint([_box(x - w, top, x + w, floor)], flat(scaled(wood, 0.7), 0.3, 8), NOTHING)
    else:
        legs = [_box(x + s * w * 0.85 - 3, top, x + s * w * 0.85 + 3, floor) for s in (-1, 1)]
        canvas.paint(legs, flat((60, 54, 50), 0.3, 3), NOTHING)
    canvas.paint([_box(x - w, top - deep * 0.3, x + w, top + deep)], surface, NOTHING)
