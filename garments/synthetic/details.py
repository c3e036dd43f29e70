"""Seams, collars, buttons, pockets, zips, hems and chest prints, drawn on a garment."""

import cv2
import numpy as np

from garments.synthetic.body import Rig
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.drape import XY, Row, neckline
from garments.synthetic.fabric import flat, trim
from garments.synthetic.motifs import MOTIFS
from garments.synthetic.outfit import Item
from garments.synthetic.palette import brightness, mix, scaled
from garments.synthetic.shapes import Points, ellipse, points, ribbon, smooth, step
from garments.synthetic.texture import Surface


def paint_details(
    canvas: Canvas, rig: Rig, item: Item, rows: list[Row], owner: int, gap: float = 0.0
) -> None:
    """Everything that makes a bodice read as its kind; `gap` > 0 for a front worn open."""
    if rig.height < 60:
        return
    front = rig.facing > 0.15
    details, neck = item.cut.details, item.cut.neck
    if item.cloth.motif and front and not gap:
        _motif(canvas, rig, item, rows)
    _hem(canvas, rig, item, rows[-1])
    if "waist" in details or "belted" in details:
        _waist(canvas, rig, item, rows, "belted" in details)
    if "tiers" in details:
        _tiers(canvas, rig, item, rows)
    if front:
        if not gap:
            _closure(canvas, rig, item, rows)
        _pockets(canvas, rig, item, rows)
        _collar(canvas, rig, item, rows, owner, gap)
    if neck == "hood":
        _hood(canvas, rig, item, owner)
    elif neck in ("crew", "scoop", "vee", "boat", "deep", "roll"):
        line = smooth(points(neckline(rig, neck)), closed=False)
        canvas.stroke(line, trim(item.cloth, 0.75), rig.px(0.005), 0.7, garment=item.gid)


def _at(rows: list[Row], drop: float) -> Row:
    return min(rows, key=lambda r: abs(r.drop - drop))


def _hem(canvas: Canvas, rig: Rig, item: Item, row: Row) -> None:
    lift = np.array([0, -rig.px(0.01)], np.float32)
    sag = np.array([0, rig.px(0.007)], np.float32)
    middle = row.middle + sag
    line = smooth(points([row.left, middle, row.right]) + lift, closed=False)
    tone = trim(item.cloth, 0.72)
    if "rib" in item.cut.details:
        canvas.stroke(line + lift, tone, rig.px(0.004), 0.7, garment=item.gid)
    else:
        canvas.stroke(line, tone, rig.px(0.003), 0.6, garment=item.gid)


def _waist(canvas: Canvas, rig: Rig, item: Item, rows: list[Row], belted: bool) -> None:
    row = _at(rows, -0.085)
    line = points([row.left, row.middle + step(0, rig.px(0.004)), row.right])
    tone = trim(item.cloth, 0.7)
    thick = rig.px(0.014 if belted else 0.005)
    canvas.stroke(smooth(line, closed=False), tone, thick, 0.8, garment=item.gid)
    if belted and rig.facing > 0.1:
        at = row.front
        knot = ellipse(at, rig.px(0.011), rig.px(0.009))
        tail = ribbon(at, at + step(rig.px(0.012), rig.px(0.07)), [rig.px(0.006), rig.px(0.007)])
        canvas.dab([tail, knot], scaled(tone, 0.85), 0.9, garment=item.gid)


def _tiers(canvas: Canvas, rig: Rig, item: Item, rows: list[Row]) -> None:
    tone = trim(item.cloth, 0.62)
    for row in rows[4:-1]:
        line = points([row.left, row.middle + step(0, rig.px(0.006)), row.right])
        canvas.stroke(smooth(line, closed=False), tone, rig.px(0.005), 0.6, garment=item.gid)


def _midline(rows: list[Row], start: float, end: float) -> Points:
    picked = [r.front for r in rows if start <= r.drop <= end]
    return points(picked) if len(picked) > 1 else points([rows[0].front, rows[-1].front])


def _closure(canvas: Canvas, rig: Rig, item: Item, rows: list[Row]) -> None:
    details, tone = item.cut.details, trim(item.cloth, 0.68)
    low = min(rows[-1].drop, 0.3)
    line = _midline(rows, -0.25 if item.cut.neck in ("collar", "band", "hood") else -0.17, low)
    if "zip" in details:
        canvas.stroke(line, (150, 152, 158), rig.px(0.006), 0.85, garment=item.gid)
        canvas.stroke(line, (70, 72, 76), rig.px(0.002), 0.8, garment=item.gid)
    wanted = {"placket", "buttons", "double"} & set(details)
    if not wanted:
        if "overlap" in details:
            row = _at(rows, -0.085)
            cross = points([rows[0].right * 0.5 + rows[0].left * 0.5, row.left])
            canvas.stroke(cross, tone, rig.px(0.004), 0.8, garment=item.gid)
        return
    canvas.stroke(line + step(rig.px(0.009), 0), tone, rig.px(0.003), 0.7, garment=item.gid)
    light = brightness(item.cloth.base) < 110
    dot = mix(item.cloth.base, (255, 255, 255) if light else (20, 18, 16), 0.6)
    count = 6 if "placket" in details else 3
    columns = (-0.022, 0.022) if "double" in details else (0.0,)
    along = np.linspace(0.03, 0.97, count)
    knots = np.linspace(0, 1, len(line))
    for t in along:
        at = np.array([np.interp(t, knots, line[:, 0]), np.interp(t, knots, line[:, 1])])
        for column in columns:
            r = rig.px(0.0042 if "placket" in details else 0.007)
            button = ellipse(at + step(rig.px(column), 0), r, r, count=10)
            canvas.dab([button], dot, 0.85, garment=item.gid)


def _pockets(canvas: Canvas, rig: Rig, item: Item, rows: list[Row]) -> None:
    details, tone = item.cut.details, trim(item.cloth, 0.66)
    thin, across = rig.px(0.0035), rig.across()
    if "pouch" in details:
        row = _at(rows, -0.03)
        w, h = rig.half_width("hip") * 0.55, rig.px(0.055)
        at = row.front + step(0, -rig.px(0.02))
        ring = [
            at + step(-w * 0.6, -h),
            at + step(w * 0.6, -h),
            at + step(w, h * 0.4),
            at + step(-w, h * 0.4),
        ]
        canvas.stroke(points([*ring, ring[0]]), tone, thin, 0.8, garment=item.gid)
    if "welts" in details:
        row = _at(rows, 0.005)
        for side in (row.left, row.right):
            at = row.front * 0.42 + side * 0.58
            line = points([at - across * rig.px(0.028), at + across * rig.px(0.028)])
            canvas.stroke(line, tone, rig.px(0.006), 0.75, garment=item.gid)
    for name, sides in (("pocket", (1,)), ("pockets", (-1, 1))):
        if name not in details:
            continue
        for sign in sides:
            at = rig.xy("chest") + across * (sign * 0.5 * rig.half_width("chest"))
            at = at + step(rig.sideways * rig.px(0.03), rig.px(0.03))
            w, h = rig.px(0.024) * max(0.4, rig.facing), rig.px(0.026)
            ring = [
                at + step(-w, -h),
                at + step(w, -h),
                at + step(w, h),
                at + step(0, h * 1.2),
                at + step(-w, h),
            ]
            canvas.stroke(points([*ring, ring[0]]), tone, thin, 0.8, garment=item.gid)


def _collar(canvas: Canvas, rig: Rig, item: Item, rows: list[Row], owner: int, gap: float) -> None:
    """Shirt collars, bows, bands, lapels and shawl collars."""
    neck = item.cut.neck
    if neck not in ("collar", "bow", "band", "lapel", "shawl"):
        return
    edge = neckline(rig, neck)
    ids = Ids(item.part, owner, item.gid)
    tone = item.cloth.base
    gain = 0.92 if brightness(tone) > 60 else 1.35
    surface = flat(scaled(tone, gain), 0.3, rig.px(0.01), cast=0.3)
    low = edge[2]
    for sign, high in ((-1, edge[0]), (1, edge[-1])):
        out = rig.across() * np.float32(sign)
        shape = _collar_leaf(rig, neck, high, low, out, rows, gap)
        canvas.paint([shape], surface, ids)
        closed = np.concatenate([shape, shape[:1]])
        canvas.stroke(closed, trim(item.cloth, 0.6), rig.px(0.003), 0.6, garment=item.gid)
    if neck == "bow":
        _bow(canvas, rig, low, surface, ids)


def _collar_leaf(
    rig: Rig, neck: str, high: XY, low: XY, out: XY, rows: list[Row], gap: float
) -> Points:
    up = np.array([0, -rig.px(0.014)], np.float32)
    if neck in ("band", "bow"):
        return points([high + up * 1.2, low + up * 0.6, low, high])
    if neck == "collar":
        tip = low + out * rig.px(0.036) + step(0, rig.px(0.012))
        return points([high + up, low + up * 0.4, tip, high + out * rig.px(0.018) - up * 0.4])
    deep = low
    if gap:
        k = min(3, len(rows) - 1)
        side = rows[k].right if float(out[0]) > 0 else rows[k].left
        deep = rows[k].front + (side - rows[k].front) * np.float32(gap * 0.7)
    wide = rig.px(0.042 if neck == "lapel" else 0.028)
    middle = high * 0.5 + deep * 0.5
    notch = high * 0.68 + deep * 0.32 + out * wide
    if neck == "shawl":
        return smooth(points([high + up, middle - out * rig.px(0.004), deep, middle + out * wide]))
    inner = middle - out * rig.px(0.006)
    point = middle + out * (wide * 1.25) + step(0, -rig.px(0.004))
    return points([high + up, inner, deep, point, notch, high + out * (wide * 0.55)])


def _bow(canvas: Canvas, rig: Rig, at: XY, surface: Surface, ids: Ids) -> None:
    w, h = rig.px(0.032), rig.px(0.017)
    loops = [points([at, at + step(s * w, -h), at + step(s * w, h * 0.8)]) for s in (-1, 1)]
    tails = [
        ribbon(at, at + step(s * w * 0.45, rig.px(0.09)), [h * 0.35, h * 0.6], cap=0.1)
        for s in (-1, 1)
    ]
    canvas.paint([smooth(p) for p in loops] + tails + [ellipse(at, h * 0.5, h * 0.5)], surface, ids)


def _hood(canvas: Canvas, rig: Rig, item: Item, owner: int) -> None:
    """A hood lying round the neck, with strings in front."""
    ids = Ids(item.part, owner, item.gid)
    surface = item.cloth.plain().surface(rig.height, rig.px(0.015), "crumple")
    neck, across = rig.xy("neck"), rig.across()
    half = rig.half_width("neck")
    if rig.facing < 0:
        drop = points([neck - across * half * 1.7, neck + across * half * 1.7])
        shape = [drop[0], neck + step(0, -rig.px(0.012)), drop[1], neck + step(0, rig.px(0.09))]
        canvas.paint([smooth(points(shape))], surface, ids)
        return
    edge = neckline(rig, "hood")
    for high, sign in ((edge[0], -1.0), (edge[-1], 1.0)):
        out = across * np.float32(sign)
        leaf = [high + step(0, -rig.px(0.03)) - out * half * 0.1, high + out * rig.px(0.03)]
        leaf += [edge[2] + out * rig.px(0.03) + step(0, rig.px(0.01)), edge[2]]
        canvas.paint([smooth(points(leaf))], surface, ids)
        start = edge[2] + out * rig.px(0.014)
        string = points([start, start + step(out[0] * rig.px(0.004), rig.px(0.06))])
        canvas.stroke(string, mix(item.cloth.base, (245, 245, 245), 0.7), rig.px(0.004), 0.9,
                      garment=item.gid)  # fmt: skip


def _motif(canvas: Canvas, rig: Rig, item: Item, rows: list[Row]) -> None:
    """A print on the chest, squeezed as the body turns."""
    art = MOTIFS[item.cloth.motif](np.random.default_rng(item.variant), item.cloth)
    side = int(np.clip(rig.px(0.13), 6, 400))
    wide = max(3, round(side * max(0.25, rig.facing)))
    art = np.asarray(cv2.resize(art, (wide, side), interpolation=cv2.INTER_AREA), np.float32)
    chest, ribs = _at(rows, -0.2), _at(rows, -0.15)
    at = (chest.front + ribs.front) / 2 - np.array([wide / 2, side * 0.42])
    x, y = round(float(at[0])), round(float(at[1]))
    width, height = canvas.size
    x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + wide, width), min(y + side, height)
    if x2 <= x1 or y2 <= y1:
        return
    art = art[y1 - y : y2 - y, x1 - x : x2 - x]
    target = canvas.pixels[y1:y2, x1:x2]
    alpha = art[..., 3:] * (canvas.garment[y1:y2, x1:x2] == item.gid)[..., None]
    lit = target.mean(2, keepdims=True) / max(brightness(item.cloth.base), 12.0)
    target += (art[..., :3] * np.clip(lit, 0.6, 1.15) - target) * alpha
