"""Shoes, boots, sneakers, sandals, heels and socks."""

import numpy as np

from garments.synthetic.body import Rig
from garments.synthetic.bottoms import leather
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.figure import foot_axis, limb_radii, limb_shapes
from garments.synthetic.outfit import Item
from garments.synthetic.palette import mix, scaled
from garments.synthetic.shapes import Points, ellipse, points, ribbon, step, unit


def paint_sock(canvas: Canvas, rig: Rig, item: Item, side: int, owner: int) -> None:
    """A sock up to the lower calf."""
    knee, ankle = rig.xy(f"knee{side}"), rig.xy(f"ankle{side}")
    high = 0.55 + 0.0003 * item.variant
    r = [x + rig.px(0.002) for x in limb_radii(rig, "leg", 1)]
    shape = ribbon(knee, ankle, r, span=(high, 1.05))
    surface = item.cloth.surface(rig.height, r[-1], "crumple")
    canvas.paint([shape], surface.along(knee, ankle), Ids(item.part, owner, item.gid))


def paint_tights(canvas: Canvas, rig: Rig, item: Item, side: int, owner: int) -> None:
    """A leg and foot in tights."""
    heel, toe = foot_axis(rig, side)
    ankle, r = rig.xy(f"ankle{side}"), rig.px(0.021)
    shapes = limb_shapes(rig, "leg", side, 0.001)
    shapes += [ribbon(ankle, heel, [r, r], cap=0.8), ribbon(heel, toe, [r, r, r * 1.1, r * 0.8])]
    surface = leather(item.cloth.base, limb_radii(rig, "leg", 0)[-1])
    canvas.paint(shapes, surface, Ids(item.part, owner, item.gid))


def shoe_shapes(rig: Rig, item: Item, side: int) -> list[Points]:
    """Outlines of a shoe round its foot, shaft included for boots."""
    heel, toe = foot_axis(rig, side)
    ankle, knee = rig.xy(f"ankle{side}"), rig.xy(f"knee{side}")
    w = rig.px(0.021)
    toe = toe + unit(toe - heel) * rig.px(0.008)
    pointed = item.category == "heels"
    front = [w * 0.95, w * 1.05, w * 1.15, w * (0.55 if pointed else 0.95)]
    shapes = [ribbon(heel, toe, front, cap=0.9)]
    if item.category in ("shoes", "sneakers", "boots"):
        lift = 0.55 if item.category == "shoes" else 0.9
        top = heel + (ankle - heel) * np.float32(lift) - step(0, rig.px(0.004))
        shapes.append(ribbon(top, heel, [w * 0.95, w * 1.05, w], cap=0.8))
        middle = heel * 0.45 + toe * 0.55
        shapes.append(
            points(
                [
                    top - step(w, 0),
                    top + step(w, 0),
                    middle + step(w, -w * 0.2),
                    middle - step(w, 0),
                ]
            )
        )
    if item.category == "boots":
        r = [x + rig.px(0.006) for x in limb_radii(rig, "leg", 1)]
        low = 0.12 if item.variant % 3 == 0 else 0.62
        shapes.append(ribbon(knee, ankle, r, span=(low, 1.1), cap=0.2))
    return shapes


def paint_shoe(canvas: Canvas, rig: Rig, item: Item, side: int, owner: int) -> None:
    """One shoe with its sole, laces, straps or heel."""
    ids = Ids(item.part, owner, item.gid)
    heel, toe = foot_axis(rig, side)
    ankle, w = rig.xy(f"ankle{side}"), rig.px(0.021)
    base = item.cloth.base
    if item.category == "sandals":
        _sandal(canvas, rig, item, side, ids)
        return
    if item.category == "heels":
        stem = ribbon(heel, heel + step(0, rig.px(0.026)), [w * 0.4, w * 0.16])
        canvas.paint([stem], leather(scaled(base, 0.8), w), ids)
    canvas.paint(shoe_shapes(rig, item, side), leather(base, w * 0.9), ids)
    sole = (235, 233, 228) if item.category == "sneakers" else scaled(base, 0.45)
    if item.category != "heels":
        low = ribbon(
            heel + step(0, w * 0.75), toe + step(0, w * 0.7), [w * 0.3, w * 0.34, w * 0.3], cap=1
        )
        canvas.dab([low], sole, 0.95, garment=item.gid)
    if item.category in ("sneakers", "shoes"):
        lace = mix(base, (250, 250, 250), 0.85 if item.category == "sneakers" else 0.25)
        for t in (0.3, 0.42, 0.54):
            at = heel + (toe - heel) * np.float32(t) - step(0, w * 0.55)
            line = points([at - step(w * 0.5, w * 0.1), at + step(w * 0.5, -w * 0.1)])
            canvas.stroke(line, lace, rig.px(0.004), 0.9, garment=item.gid)
    if item.category == "boots":
        line = points([ankle - step(w, -w * 0.2), ankle + step(w, w * 0.2)])
        canvas.stroke(line, scaled(base, 0.7), rig.px(0.004), 0.6, garment=item.gid)


def _sandal(canvas: Canvas, rig: Rig, item: Item, side: int, ids: Ids) -> None:
    heel, toe = foot_axis(rig, side)
    ankle, w = rig.xy(f"ankle{side}"), rig.px(0.021)
    sole = ribbon(
        heel + step(0, w * 0.8), toe + step(0, w * 0.8), [w * 0.5, w * 0.4, w * 0.5], cap=1
    )
    bands = [ribbon(ankle - step(w, 0), ankle + step(w, 0), [w * 0.22, w * 0.22])]
    for t in (0.5, 0.78):
        at = heel + (toe - heel) * np.float32(t)
        bands.append(
            ribbon(at - step(w, w * 0.1), at + step(w, -w * 0.1), [w * 0.26, w * 0.26], cap=1)
        )
    bands.append(ellipse(heel, w * 0.9, w * 0.5))
    canvas.paint([sole, *bands], leather(item.cloth.base, w * 0.3), ids)
