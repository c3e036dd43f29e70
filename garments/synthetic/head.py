"""Heads: skull, face and features, seen from any side.

A head is placed in its own frame: u across, v down, in head heights from its centre. Features sit
at an azimuth (0 is straight ahead) and turn out of view with the body's yaw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from garments.parts import SKIN
from garments.synthetic.body import Rig
from garments.synthetic.canvas import Canvas, Ids
from garments.synthetic.fabric import flat
from garments.synthetic.palette import Color, brightness, mix, scaled
from garments.synthetic.shapes import Points, ellipse, points, smooth, step

PROFILE = (
    (-0.5, 0.3),
    (-0.45, 0.58),
    (-0.3, 0.86),
    (-0.1, 1.0),
    (0.06, 0.99),
    (0.2, 0.91),
    (0.34, 0.73),
    (0.44, 0.5),
    (0.5, 0.24),
)
"""Half width of a head by height: (v, share of the greatest half width)."""


@dataclass(frozen=True)
class Face:
    """What varies between faces; shares of head height unless said otherwise."""

    skin: Color
    hair: Color
    iris: Color = (70, 48, 32)
    lips: Color = (176, 84, 80)
    width: float = 0.355
    eye: float = 1.0
    brow: float = 1.0
    nose: float = 1.0
    mouth: float = 1.0
    smile: float = 0.2
    beard: float = 0.0
    turn: float = 0.0


@dataclass(frozen=True)
class HeadFrame:
    """Where a head is: centre and axes in pixels for one head height, and yaw in radians."""

    center: NDArray[np.float32]
    right: NDArray[np.float32]
    down: NDArray[np.float32]
    yaw: float
    width: float

    @property
    def px(self) -> float:
        """Head height in pixels."""
        return float(np.hypot(*self.down))

    def half(self, v: float) -> float:
        """Half width of the skull at height v, in head heights."""
        vs, ws = zip(*PROFILE, strict=True)
        broad = np.hypot(self.width * np.cos(self.yaw), 0.44 * np.sin(self.yaw))
        return float(np.interp(v, vs, ws) * broad)

    def at(self, u: float, v: float) -> NDArray[np.float32]:
        """Picture position of (u, v)."""
        place = self.center + self.right * np.float32(u) + self.down * np.float32(v)
        return np.asarray(place, np.float32)

    def shift(self, v: float) -> float:
        """Sideways shift of the silhouette at v: jaw forward, skull back, seen from the side."""
        return float(np.sin(self.yaw)) * float(np.interp(v, (-0.4, 0.0, 0.5), (-0.05, 0.0, 0.10)))

    def on(self, azimuth: float, v: float) -> NDArray[np.float32]:
        """Picture position of a point on the skin at `azimuth` degrees; hidden ones at the rim."""
        a = np.radians(azimuth) + self.yaw
        s = np.sin(a) if np.cos(a) > 0 else np.sign(np.sin(a))
        return self.at(self.shift(v) + self.half(v) * float(s), v)

    def sight(self, azimuth: float) -> float:
        """Cosine between the skin at `azimuth` degrees and the camera."""
        return float(np.cos(np.radians(azimuth) + self.yaw))

    def outline(self, grow: float = 1.0, low: float = 0.5, top: float = -0.5) -> Points:
        """Silhouette from `top` to `low`, widened by `grow`."""
        vs = np.linspace(top, low, 9)
        left = [self.at(self.shift(v) - self.half(v) * grow, v) for v in vs]
        right = [self.at(self.shift(v) + self.half(v) * grow, v) for v in vs]
        return smooth(points(left + right[::-1]), steps=3)


def head_frame(rig: Rig, face: Face, pitch: float = 0.0) -> HeadFrame:
    """The head of a rig, with the face's own turn added to the body's yaw."""
    down = rig.xy("chin") - rig.xy("crown")
    length = rig.px(rig.build.head)
    d = down / max(float(np.hypot(*down)), 1e-6)
    c, s = np.cos(pitch), np.sin(pitch)
    d = np.array([c * d[0] - s * d[1], s * d[0] + c * d[1]], np.float32)
    center = rig.xy("chin") - d * length * 0.5
    right = np.array([d[1], -d[0]], np.float32) * length
    return HeadFrame(center, right, d * length, rig.yaw + face.turn, face.width)


def paint_head(canvas: Canvas, head: HeadFrame, face: Face, owner: int) -> None:
    """Skull and ears in skin; hair and features come later."""
    surface = flat(face.skin, 0.42, head.px * 0.2, cast=0.4)
    canvas.paint([head.outline()], surface, Ids(SKIN, owner))
    for azimuth in (-90, 90):
        if head.sight(azimuth) > -0.35:
            ear = ellipse(head.on(azimuth, 0.07), head.px * 0.045, head.px * 0.085)
            tone = mix(face.skin, (190, 90, 80), 0.15)
            canvas.paint([ear], flat(tone, 0.3, head.px * 0.04), Ids(SKIN, owner))


def face_patch(head: HeadFrame, hairline: float, temples: float) -> Points | None:
    """The face that shows between hair: closed outline, or None from behind.

    `hairline` is the v of the hairline in front, `temples` the azimuth in degrees of its sides.
    """
    if head.sight(0) < -0.35:
        return None
    t = temples
    rim = [(-t, 0.36), (-t * 1.05, 0.08), (-t * 0.92, hairline * 0.45), (-t * 0.55, hairline)]
    rim += [(0, hairline * 1.06), (t * 0.55, hairline), (t * 0.92, hairline * 0.45)]
    rim += [(t * 1.05, 0.08), (t, 0.36), (t * 0.5, 0.46), (0, 0.49), (-t * 0.5, 0.46)]
    return smooth(points([head.on(a, v) for a, v in rim]), steps=3)


def paint_features(canvas: Canvas, head: HeadFrame, face: Face, owner: int) -> None:
    """Shading, eyes, brows, nose and mouth, as far as they face the camera."""
    if head.sight(0) < -0.25:
        return
    for azimuth in (-38.0, 38.0):
        if head.sight(azimuth) > 0.1:
            cheek = ellipse(head.on(azimuth, 0.2), head.px * 0.09, head.px * 0.07)
            tone = mix(face.skin, (205, 80, 70), 0.35)
            canvas.dab([cheek], tone, 0.35, owner=owner, blur=head.px * 0.05)
    if face.beard > 0:
        _beard(canvas, head, face, owner)
    for azimuth in (-25.0, 25.0):
        _eye(canvas, head, face, azimuth, owner)
    _nose(canvas, head, face, owner)
    _mouth(canvas, head, face, owner)


def _eye(canvas: Canvas, head: HeadFrame, face: Face, azimuth: float, owner: int) -> None:
    sight = head.sight(azimuth)
    if sight < 0.12:
        return
    at, px = head.on(azimuth, 0.03), head.px
    w, h = 0.066 * px * face.eye * max(sight, 0.35), 0.034 * px * face.eye
    socket = ellipse(at - step(0, 0.012 * px), w * 1.5, h * 2.0)
    canvas.dab([socket], scaled(face.skin, 0.72), 0.45, owner=owner, blur=px * 0.025)
    lens = smooth(
        points([at - step(w, 0), at - step(0, h), at + step(w, -h * 0.1), at + step(0, h * 0.8)])
    )
    canvas.dab([lens], (232, 228, 222), 0.95, owner=owner)
    look = at + step(0.25 * w * np.sin(head.yaw), -0.05 * h)
    canvas.dab([ellipse(look, h * 0.95, h * 0.98, count=14)], face.iris, 1.0, owner=owner)
    canvas.dab([ellipse(look, h * 0.45, h * 0.45, count=10)], (14, 12, 12), 1.0, owner=owner)
    if px > 60:
        spark = ellipse(look - step(h * 0.3, h * 0.35), h * 0.2, h * 0.2, count=8)
        canvas.dab([spark], (250, 250, 250), 0.9, owner=owner)
    lid = points(
        [at - step(w * 1.1, -h * 0.2), at - step(w * 0.4, h * 0.95), at + step(w * 0.4, -h * 0.95)]
    )
    lid = np.concatenate([lid, points([at + step(w * 1.15, 0)])])
    canvas.stroke(smooth(lid, closed=False), (38, 26, 22), 0.02 * px, 0.9, owner=owner)
    brow = points([head.on(azimuth + d, -0.085 + dv) for d, dv in ((-15, 0.01), (0, -0.018))])
    brow = np.concatenate([brow, points([head.on(azimuth + 15, 0.01 - 0.085)])])
    dark = scaled(face.hair, 0.7) if brightness(face.hair) > 60 else mix(face.hair, face.skin, 0.1)
    thick = 0.026 * px * face.brow
    canvas.stroke(smooth(brow, closed=False), dark, thick, 0.8, owner=owner)


def _nose(canvas: Canvas, head: HeadFrame, face: Face, owner: int) -> None:
    px, tip_v = head.px, 0.19
    side = float(np.sin(head.yaw))
    bridge = head.on(0, 0.0)
    tip = head.on(0, tip_v) + head.right * np.float32(0.065 * side * face.nose)
    base = head.on(0, 0.215)
    dark, light = scaled(face.skin, 0.72), mix(face.skin, (255, 255, 255), 0.3)
    w = 0.055 * px * face.nose
    if abs(side) > 0.75:
        wedge = points([bridge, tip, base + step(0, 0.01 * px), bridge + step(0, 0.12 * px)])
        canvas.paint([wedge], flat(face.skin, 0.2, px * 0.03), Ids(SKIN, owner))
    shadow_side = 1.0 if side <= 0 else -1.0
    wing = points(
        [bridge + step(shadow_side * w * 0.35, 0), tip + step(shadow_side * w * 0.8, 0), tip]
    )
    canvas.dab([wing], dark, 0.45, owner=owner, blur=px * 0.014)
    canvas.dab([ellipse(tip, w * 0.45, w * 0.4)], light, 0.45, owner=owner, blur=px * 0.012)
    for sign in (-1, 1):
        hole = ellipse(
            base + step(sign * w * 0.5 + side * w * 0.6, 0), w * 0.22, w * 0.14, count=10
        )
        canvas.dab([hole], scaled(face.skin, 0.4), 0.8, owner=owner)
    under = ellipse(base + step(0, 0.02 * px), w * 1.0, w * 0.35)
    canvas.dab([under], dark, 0.4, owner=owner, blur=px * 0.014)


def _mouth(canvas: Canvas, head: HeadFrame, face: Face, owner: int) -> None:
    px, spread = head.px, 17 * face.mouth
    left, right = head.on(-spread, 0.315), head.on(spread, 0.315)
    mid = head.on(0, 0.32) + head.right * np.float32(0.02 * np.sin(head.yaw))
    lift = np.array([0, -0.02 * px * face.smile], np.float32)
    left, right = left + lift, right + lift
    up, low = 0.024 * px, 0.038 * px
    upper = smooth(points([left, mid - step(0.02 * px, up), mid - step(0, up * 0.7)]), closed=False)
    upper = np.concatenate([upper, points([mid + step(0.02 * px, -up), right, mid])])
    lower = smooth(points([left, mid, right, mid + step(0, low)]), steps=4)
    canvas.dab([upper], scaled(face.lips, 0.85), 0.9, owner=owner)
    canvas.dab([lower], face.lips, 0.9, owner=owner)
    line = smooth(points([left, mid + step(0, 0.004 * px), right]), closed=False)
    canvas.stroke(line, scaled(face.lips, 0.45), 0.012 * px, 0.9, owner=owner)
    chin = ellipse(mid + step(0, 0.075 * px), 0.07 * px, 0.02 * px)
    canvas.dab([chin], scaled(face.skin, 0.78), 0.4, owner=owner, blur=px * 0.02)


def _beard(canvas: Canvas, head: HeadFrame, face: Face, owner: int) -> None:
    rim = [(-72, 0.1), (-60, 0.28), (-34, 0.27), (0, 0.235), (34, 0.27), (60, 0.28), (72, 0.1)]
    rim += [(68, 0.34), (40, 0.47), (0, 0.51), (-40, 0.47), (-68, 0.34)]
    shape = smooth(points([head.on(a, v) for a, v in rim]), steps=3)
    canvas.dab([shape], face.hair, face.beard, owner=owner, blur=head.px * 0.018)
