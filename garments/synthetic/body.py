"""A body in space: bones, cross-sections, and where they fall in the picture.

Lengths are shares of the standing height; the skeleton is built in three dimensions (x right,
y down, z towards the camera), turned by `yaw`, seen from slightly above, and projected without
perspective. Proportions follow the eight-head canon of figure drawing, loosened by chance.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from garments.synthetic.poses import Direction, Limb, Pose

Vector = NDArray[np.float64]

LEFT, RIGHT = 0, 1
SIDES = (LEFT, RIGHT)


@dataclass(frozen=True)
class Build:
    """Body shape: `weight` -1 slim .. 1 heavy, `hips` 0 straight .. 1 curved, child or not."""

    weight: float = 0.0
    hips: float = 0.5
    child: bool = False

    @property
    def head(self) -> float:
        """Height of the head."""
        return 0.165 if self.child else 0.132

    @property
    def girth(self) -> float:
        """Factor on all widths."""
        return (1.0 + 0.2 * self.weight) * (1.08 if self.child else 1.0)


@dataclass
class Rig:
    """Joints in pixels: name -> (x, y, z), with `height` the standing height in pixels.

    Arm and leg joints carry their side as a suffix: `shoulder0` is the person's left, on the
    right of a frontal picture. `yaw` is in radians: 0 faces the camera, pi/2 faces right.
    """

    build: Build
    pose: Pose
    yaw: float
    height: float
    joints: dict[str, Vector]
    girths: dict[str, tuple[float, float]] = field(default_factory=dict)

    def xy(self, name: str) -> NDArray[np.float32]:
        """Picture position of a joint."""
        return self.joints[name][:2].astype(np.float32)

    def z(self, name: str) -> float:
        """Depth of a joint in pixels, larger is nearer."""
        return float(self.joints[name][2])

    @property
    def facing(self) -> float:
        """Cosine of the yaw: 1 faces the camera, -1 shows the back."""
        return float(np.cos(self.yaw))

    @property
    def sideways(self) -> float:
        """Sine of the yaw: 1 faces right."""
        return float(np.sin(self.yaw))

    def px(self, share: float) -> float:
        """A share of the height in pixels."""
        return share * self.height

    def half_width(self, level: str) -> float:
        """Half of the visible width of the trunk at a level, in pixels."""
        breadth, depth = self.girths[level]
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return float(np.hypot(breadth * c, depth * s)) * self.height

    def across(self) -> NDArray[np.float32]:
        """Unit direction across the shoulders in the picture, from image left to right."""
        d = self.xy("shoulder0") - self.xy("shoulder1")
        if self.facing < 0:
            d = -d
        roll = np.arctan2(d[1], max(abs(float(d[0])), 0.12 * self.height))
        return np.array([np.cos(roll), np.sin(roll)], np.float32)

    def moved(self, dx: float, dy: float) -> None:
        """Shift the whole body by pixels."""
        for joint in self.joints.values():
            joint[:2] += (dx, dy)

    def lowest(self) -> float:
        """Y of the lowest sole."""
        return max(
            float(self.joints[f"{name}{side}"][1]) for name in ("heel", "toe") for side in SIDES
        )


def _bone(direction: Direction, side: int) -> Vector:
    out, forward = np.radians(direction)
    sign = 1.0 if side == LEFT else -1.0
    return np.array(
        [sign * np.sin(out), np.cos(out) * np.cos(forward), np.cos(out) * np.sin(forward)]
    )


def _lean(vector: Vector, degrees: float) -> Vector:
    a = np.radians(degrees)
    x, y, z = vector
    return np.array([x, y * np.cos(a) + z * np.sin(a), z * np.cos(a) - y * np.sin(a)])


def _roll(vector: Vector, degrees: float) -> Vector:
    a = np.radians(degrees)
    x, y, z = vector
    return np.array([x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a), z])


def _girths(build: Build) -> dict[str, tuple[float, float]]:
    g, h = build.girth, build.hips
    broad = 0.108 - 0.014 * h
    heavy = 1 + 0.12 * max(build.weight, 0)
    return {
        "neck": (0.031 * g**0.5 * (1 - 0.12 * h), 0.033 * g**0.5),
        "shoulder": (broad * g**0.5, 0.050 * g),
        "chest": (0.092 * g * (1 - 0.06 * h), 0.066 * g * (1 + 0.08 * h)),
        "ribs": (0.084 * g * (1 - 0.06 * h), 0.062 * g),
        "waist": (0.080 * g * heavy * (1 - 0.15 * h), 0.056 * g * heavy),
        "hip": (0.090 * g * (1 + 0.07 * h), 0.068 * g),
        "crotch": (0.088 * g * (1 + 0.06 * h), 0.066 * g),
    }


def _trunk(build: Build, pose: Pose) -> dict[str, Vector]:
    """Trunk joints with the pelvis at the origin."""
    broad = (0.108 - 0.014 * build.hips) * build.girth**0.5
    up = {"crotch": -0.045, "hip": -0.005, "waist": 0.085, "ribs": 0.15, "chest": 0.22}
    up |= {"shoulder": 0.295, "neck": 0.322}
    joints = {}
    for name, height in up.items():
        bent = _lean(np.array([0, -height, 0.0]), pose.lean if height > 0 else 0)
        joints[name] = _roll(bent, -0.6 * pose.tilt if height > 0.05 else 0.5 * pose.tilt)
    for side, sign in ((LEFT, 1.0), (RIGHT, -1.0)):
        arm = _lean(np.array([sign * 0.88 * broad, -0.270, 0.0]), pose.lean)
        joints[f"shoulder{side}"] = _roll(arm, -0.6 * pose.tilt)
        joints[f"hip{side}"] = _roll(np.array([sign * 0.046 * build.girth, 0.0, 0.0]), pose.tilt)
    chin_gap = 0.028
    chin = joints["neck"] + np.array([0, -chin_gap, 0.012])
    joints["chin"] = chin
    joints["head"] = chin + np.array([0, -0.5 * build.head, -0.004])
    joints["crown"] = chin + np.array([0, -build.head, -0.006])
    return joints


def _limbs(joints: dict[str, Vector], pose: Pose, build: Build) -> None:
    short = 0.93 if build.child else 1.0
    for side in SIDES:
        arm, leg = pose.arms[side], pose.legs[side]
        _chain(joints, side, arm, ("shoulder", "elbow", "wrist"), (0.168 * short, 0.142 * short))
        joints[f"hand{side}"] = joints[f"wrist{side}"] + 0.088 * _bone(arm.lower, side)
        _chain(joints, side, leg, ("hip", "knee", "ankle"), (0.242 * short, 0.232 * short))
        ankle = joints[f"ankle{side}"]
        sign = 1.0 if side == LEFT else -1.0
        lift = min(0.0, leg.lower[1] + 6) * 0.014 if not pose.seated else 0.0
        front = np.array([sign * 0.32, 0.0, 1.0])
        front /= np.linalg.norm(front)
        joints[f"heel{side}"] = ankle + np.array([0, 0.034 + 0.02 * lift, 0]) - 0.026 * front
        joints[f"toe{side}"] = ankle + np.array([0, 0.040, 0]) + 0.098 * front


def _chain(
    joints: dict[str, Vector],
    side: int,
    limb: Limb,
    names: tuple[str, str, str],
    lengths: tuple[float, float],
) -> None:
    root, middle, end = (f"{name}{side}" for name in names)
    joints[middle] = joints[root] + lengths[0] * _bone(limb.upper, side)
    joints[end] = joints[middle] + lengths[1] * _bone(limb.lower, side)


def make_rig(build: Build, pose: Pose, yaw: float, height: float, above: float) -> Rig:
    """Project a body of `height` px, turned by `yaw`, seen from `above` radians over eye level.

    The picture origin is the pelvis; move it with `Rig.moved`.
    """
    joints = _trunk(build, pose)
    _limbs(joints, pose, build)
    c, s, ca, sa = np.cos(yaw), np.sin(yaw), np.cos(above), np.sin(above)
    seen = {}
    for name, (x, y, z) in joints.items():
        turned_x, turned_z = x * c + z * s, z * c - x * s
        seen[name] = height * np.array([turned_x, y * ca + turned_z * sa, turned_z * ca - y * sa])
    return Rig(build, pose, yaw, height, seen, _girths(build))
