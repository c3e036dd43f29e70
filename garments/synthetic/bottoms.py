"""Trousers, shorts, jumpsuit legs and skirts."""

import numpy as np

from garments.synthetic.body import Rig
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.drape import SHIN, THIGH, hang, outline_of, skirt_shapes
from garments.synthetic.fabric import trim
from garments.synthetic.figure import limb_names, limb_radii, round_joint
from garments.synthetic.outfit import Item
from garments.synthetic.palette import mix
from garments.synthetic.shapes import Points, ellipse, points, ribbon, smooth, step
from garments.synthetic.texture import Surface
from garments.synthetic.tops import turned


def leg_shapes(rig: Rig, side: int, hem: float, leg: tuple[float, float, float]) -> list[Points]:
    """A trouser leg down to `hem`; `leg` is the room at thigh, knee and hem in heights."""
    a, b, c = (rig.xy(n) for n in limb_names("leg", side))
    short = 0.93 if rig.build.child else 1.0
    thigh, shin = THIGH * short, SHIN * short
    room = np.linspace(leg[0], leg[1], 4)
    upper = [r + rig.px(float(e)) for r, e in zip(limb_radii(rig, "leg", 0), room, strict=True)]
    if hem < thigh:
        loose = [r + rig.px(leg[2]) * k / 3 for k, r in enumerate(upper)]
        return [ribbon(a, b, loose, cap=0.3, span=(0, hem / thigh))]
    room = np.linspace(leg[1], leg[2], 4)
    lower = [r + rig.px(float(e)) for r, e in zip(limb_radii(rig, "leg", 1), room, strict=True)]
    if leg[2] > 0.012:
        lower = list(np.linspace(upper[-1], max(lower[-1], upper[-1] * 0.8), 4))
    lower[0] = upper[-1]
    shapes = [ribbon(a, b, upper, cap=0.9), round_joint(b, upper[-1])]
    end = b + (c - b) * np.float32((hem - thigh) / shin)
    shapes.append(ribbon(b, end, lower, cap=0.28))
    return shapes


def paint_leg_cloth(canvas: Canvas, rig: Rig, item: Item, side: int, owner: int) -> None:
    """One trouser leg with its crease or seam."""
    a, b, c = (rig.xy(n) for n in limb_names("leg", side))
    hem = item.hem * (0.93 if rig.build.child else 1.0)
    shapes = leg_shapes(rig, side, hem, item.cut.leg)
    radius = limb_radii(rig, "leg", 0)[-1]
    tight = item.cut.leg[1] < 0.01
    surface = item.cloth.surface(rig.height, radius, "crumple" if tight else "drape")
    end = c if not rig.pose.seated else b
    canvas.paint(shapes, turned(surface, a, end, item.cloth.turn), Ids(item.part, owner, item.gid))
    _leg_lines(canvas, rig, item, side, hem)


def _leg_lines(canvas: Canvas, rig: Rig, item: Item, side: int, hem: float) -> None:
    a, b, c = (rig.xy(n) for n in limb_names("leg", side))
    tone = trim(item.cloth, 0.7)
    long = hem > 0.3
    if "crease" in item.cut.details and rig.facing > 0.2:
        line = smooth(points([a * 0.6 + b * 0.4, b, b * 0.1 + c * 0.9]), closed=False)
        canvas.stroke(line, trim(item.cloth, 0.8), rig.px(0.004), 0.5, garment=item.gid)
    if "fade" in item.cut.details:
        tone_light = mix(item.cloth.base, (235, 240, 245), 0.4)
        shape = ellipse(a * 0.5 + b * 0.5, rig.px(0.018), rig.px(0.07))
        canvas.dab([shape], tone_light, 0.4, garment=item.gid, blur=rig.px(0.02))
    if long:
        knee = b + step(0, rig.px(0.012))
        for k in (-1, 1):
            w = rig.px(0.018)
            arc = points([knee + step(k * w * 1.4, -w * 0.4), knee + step(0, w * 0.1 * k)])
            canvas.stroke(arc + step(0, k * w * 0.4), tone, rig.px(0.004), 0.4, garment=item.gid)
    if "turnup" in item.cut.details:
        end = b + (c - b) * np.float32(min(1.1, (hem - 0.242) / 0.232) - 0.06)
        d = c - b
        n = np.array([-d[1], d[0]], np.float32) / max(float(np.hypot(*d)), 1e-6)
        line = points([end - n * rig.px(0.06), end + n * rig.px(0.06)])
        bright = mix(item.cloth.base, (235, 240, 245), 0.3)
        canvas.stroke(line, bright, rig.px(0.012), 0.6, garment=item.gid)


def paint_seat(canvas: Canvas, rig: Rig, item: Item, owner: int) -> None:
    """Waist to crotch of trousers, with waistband, fly and pockets."""
    ease = item.cut.leg[0] * 0.6
    rows = hang(rig, -item.cut.rise, 0.055, ease, 0.3)
    surface = item.cloth.surface(rig.height, rig.px(0.04), "crumple")
    surface = turned(surface, rig.xy("waist"), rig.xy("crotch"), item.cloth.turn)
    canvas.paint([outline_of(rig, rows, 0)], surface, Ids(item.part, owner, item.gid))
    tone = trim(item.cloth, 0.66)
    top = rows[0]
    down = np.array([0, rig.px(0.018)], np.float32)
    band = points([top.left + down, top.front + down * 1.15, top.right + down])
    canvas.stroke(band, tone, rig.px(0.0035), 0.8, garment=item.gid)
    if rig.facing > 0.1:
        fly = points([top.front + down, rows[-1].front])
        canvas.stroke(fly, tone, rig.px(0.0035), 0.8, garment=item.gid)
        canvas.stroke(points([rows[-1].front, rows[-1].front + step(0, rig.px(0.03))]), tone,
                      rig.px(0.005), 0.6, garment=item.gid)  # fmt: skip
        for side in (top.left, top.right):
            start = top.front * 0.35 + side * 0.65 + down
            line = points([start, side * 0.92 + top.front * 0.08 + step(0, rig.px(0.055))])
            canvas.stroke(line, tone, rig.px(0.0035), 0.7, garment=item.gid)
    else:
        for side in (top.left, top.right):
            at = (top.front * 0.5 + side * 0.5) + step(0, rig.px(0.05))
            w = rig.px(0.026) * abs(rig.facing) + 1
            ring = [
                at + step(-w, -w),
                at + step(w, -w),
                at + step(w, w * 0.7),
                at + step(0, w),
                at + step(-w, w * 0.7),
            ]
            canvas.stroke(points([*ring, ring[0]]), tone, rig.px(0.0035), 0.7, garment=item.gid)


def paint_skirt(canvas: Canvas, rig: Rig, item: Item, owner: int) -> None:
    """A skirt with band, pleats or tiers."""
    waves = int(2 + item.flare * 60) if item.flare > 0.01 else 0
    shapes = skirt_shapes(
        rig, -item.cut.rise, item.hem, item.ease, item.cut.straight, item.flare, waves
    )
    surface = item.cloth.surface(rig.height, rig.px(0.05))
    surface = turned(surface, rig.xy("waist"), rig.xy("crotch"), item.cloth.turn)
    canvas.paint(shapes, surface, Ids(item.part, owner, item.gid))
    if rig.pose.seated:
        return
    rows = hang(rig, -item.cut.rise, item.hem, item.ease, item.cut.straight, item.flare)
    top, end = rows[0], rows[-1]
    tone = trim(item.cloth, 0.66)
    down = np.array([0, rig.px(0.016)], np.float32)
    canvas.stroke(points([top.left + down, top.right + down]), tone, rig.px(0.0035), 0.8,
                  garment=item.gid)  # fmt: skip
    if "pleats" in item.cut.details:
        for s in np.linspace(0.06, 0.94, 9):
            start = top.left + (top.right - top.left) * np.float32(s) + down
            stop = end.left + (end.right - end.left) * np.float32(s) + down
            canvas.stroke(points([start, stop]), tone, rig.px(0.006), 0.55, garment=item.gid)
    if "tiers" in item.cut.details:
        for row in rows[2:-1]:
            canvas.stroke(points([row.left, row.right]), tone, rig.px(0.005), 0.6,
                          garment=item.gid)  # fmt: skip
    if "overlap" in item.cut.details:
        line = smooth(points([top.right, rows[len(rows) // 2].front, end.left]), closed=False)
        canvas.stroke(line, tone, rig.px(0.004), 0.7, garment=item.gid)


def leather(color: tuple[float, float, float], round_px: float) -> Surface:
    """Smooth leather: strong relief, no folds."""
    return Surface(color, relief=0.6, round_px=max(1.0, round_px), cast=0.2)
