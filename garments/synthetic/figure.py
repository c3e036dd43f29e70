"""Skin: trunk, limbs, hands and feet of a rig."""

import numpy as np
from numpy.typing import NDArray

from garments.parts import SKIN
from garments.synthetic.body import Rig
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.fabric import flat
from garments.synthetic.palette import Color, mix, scaled
from garments.synthetic.shapes import Points, ellipse, points, ribbon, smooth, step, unit

ARM = ((0.034, 0.031, 0.028, 0.025), (0.025, 0.027, 0.022, 0.0165))
LEG = ((0.060, 0.055, 0.046, 0.037), (0.036, 0.040, 0.033, 0.022))
"""Radii along upper and lower bone of arm and leg, in heights."""

LEVELS = ("neck", "shoulder", "chest", "ribs", "waist", "hip", "crotch")


def limb_radii(rig: Rig, limb: str, bone: int, ease: float = 0.0) -> list[float]:
    """Radii in pixels of a bone of `arm` or `leg`, with `ease` (share of height) added."""
    profile = (ARM if limb == "arm" else LEG)[bone]
    thin = 0.9 if limb == "arm" and rig.build.hips > 0.5 else 1.0
    return [rig.px(r * rig.build.girth * thin + ease) for r in profile]


def limb_names(limb: str, side: int) -> tuple[str, str, str]:
    """Joint names from root to end."""
    names = ("shoulder", "elbow", "wrist") if limb == "arm" else ("hip", "knee", "ankle")
    a, b, c = (f"{n}{side}" for n in names)
    return a, b, c


def limb_shapes(rig: Rig, limb: str, side: int, ease: float = 0.0) -> list[Points]:
    """Outlines of a whole bare arm or leg, joints rounded."""
    a, b, c = (rig.xy(n) for n in limb_names(limb, side))
    upper, lower = limb_radii(rig, limb, 0, ease), limb_radii(rig, limb, 1, ease)
    shapes = [ribbon(a, b, upper, cap=0.9), ribbon(b, c, lower, cap=0.6), round_joint(b, upper[-1])]
    if limb == "arm":
        shapes.append(round_joint(a, upper[0]))
    return shapes


def round_joint(at: NDArray[np.float32], radius: float) -> Points:
    """A disc that closes the outer bend between two bones."""
    return ellipse(at, radius, radius, count=16)


def trunk_outline(
    rig: Rig, top: str, bottom: str, ease: float = 0.0, waisted: float = 0.0
) -> Points:
    """Closed outline of the trunk between two levels, `ease` (share of height) wider.

    `waisted` in [0, 1] lets cloth fall straight from the chest instead of following the waist.
    """
    names = LEVELS[LEVELS.index(top) : LEVELS.index(bottom) + 1]
    across = rig.across()
    left, right = [], []
    chest = rig.half_width("chest")
    for name in names:
        half = rig.half_width(name)
        if name in ("ribs", "waist"):
            half += max(0.0, chest - half) * waisted
        if name == "shoulder":
            half *= 0.8
        if name not in ("neck", "shoulder"):
            half += rig.px(ease)
        left.append(rig.xy(name) - across * half)
        right.append(rig.xy(name) + across * half)
    ring = points(left + right[::-1])
    return smooth(ring, steps=4)


def paint_trunk(canvas: Canvas, rig: Rig, skin: Color, owner: int) -> None:
    """Bare trunk and neck."""
    surface = flat(skin, 0.4, rig.px(0.03))
    shapes = [trunk_outline(rig, "shoulder", "crotch"), neck_outline(rig)]
    canvas.paint(shapes, surface, Ids(SKIN, owner))
    collar = rig.xy("shoulder") * 0.75 + rig.xy("chest") * 0.25
    if rig.facing > 0.2:
        for sign in (-1, 1):
            line = points(
                [
                    collar + step(0, -rig.px(0.012)),
                    collar + step(sign * rig.px(0.05), -rig.px(0.022)),
                ]
            )
            canvas.stroke(line, scaled(skin, 0.8), rig.px(0.006), 0.5, owner=owner)


def neck_outline(rig: Rig) -> Points:
    """Neck with the slopes to the shoulders."""
    across, half = rig.across(), rig.half_width("neck")
    top = rig.xy("chin") * 0.4 + rig.xy("head") * 0.6
    base, slope = rig.xy("neck"), rig.xy("shoulder")
    wide = 0.75 * rig.half_width("shoulder")
    ring = [
        top - across * half * 0.92,
        base - across * half * 1.1,
        slope - across * wide,
        slope + across * wide,
        base + across * half * 1.1,
        top + across * half * 0.92,
    ]
    return points(ring)


def paint_limb(canvas: Canvas, rig: Rig, limb: str, side: int, skin: Color, owner: int) -> None:
    """A bare arm or leg; the hand and the foot are separate."""
    a, _, c = (rig.xy(n) for n in limb_names(limb, side))
    radius = limb_radii(rig, limb, 0)[-1]
    surface = flat(skin, 0.45, radius * 0.9, cast=0.25).along(a, c)
    canvas.paint(limb_shapes(rig, limb, side), surface, Ids(SKIN, owner))
    if limb == "leg" and rig.facing > 0:
        knee = rig.xy(f"knee{side}")
        arc = ellipse(knee + step(0, radius * 0.5), radius * 0.55, radius * 0.35)[:13]
        canvas.stroke(arc, scaled(skin, 0.84), radius * 0.16, 0.5, owner=owner)


def hand_shapes(rig: Rig, side: int) -> list[Points]:
    """Palm, four fingers and a thumb."""
    wrist, tip = rig.xy(f"wrist{side}"), rig.xy(f"hand{side}")
    reach = tip - wrist
    length = max(float(np.hypot(*reach)), rig.px(0.05))
    d = unit(reach)
    n = np.array([-d[1], d[0]], np.float32)
    inward = -1.0 if (side == 0) == (rig.facing >= 0) else 1.0
    n = n * (-inward)
    w = rig.px(0.0175) * rig.build.girth**0.5
    knuckle = wrist + d * (length * 0.5)
    shapes = [ribbon(wrist, knuckle, [w * 0.85, w * 1.1, w * 1.05], cap=0.5)]
    for k, reach_k in enumerate((0.88, 1.0, 0.97, 0.8)):
        root = knuckle + n * (w * (0.72 - 0.48 * k)) - d * (w * 0.3)
        end = wrist + d * (length * reach_k) + n * (w * (0.62 - 0.40 * k))
        shapes.append(ribbon(root, end, [w * 0.3, w * 0.26], cap=1.0))
    thumb = wrist + d * (length * 0.2) + n * (w * 0.7)
    thumb_end = wrist + d * (length * 0.62) + n * (w * 1.5)
    shapes.append(ribbon(thumb, thumb_end, [w * 0.42, w * 0.36, w * 0.28], cap=1.0))
    return shapes


def paint_hand(canvas: Canvas, rig: Rig, side: int, skin: Color, owner: int) -> None:
    """One hand, fingers loosely stretched."""
    shapes = hand_shapes(rig, side)
    surface = flat(mix(skin, (200, 90, 80), 0.06), 0.4, rig.px(0.012), cast=0.3)
    canvas.paint(shapes, surface, Ids(SKIN, owner))
    for finger in shapes[2:5]:
        line = points([finger[0], finger[5]])
        canvas.stroke(line, scaled(skin, 0.72), rig.px(0.003), 0.45, owner=owner)


def foot_axis(rig: Rig, side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Heel and toe of a foot in the picture, kept apart where it points at the camera."""
    heel, toe = rig.xy(f"heel{side}"), rig.xy(f"toe{side}")
    d = toe - heel
    if float(np.hypot(*d)) < rig.px(0.035):
        toe = heel + unit(d + step(0, 1e-3)) * rig.px(0.035)
    return heel, toe


def paint_foot(canvas: Canvas, rig: Rig, side: int, skin: Color, owner: int) -> None:
    """A bare foot."""
    heel, toe = foot_axis(rig, side)
    ankle = rig.xy(f"ankle{side}")
    r = rig.px(0.021)
    shapes = [ribbon(ankle, heel, [r, r], cap=0.8), ribbon(heel, toe, [r, r, r * 1.1, r * 0.8])]
    canvas.paint(shapes, flat(skin, 0.4, r), Ids(SKIN, owner))
