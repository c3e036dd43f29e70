"""Poses as bone directions, in degrees, before the body is turned to the camera.

A direction is (outward, forward): 0, 0 points straight down; outward lifts sideways away from the
body, forward lifts towards where the person looks. 180 is straight up.
"""

from dataclasses import dataclass

import numpy as np

Direction = tuple[float, float]


@dataclass(frozen=True)
class Limb:
    """Upper and lower bone of an arm or leg, and for arms whether the hand is in a pocket."""

    upper: Direction
    lower: Direction
    hidden_hand: bool = False


@dataclass(frozen=True)
class Pose:
    """Arms and legs (left is on the right of a frontal picture), lean and hips.

    `sway` shifts the hips sideways and `tilt` drops one hip, in degrees; `lean` bends forward.
    """

    arms: tuple[Limb, Limb]
    legs: tuple[Limb, Limb]
    seated: bool = False
    lean: float = 0.0
    tilt: float = 0.0
    step: float = 0.0


def _arm(rng: np.random.Generator, kind: str) -> Limb:
    def j(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    arms = {
        "down": Limb((j(5, 14), j(-8, 6)), (j(0, 8), j(5, 25))),
        "akimbo": Limb((j(38, 52), j(-25, -10)), (j(-62, -42), j(5, 25))),
        "up": Limb((j(135, 165), j(0, 20)), (j(150, 200), j(0, 20))),
        "out": Limb((j(55, 95), j(-5, 15)), (j(40, 120), j(0, 30))),
        "wave": Limb((j(60, 95), j(0, 20)), (j(140, 185), j(5, 20))),
        "crossed": Limb((j(8, 18), j(18, 30)), (j(-100, -80), j(25, 45))),
        "pocket": Limb((j(14, 24), j(-16, -8)), (j(-20, -6), j(8, 20)), True),
        "phone": Limb((j(4, 14), j(10, 28)), (j(-30, -8), j(95, 125))),
        "strap": Limb((j(10, 20), j(8, 20)), (j(-30, -12), j(140, 160))),
        "front": Limb((j(4, 10), j(5, 18)), (j(-50, -28), j(20, 45))),
        "swing": Limb((j(3, 9), j(-30, -12)), (j(0, 5), j(-10, 5))),
        "fore": Limb((j(3, 9), j(12, 28)), (j(-8, 2), j(30, 60))),
    }
    return arms[kind]


ARM_PAIRS = (
    ("down", "down", 5.0),
    ("down", "akimbo", 1.2),
    ("akimbo", "akimbo", 1.0),
    ("down", "pocket", 1.5),
    ("pocket", "pocket", 1.2),
    ("crossed", "crossed", 1.0),
    ("up", "up", 0.5),
    ("down", "up", 0.4),
    ("wave", "down", 0.8),
    ("out", "out", 0.5),
    ("phone", "down", 0.8),
    ("strap", "down", 1.2),
    ("front", "front", 1.2),
    ("fore", "swing", 1.0),
)


def _legs(rng: np.random.Generator, kind: str) -> tuple[Limb, Limb]:
    def j(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    if kind == "walk":
        front, back = j(10, 26), j(-24, -8)
        return (
            Limb((j(0, 3), front), (j(-1, 2), front - j(4, 14))),
            Limb((j(0, 3), back), (j(-1, 2), back - j(8, 32))),
        )
    if kind == "contrapposto":
        return (
            Limb((j(0, 3), 0), (j(-2, 1), j(-3, 0))),
            Limb((j(8, 15), j(8, 18)), (j(-2, 5), j(-16, -6))),
        )
    if kind == "wide":
        a = j(9, 17)
        return Limb((a, 0), (a - 2, -2)), Limb((a, j(0, 6)), (a - 3, -4))
    if kind == "crossed":
        return (
            Limb((j(-6, -2), j(2, 8)), (j(-10, -5), j(-4, 2))),
            Limb((j(-2, 2), 0), (j(-4, 0), -2)),
        )
    if kind == "seated":
        a = j(68, 84)
        return (
            Limb((j(4, 14), a), (j(-4, 8), j(-12, 12))),
            Limb((j(4, 14), a + j(-4, 4)), (j(-4, 8), j(-12, 18))),
        )
    a = j(1, 5)
    return Limb((a, j(-1, 2)), (j(-1, 2), -2)), Limb((a, j(0, 4)), (j(-1, 2), -4))


def random_pose(rng: np.random.Generator, seated: bool) -> Pose:
    """A pose drawn from standing, walking, contrapposto, wide, crossed legs, or seated."""
    kind = "seated"
    if not seated:
        odds = [0.34, 0.26, 0.18, 0.12, 0.10]
        kind = str(rng.choice(["stand", "walk", "contrapposto", "wide", "crossed"], p=odds))
    weights = np.array([w for _, _, w in ARM_PAIRS])
    pair = ARM_PAIRS[int(rng.choice(len(ARM_PAIRS), p=weights / weights.sum()))]
    names = ("fore", "swing") if kind == "walk" and rng.random() < 0.6 else pair[:2]
    if seated:
        names = ("front", "front") if rng.random() < 0.6 else ("down", "phone")
    left, right = _arm(rng, names[0]), _arm(rng, names[1])
    legs = _legs(rng, kind)
    if rng.random() < 0.5:
        left, right = right, left
    if rng.random() < 0.5:
        legs = (legs[1], legs[0])
    tilt = 0.0
    if kind == "contrapposto":
        straight_left = abs(legs[0].upper[0]) < 4
        tilt = float(rng.uniform(3, 7)) * (1 if straight_left else -1)
    lean = float(rng.uniform(-3, 5)) + (float(rng.uniform(0, 12)) if seated else 0)
    return Pose((left, right), legs, seated, lean, tilt)
