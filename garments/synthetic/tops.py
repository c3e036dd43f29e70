"""Tops, dresses and outer layers: bodices, sleeves, open fronts."""

import numpy as np

from garments.synthetic.body import Rig
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.details import paint_details
from garments.synthetic.drape import (
    DROP,
    XY,
    Row,
    bodice,
    hang,
    neckline,
    outline_of,
    skirt_shapes,
    sleeve_shapes,
)
from garments.synthetic.fabric import trim
from garments.synthetic.figure import limb_names, limb_radii, neck_outline
from garments.synthetic.outfit import Item
from garments.synthetic.palette import scaled
from garments.synthetic.shapes import Points, points, ribbon, smooth, step
from garments.synthetic.texture import Surface


def body_surface(rig: Rig, item: Item, round_share: float = 0.045) -> Surface:
    """Cloth of an item as it lies on the trunk, print turned as the cloth asks."""
    surface = item.cloth.surface(rig.height, rig.px(round_share))
    start, end = rig.xy("shoulder"), rig.xy("hip")
    return turned(surface, start, end, item.cloth.turn)


def turned(surface: Surface, start: XY, end: XY, turn: float) -> Surface:
    """`surface` with its grain from `start` to `end`, then turned by `turn` right angles."""
    if not turn or surface.tile is None:
        return surface.along(start, end)
    a = turn * np.pi / 2
    d = end - start
    c, s = float(np.cos(a)), float(np.sin(a))
    return surface.along(start, start + np.array([c * d[0] - s * d[1], s * d[0] + c * d[1]]))


def paint_bodice(canvas: Canvas, rig: Rig, item: Item, owner: int) -> None:
    """A closed top or dress without its sleeves."""
    ids = Ids(item.part, owner, item.gid)
    neck = item.cut.neck
    dress = item.category == "dress"
    hem = min(item.hem, 0.03) if rig.pose.seated else item.hem
    waves = int(2 + item.flare * 60) if dress and item.flare > 0.01 else 0
    shape, rows = bodice(rig, hem, item.ease, item.cut.straight, item.flare, neck, waves)
    shapes = [shape]
    if rig.pose.seated and item.hem > 0.06:
        shapes += skirt_shapes(rig, DROP["waist"], item.hem, item.ease, 1.0, item.flare)
    if neck == "roll":
        shapes.append(_roll(rig))
    if neck == "straps":
        shapes = [_cut_low(rig, rows, shape), *_straps(rig, rows)]
    canvas.paint(shapes, body_surface(rig, item), ids)
    paint_details(canvas, rig, item, rows, owner)


def _cut_low(rig: Rig, rows: list[Row], shape: Points) -> Points:
    """A bodice that ends under the arms."""
    chest = next(r for r in rows if r.drop >= DROP["chest"])
    lift = np.array([0, -rig.px(0.018)], np.float32)
    middle = (chest.left + chest.right) / 2
    top = [chest.left + lift * 0.2, chest.left * 0.6 + middle * 0.4 + lift, middle + lift * 0.3]
    top += [chest.right * 0.6 + middle * 0.4 + lift, chest.right + lift * 0.2]
    return np.concatenate([smooth(points(top), closed=False), shape[shape[:, 1] > chest.left[1]]])


def _straps(rig: Rig, rows: list[Row]) -> list[Points]:
    chest = next(r for r in rows if r.drop >= DROP["chest"])
    neck, across = rig.xy("neck"), rig.across()
    straps = []
    for sign, edge in ((-1, chest.left), (1, chest.right)):
        middle = (chest.left + chest.right) / 2
        high = neck + across * sign * rig.half_width("shoulder") * 0.55 + step(0, rig.px(0.012))
        low = edge * 0.55 + middle * 0.45 + step(0, -rig.px(0.01))
        straps.append(ribbon(high, low, [rig.px(0.004), rig.px(0.005)]))
    return straps


def _roll(rig: Rig) -> Points:
    ring = neck_outline(rig)
    top = ring[[0, 5]] * 0.55 + ring[[1, 4]] * 0.45
    half = (ring[4] - ring[1]) * 0.06
    return smooth(points([top[0] - half, ring[1] - half, ring[4] + half, top[1] + half]), steps=3)


def paint_sleeve(canvas: Canvas, rig: Rig, item: Item, side: int, owner: int) -> None:
    """One sleeve, its grain along the arm, with crumples at the elbow."""
    if item.sleeve < 0.12:
        return
    a, b, c = (rig.xy(n) for n in limb_names("arm", side))
    ids = Ids(item.part, owner, item.gid)
    cuff = 0.35 if any(d in item.cut.details for d in ("rib", "cuffs", "gather")) else 1.0
    shapes = sleeve_shapes(rig, side, item.sleeve, item.cut.arm, cuff)
    radius = limb_radii(rig, "arm", 0, item.cut.arm)[-1]
    surface = item.cloth.surface(rig.height, radius * 0.9, "crumple")
    end = b if item.sleeve < 1.1 else b * np.float32(0.5) + c * np.float32(0.5)
    canvas.paint(shapes, turned(surface, a, end, item.cloth.turn), ids)
    _cuff_line(canvas, rig, item, side)


def _cuff_line(canvas: Canvas, rig: Rig, item: Item, side: int) -> None:
    a, b, c = (rig.xy(n) for n in limb_names("arm", side))
    long = item.sleeve > 1.02
    start, stop = (b, c) if long else (a, b)
    t = (item.sleeve - 1 if long else item.sleeve) - (0.1 if long else 0.06)
    at = start + (stop - start) * np.float32(t)
    d = stop - start
    n = np.array([-d[1], d[0]], np.float32) / max(float(np.hypot(*d)), 1e-6)
    r = limb_radii(rig, "arm", 1 if long else 0, item.cut.arm)[2] * 1.3
    line = points([at - n * r, at + n * r])
    canvas.stroke(line, trim(item.cloth, 0.7), rig.px(0.0035), 0.6, garment=item.gid)


def paint_lining(canvas: Canvas, rig: Rig, item: Item, owner: int) -> None:
    """The inside of an open coat, seen behind the body: darker than its outside."""
    if item.hem < 0.02 or rig.facing < -0.2 or rig.pose.seated:
        return
    rows = hang(rig, DROP["chest"], item.hem, item.ease, item.cut.straight, item.flare)
    surface = body_surface(rig, item)
    inside = Surface(scaled(item.cloth.base, 0.5), relief=0.3, round_px=surface.round_px)
    canvas.paint([outline_of(rig, rows, 0)], inside, Ids(item.part, owner, item.gid))


def paint_open(canvas: Canvas, rig: Rig, item: Item, owner: int) -> None:
    """An outer layer worn open: two fronts with lapels, or the whole back from behind."""
    if rig.facing < -0.1 or not item.open:
        paint_bodice(canvas, rig, item, owner)
        return
    ids = Ids(item.part, owner, item.gid)
    hem = min(item.hem, 0.04) if rig.pose.seated else item.hem
    neck = item.cut.neck
    _, rows = bodice(rig, hem, item.ease, item.cut.straight, item.flare, neck)
    rng = np.random.default_rng(item.variant)
    gap = float(rng.uniform(0.18, 0.5))
    surface = body_surface(rig, item)
    edge = neckline(rig, neck)
    for sign in (-1, 1):
        canvas.paint([_front(rig, rows, edge, sign, gap)], surface, ids)
    paint_details(canvas, rig, item, rows, owner, gap=gap)


def _front(rig: Rig, rows: list[Row], edge: list[XY], sign: int, gap: float) -> Points:
    """One front panel; `gap` is the share of the half width left open at the hem."""
    outer, inner = [], []
    for k, row in enumerate(rows):
        side = row.right if sign > 0 else row.left
        share = gap * (0.45 + 0.55 * k / max(1, len(rows) - 1))
        outer.append(side)
        inner.append(row.front + (side - row.front) * np.float32(share))
    joint = rig.xy("shoulder0" if (sign > 0) == (rig.facing >= 0) else "shoulder1")
    tip = joint - step(0, limb_radii(rig, "arm", 0)[0])
    neck = edge[-1] if sign > 0 else edge[0]
    lapel = neck * 0.5 + inner[0] * 0.5
    ring = [
        tip,
        *outer,
        outer[-1] * 0.5 + inner[-1] * 0.5 + step(0, rig.px(0.006)),
        *inner[::-1],
        lapel,
    ]
    body = smooth(points(ring[1:]), closed=False, steps=3)
    return np.concatenate([points([tip]), body, points([neck])])
