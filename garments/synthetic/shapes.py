"""Outlines in the plane: float32 polygons of shape (N, 2), xy in pixels, y down."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float32]

SUBPIXEL = 4
"""Fraction bits of polygon coordinates handed to OpenCV: outlines are placed to 1/16 px."""


def points(values: ArrayLike) -> Points:
    """`values` as an (N, 2) float32 array."""
    return np.asarray(values, np.float32).reshape(-1, 2)


def step(dx: float, dy: float) -> Points:
    """An offset of `dx`, `dy` pixels, to add to points."""
    return np.array([dx, dy], np.float32)


def unit(vector: ArrayLike) -> Points:
    """`vector` (2,) scaled to length 1; straight down where it has no length."""
    v = np.asarray(vector, np.float32)
    length = float(np.hypot(v[0], v[1]))
    return np.asarray(v / length if length > 1e-6 else (0, 1), np.float32)


def normal(vector: ArrayLike) -> Points:
    """Unit vector a quarter turn from `vector` (2,)."""
    d = unit(vector)
    return np.array([-d[1], d[0]], np.float32)


def smooth(outline: ArrayLike, closed: bool = True, steps: int = 5) -> Points:
    """Catmull-Rom spline through `outline` (N, 2) with `steps` samples a knot."""
    p = points(outline)
    if closed:
        a, b, c, d = np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)
    else:
        q = np.concatenate([p[:1], p, p[-1:]])
        a, b, c, d = q[:-3], q[1:-2], q[2:-1], q[3:]
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    a, b, c, d = a[:, None], b[:, None], c[:, None], d[:, None]
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    curve = curve.reshape(-1, 2)
    return points(curve if closed else np.concatenate([curve, p[-1:]]))


def ribbon(
    start: ArrayLike,
    end: ArrayLike,
    radii: Sequence[float],
    bow: float = 0.0,
    cap: float = 0.35,
    span: tuple[float, float] = (0.0, 1.0),
) -> Points:
    """Limb-like outline from `start` to `end`.

    `radii` are half widths in pixels at even steps along it, `bow` bends it sideways by that many
    pixels, `cap` rounds its far end (share of the last radius), `span` keeps a piece of it.
    """
    a, b = np.asarray(start, np.float32), np.asarray(end, np.float32)
    t = np.linspace(span[0], span[1], 9, dtype=np.float32)
    r = np.interp(t, np.linspace(0, 1, len(radii)), radii).astype(np.float32)[:, None]
    n, d = normal(b - a), unit(b - a)
    axis = a + (b - a) * t[:, None] + n * (bow * np.sin(np.pi * t))[:, None]
    arc = np.linspace(-np.pi / 2, np.pi / 2, 7, dtype=np.float32)[1:-1, None]
    last = axis[-1] + r[-1] * (-np.sin(arc) * n + np.cos(arc) * d * cap)
    return points(np.concatenate([axis + n * r, last, (axis - n * r)[::-1]]))


def ellipse(center: ArrayLike, rx: float, ry: float, angle: float = 0.0, count: int = 24) -> Points:
    """Ellipse of radii `rx`, `ry` pixels turned by `angle` radians."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False, dtype=np.float32)
    x, y = rx * np.cos(t), ry * np.sin(t)
    c, s = np.cos(angle), np.sin(angle)
    turned = np.stack([c * x - s * y, s * x + c * y], 1)
    return (turned + np.asarray(center, np.float32)).astype(np.float32)


def hull(*outlines: ArrayLike) -> Points:
    """Convex hull of all points given."""
    cloud = np.concatenate([points(o) for o in outlines])
    return points(cv2.convexHull(cloud))


def extent(outlines: Sequence[Points]) -> tuple[float, float, float, float]:
    """Smallest box x1, y1, x2, y2 around the outlines, not cut to any picture."""
    cloud = np.concatenate(list(outlines))
    low, high = cloud.min(0), cloud.max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def fill(mask: NDArray[np.uint8], outlines: Sequence[Points], shift: tuple[int, int]) -> None:
    """Fill the union of `outlines`, anti-aliased, into `mask` whose origin is at `shift` (x, y)."""
    offset = np.array(shift, np.float32)
    for outline in outlines:
        fixed = np.round((outline - offset - 0.5) * (1 << SUBPIXEL)).astype(np.int32)
        cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_AA, SUBPIXEL)
