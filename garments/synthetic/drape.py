"""How cloth hangs on a body: outlines of bodices, skirts, sleeves and trouser legs."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from garments.synthetic.body import SIDES, Rig
from garments.synthetic.figure import limb_names, limb_radii, round_joint
from garments.synthetic.shapes import Points, ellipse, hull, points, ribbon, smooth, step

XY = NDArray[np.float32]
DROP = {"shoulder": -0.288, "chest": -0.22, "ribs": -0.15, "waist": -0.085, "hip": 0.005}
THIGH, SHIN = 0.242, 0.232


@dataclass(frozen=True)
class Row:
    """One level of a hanging garment: its edges and its front middle, in pixels."""

    drop: float
    left: XY
    right: XY
    front: XY

    @property
    def middle(self) -> XY:
        """Halfway between the edges."""
        return np.asarray((self.left + self.right) / 2, np.float32)


def leg_at(rig: Rig, side: int, drop: float) -> tuple[XY, float]:
    """Point `drop` heights down a leg, and the leg's radius there, in pixels."""
    a, b, c = (rig.xy(n) for n in limb_names("leg", side))
    short = 0.93 if rig.build.child else 1.0
    thigh, shin = THIGH * short, SHIN * short
    if drop <= thigh:
        t, start, end, bone = drop / thigh, a, b, 0
    else:
        t, start, end, bone = min((drop - thigh) / shin, 1.15), b, c, 1
    radii = limb_radii(rig, "leg", bone)
    radius = float(np.interp(t, np.linspace(0, 1, len(radii)), radii))
    return start + (end - start) * np.float32(t), radius


def _trunk_row(rig: Rig, name: str, ease: float, straight: float) -> Row:
    half = rig.half_width(name)
    if name in ("ribs", "waist"):
        half += max(0.0, rig.half_width("chest") - half) * straight
    half += rig.px(ease) * (0.5 if name == "shoulder" else 1.0)
    center, across = rig.xy(name), rig.across()
    front = center + across * (rig.sideways * rig.girths[name][1] * rig.height)
    return Row(DROP[name], center - across * half, center + across * half, front)


def _leg_row(rig: Rig, drop: float, hip: Row, ease: float, straight: float, flare: float) -> Row:
    places = [leg_at(rig, side, drop) for side in SIDES]
    y = float(np.mean([p[1] for p, _ in places]))
    low = min(float(p[0]) - r for p, r in places) - rig.px(ease)
    high = max(float(p[0]) + r for p, r in places) + rig.px(ease)
    middle = 0.5 * (low + high)
    reach = (drop / 0.25) * rig.px(flare)
    hip_half = 0.5 * float(hip.right[0] - hip.left[0])
    half = max(0.5 * (high - low), hip_half * (1 if straight > 0.5 else 0.93))
    shift = 0.5 * float(hip.right[0] + hip.left[0])
    middle = middle * 0.8 + shift * 0.2
    left = np.array([min(low, middle - half) - reach, y], np.float32)
    right = np.array([max(high, middle + half) + reach, y], np.float32)
    bulge = rig.sideways * rig.girths["hip"][1] * rig.height
    return Row(drop, left, right, np.array([middle + bulge, y], np.float32))


def _between(a: Row, b: Row, drop: float) -> Row:
    t = np.float32((drop - a.drop) / (b.drop - a.drop))
    pairs = ((a.left, b.left), (a.right, b.right), (a.front, b.front))
    left, right, front = (p + (q - p) * t for p, q in pairs)
    return Row(drop, left, right, front)


def hang(
    rig: Rig, top: float, hem: float, ease: float, straight: float = 0.5, flare: float = 0.0
) -> list[Row]:
    """Rows of a garment from `top` to `hem` (heights below the hip joints), top first."""
    rows = [_trunk_row(rig, name, ease, straight) for name in DROP]
    hip = rows[-1]
    drops = [d for d in (0.06, 0.12, 0.18, 0.24, 0.30, 0.37) if d < hem - 0.02]
    drops += [max(hem, 0.02)]
    rows += [_leg_row(rig, d, hip, ease, straight, flare) for d in drops]
    kept = [r for r in rows if top < r.drop < hem]
    for end, at in ((top, 0), (hem, len(kept))):
        for a, b in pairwise(rows):
            if a.drop <= end <= b.drop:
                kept.insert(at if end == top else len(kept), _between(a, b, end))
                break
    return kept


def hem_line(row: Row, sag: float, waves: int = 0, swing: float = 0.0) -> list[XY]:
    """A hem from right to left, sagging by `sag` px and rippling by `swing` px."""
    s = np.linspace(0.0, 1.0, 5 + 4 * waves)
    drop = sag * np.sin(np.pi * s) + swing * np.sin(2 * np.pi * waves * s)
    line = row.right + (row.left - row.right) * s[:, None].astype(np.float32)
    line[:, 1] += drop.astype(np.float32)
    return list(line)


def skirt_shapes(
    rig: Rig,
    top: float,
    hem: float,
    ease: float,
    straight: float,
    flare: float,
    waves: int = 0,
) -> list[Points]:
    """A skirt from `top` to `hem`; over the thighs and down the shins when seated."""
    if not rig.pose.seated:
        rows = hang(rig, top, hem, ease, straight, flare)
        return [outline_of(rig, rows, waves)]
    rows = hang(rig, top, 0.03, ease, straight)
    shapes = [outline_of(rig, rows, 0)]
    discs = []
    for drop in (0.0, min(THIGH, hem), hem):
        pair = [leg_at(rig, side, drop) for side in SIDES]
        discs.append([ellipse(p, r + rig.px(ease + 0.006), r + rig.px(ease)) for p, r in pair])
    shapes.append(hull(*discs[0], *discs[1]))
    if hem > THIGH:
        shapes.append(hull(*discs[1], *discs[2]))
    return shapes


def outline_of(rig: Rig, rows: list[Row], waves: int) -> Points:
    """Closed outline of rows, hem included."""
    sag = rig.px(0.008)
    hem = hem_line(rows[-1], sag, waves, rig.px(0.005) if waves else 0.0)
    left = [r.left for r in rows[:-1]]
    right = [r.right for r in rows[:-1]]
    return smooth(points(left[::-1] + right + hem), steps=3)


NECKS = {
    "crew": (0.018, 1.25),
    "vee": (0.085, 1.15),
    "deep": (0.12, 1.25),
    "scoop": (0.055, 1.5),
    "boat": (0.022, 2.3),
    "straps": (0.085, 2.0),
    "collar": (0.045, 1.05),
    "bow": (0.03, 1.05),
    "band": (0.03, 1.05),
    "lapel": (0.10, 1.15),
    "shawl": (0.14, 1.15),
    "hood": (0.03, 1.3),
    "roll": (0.0, 1.1),
}
"""Necklines: depth in heights below the neck's base, and width in half necks."""


def neckline(rig: Rig, style: str) -> list[XY]:
    """Edge of a neckline from image left to right."""
    depth, wide = NECKS[style]
    half = rig.half_width("neck") * wide
    across, base = rig.across(), rig.xy("neck")
    slope = max(0.0, (wide - 1.1)) * rig.half_width("neck") * 0.32
    high = base + step(0, slope - rig.px(0.006))
    low_depth = depth if rig.facing > -0.15 else 0.006
    shift = rig.sideways * rig.px(0.045)
    low = base + across * shift + step(0, rig.px(low_depth + 0.01) + slope)
    left, right = high - across * half, high + across * half
    if style in ("vee", "deep", "lapel", "shawl", "collar") and rig.facing > -0.15:
        return [left, left * 0.5 + low * 0.5, low, low * 0.5 + right * 0.5, right]
    inner = (0, rig.px(low_depth) * 0.75)
    return [left, left * 0.72 + low * 0.28 + inner, low, low * 0.28 + right * 0.72 + inner, right]


def bodice(
    rig: Rig,
    hem: float,
    ease: float,
    straight: float,
    flare: float,
    neck: str,
    waves: int = 0,
) -> tuple[Points, list[Row]]:
    """Outline of a top or dress from the neckline to the hem, and its rows."""
    rows = hang(rig, DROP["shoulder"] - 0.001, hem, ease, straight, flare)
    rows = [r for r in rows if r.drop > DROP["shoulder"]]
    edge = neckline(rig, neck)
    tips = []
    for side in (1, 0) if rig.facing >= 0 else (0, 1):
        joint = rig.xy(f"shoulder{side}")
        tips.append(joint - step(0, limb_radii(rig, "arm", 0)[0] * 0.9 + rig.px(ease * 0.4)))
    if abs(rig.facing) < 0.5:
        half = rig.half_width("shoulder") + rig.px(ease * 0.5)
        tips = [rig.xy("shoulder") - rig.across() * half, rig.xy("shoulder") + rig.across() * half]
    sag = rig.px(0.006)
    hem_points = hem_line(rows[-1], sag, waves, rig.px(0.005) if waves else 0.0)
    body = smooth(
        points([r.right for r in rows[:-1]] + hem_points + [r.left for r in rows[:-1]][::-1]),
        closed=False,
        steps=3,
    )
    neck_curve = smooth(points(edge), closed=False, steps=3)
    return np.concatenate([body, points([tips[0]]), neck_curve, points([tips[1]])]), rows


def sleeve_shapes(rig: Rig, side: int, length: float, ease: float, cuff: float) -> list[Points]:
    """A sleeve of `length` bones (1 to the elbow, 2 to the wrist), `cuff` narrows its end."""
    a, b, c = (rig.xy(n) for n in limb_names("arm", side))
    bare = limb_radii(rig, "arm", 0)
    room = (0.3, 0.75, 1.0, 1.0)
    upper = [r + rig.px(ease) * e for r, e in zip(bare, room, strict=True)]
    lower = limb_radii(rig, "arm", 1, ease)
    if cuff < 1:
        lower[-1] = lower[-1] * cuff + limb_radii(rig, "arm", 1)[-1] * (1 - cuff) + rig.px(0.003)
        lower[-2] *= 1.08
    span = min(length, 1.0)
    if length < 1.02:
        upper = [r * (1 + 0.05 * k) for k, r in enumerate(upper)]
    shapes = [ribbon(a, b, upper, cap=0.25 if length < 1 else 0.9, span=(0, span))]
    shapes.append(round_joint(a, upper[0]))
    if length > 1.02:
        shapes.append(round_joint(b, upper[-1] * 1.02))
        lower[0] = upper[-1]
        shapes.append(ribbon(b, c, lower, cap=0.25, span=(0, length - 1)))
    return shapes
