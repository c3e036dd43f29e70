"""Accessories: bags, hats, caps, scarves, belts, sunglasses and ties."""

import numpy as np

from garments.synthetic.body import Rig
from garments.synthetic.bottoms import leather
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.drape import hang, neckline
from garments.synthetic.head import HeadFrame
from garments.synthetic.outfit import Item
from garments.synthetic.palette import mix, scaled
from garments.synthetic.shapes import Points, ellipse, points, ribbon, smooth, step


def _ids(item: Item, owner: int) -> Ids:
    return Ids(item.part, owner, item.gid)


def paint_belt(canvas: Canvas, rig: Rig, item: Item, owner: int) -> None:
    """A belt at the waist with a buckle."""
    rows = hang(rig, -0.075, -0.05, 0.011, 0.3)
    top, low = rows[0], rows[-1]
    sag = np.array([0, rig.px(0.004)], np.float32)
    band = [top.left, top.front + sag, top.right, low.right, low.front + sag, low.left]
    canvas.paint([points(band)], leather(item.cloth.base, rig.px(0.02)), _ids(item, owner))
    if rig.facing > 0.1:
        at, r = (top.front + low.front) / 2 + sag, rig.px(0.011)
        ring = points(
            [
                at + step(-r, -r),
                at + step(r, -r),
                at + step(r, r),
                at + step(-r, r),
                at + step(-r, -r),
            ]
        )
        canvas.stroke(ring, (205, 185, 120), rig.px(0.004), 0.95, garment=item.gid)


def paint_tie(canvas: Canvas, rig: Rig, item: Item, owner: int) -> None:
    """A tie from the collar to the belt."""
    if rig.facing < 0.1:
        return
    start = neckline(rig, "collar")[2]
    end = rig.xy("waist") + rig.across() * (rig.sideways * rig.px(0.05))
    w = rig.px(0.02) * max(0.4, rig.facing)
    shape = ribbon(start, end, [w * 0.4, w * 0.75, w * 0.95, w, w * 0.75], cap=0.9)
    knot = ribbon(
        start - step(0, rig.px(0.012)), start + step(0, rig.px(0.012)), [w * 0.75, w * 0.45]
    )
    surface = item.cloth.surface(rig.height, w)
    canvas.paint([shape, knot], surface.along(start, end + step(w, 0)), _ids(item, owner))


def paint_scarf(canvas: Canvas, rig: Rig, item: Item, owner: int) -> None:
    """A scarf wound round the neck with one or two ends."""
    neck, across, half = rig.xy("neck"), rig.across(), rig.half_width("neck")
    wide = half * 1.75
    low = neck + step(0, rig.px(0.035))
    loop = [neck - across * wide + step(0, -rig.px(0.006)), neck + step(0, -rig.px(0.022))]
    loop += [
        neck + across * wide + step(0, -rig.px(0.006)),
        low + across * half,
        low - across * half,
    ]
    surface = item.cloth.surface(rig.height, rig.px(0.016), "crumple")
    shapes = []
    if rig.facing > -0.2:
        for sign in (-1, 1)[: 1 + item.variant % 2]:
            start = low + across * (sign * half * 0.5) - step(0, rig.px(0.01))
            end = start + step(sign * rig.px(0.012), rig.px(0.12 + 0.00012 * item.variant))
            shapes.append(ribbon(start, end, [rig.px(0.018), rig.px(0.023)], cap=0.05))
    canvas.paint([*shapes, smooth(points(loop))], surface.along(neck, low), _ids(item, owner))


def paint_sunglasses(canvas: Canvas, head: HeadFrame, item: Item, owner: int) -> None:
    """Two lenses, a bridge and arms."""
    if head.sight(0) < 0:
        return
    px, lenses = head.px, []
    for azimuth in (-27, 27):
        sight = head.sight(azimuth)
        if sight > 0.15:
            at = head.on(azimuth, 0.035)
            lenses.append(ellipse(at, 0.105 * px * max(0.35, sight), 0.078 * px))
    bridge = points([head.on(-12, 0.01), head.on(12, 0.01), head.on(12, 0.03), head.on(-12, 0.03)])
    shapes: list[Points] = [*lenses, bridge]
    for side in (-1, 1):
        if head.sight(side * 60) > 0:
            a, b = head.on(side * 42, 0.015), head.on(side * 88, 0.02)
            shapes.append(ribbon(a, b, [0.012 * px, 0.012 * px]))
    canvas.paint(shapes, leather(scaled(item.cloth.base, 0.8), 0.06 * px), _ids(item, owner))
    for lens in lenses:
        shine = lens.mean(0) - step(0.03 * px, 0.03 * px)
        canvas.dab([ellipse(shine, 0.03 * px, 0.014 * px, -0.6)], (255, 255, 255), 0.35,
                   garment=item.gid)  # fmt: skip


def paint_hat(canvas: Canvas, head: HeadFrame, item: Item, owner: int, height: float) -> None:
    """A brimmed hat, a beanie, or a peaked cap."""
    surface = item.cloth.surface(height, head.px * 0.14, "crumple")
    surface = surface.along(head.at(0, -0.5), head.at(0, 0))
    ids, w = _ids(item, owner), head.half(0.0) * 1.16
    back = head.shift(-0.3)
    tall = -0.68 if item.category == "hat" else -0.6
    crown = [head.at(back - w, -0.2), head.at(back - w * 0.97, -0.4), head.at(back - w * 0.6, tall)]
    crown += [head.at(back, tall - 0.02), head.at(back + w * 0.6, tall)]
    crown += [head.at(back + w * 0.97, -0.4), head.at(back + w, -0.2), head.at(back, -0.15)]
    shapes = [smooth(points(crown), steps=4)]
    brimmed = item.category == "hat" and item.variant % 2 == 0
    if brimmed:
        rim = ellipse(head.at(back, -0.2), head.px * 0.62, head.px * 0.12)
        shapes.append(rim)
    canvas.paint(shapes, surface, ids)
    dark = scaled(item.cloth.base, 0.65)
    if item.category == "cap" and head.sight(0) > -0.3:
        ahead = float(np.sin(head.yaw))
        tip = head.at(back + ahead * (w + 0.3), -0.17 + 0.07 * max(0, head.sight(0)))
        left, right = head.on(-62, -0.22), head.on(62, -0.22)
        brim = smooth(points([left, tip - step(0.02 * head.px, 0), tip, right, head.on(0, -0.26)]))
        canvas.paint([brim], leather(dark, head.px * 0.08), ids)
    else:
        band = points([head.at(back - w, -0.24), head.at(back, -0.2), head.at(back + w, -0.24)])
        band = smooth(band, closed=False)
        canvas.stroke(band, dark, head.px * 0.06, 0.8, garment=item.gid)


def paint_bag(canvas: Canvas, rig: Rig, item: Item, owner: int, front: bool) -> None:
    """A handbag, a shoulder bag or a rucksack; `front` says which of its halves to draw."""
    kind = item.variant % 3
    side = item.variant // 3 % 2
    base = item.cloth.base
    surface = item.cloth.surface(rig.height, rig.px(0.02), "crumple")
    ids = _ids(item, owner)
    if kind == 2:
        _rucksack(canvas, rig, item, ids, front)
        return
    if not front:
        return
    hold = rig.xy(f"hand{side}" if kind == 0 else f"hip{side}")
    if kind == 1:
        sign = 1.0 if (side == 0) == (rig.facing >= 0) else -1.0
        hold = hold + step(sign * rig.px(0.075), -rig.px(0.04))
        far = rig.xy(f"shoulder{1 - side}") * 0.75 + rig.xy("neck") * 0.25
        strap = ribbon(far, hold, [rig.px(0.006)] * 2)
        canvas.paint([strap], leather(base, rig.px(0.005)), ids)
    w = rig.px(0.05 + 0.00004 * item.variant)
    h, top = w * (0.75 + 0.3 * (item.variant % 7) / 7), hold + step(0, rig.px(0.035))
    body = [
        top + step(-w * 0.85, 0),
        top + step(w * 0.85, 0),
        top + step(w, h * 1.5),
        top + step(0, h * 1.62),
    ]
    body += [top + step(-w, h * 1.5)]
    ring = ellipse(hold + step(0, rig.px(0.028)), w * 0.5, rig.px(0.034))
    canvas.stroke(np.concatenate([ring, ring[:1]]), scaled(base, 0.7), rig.px(0.007), 1.0)
    canvas.paint([smooth(points(body), steps=3)], surface, ids)
    flap = smooth(points([body[0], top + step(0, h * 0.8), body[1]]), closed=False)
    canvas.stroke(flap, scaled(base, 0.6), rig.px(0.004), 0.8, garment=item.gid)
    clasp = ellipse(top + step(0, h * 0.75), rig.px(0.007), rig.px(0.007))
    canvas.dab([clasp], (212, 190, 120), 0.9, garment=item.gid)


def _rucksack(canvas: Canvas, rig: Rig, item: Item, ids: Ids, front: bool) -> None:
    """Straps in front, the sack behind the trunk; the other way round from the back."""
    across, base = rig.across(), item.cloth.base
    away = -rig.sideways * rig.px(0.09)
    half = np.hypot(rig.half_width("chest") * 0.85 * rig.facing, rig.px(0.055) * rig.sideways)
    sack_now = front == (rig.facing < 0)
    if sack_now:
        top, low = rig.xy("shoulder") + step(away, 0), rig.xy("waist") + step(away, rig.px(0.02))
        ring = [top - across * half * 0.8, top + across * half * 0.8, low + across * half]
        ring += [low - across * half]
        surface = item.cloth.surface(rig.height, rig.px(0.03), "crumple")
        canvas.paint([smooth(points(ring), steps=4)], surface, ids)
        middle = (top + low) / 2 + step(0, rig.px(0.03))
        line = points([middle - across * half * 0.8, middle + across * half * 0.8])
        canvas.stroke(line, scaled(base, 0.6), rig.px(0.005), 0.8, garment=item.gid)
    elif front:
        for sign in (-1, 1):
            high = rig.xy("shoulder") + across * (sign * rig.half_width("shoulder") * 0.55)
            low = rig.xy("ribs") + across * (sign * rig.half_width("ribs") * 1.02)
            strap = ribbon(high - step(0, rig.px(0.022)), low, [rig.px(0.011)] * 2, cap=0.1)
            canvas.paint([strap], leather(mix(base, (0, 0, 0), 0.15), rig.px(0.01)), ids)
