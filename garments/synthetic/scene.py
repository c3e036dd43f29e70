"""A whole street picture: who stands where, behind what, in front of which backdrop."""

import cv2
import numpy as np

from garments.boxes import Box
from garments.errors import BadSetting
from garments.synthetic import truth
from garments.synthetic.backdrops import BACKDROPS
from garments.synthetic.background import Backdrop
from garments.synthetic.canvas import Canvas
from garments.synthetic.looks import Look, find_look
from garments.synthetic.person import Figure, paint_figure, random_figure
from garments.synthetic.photo import expose
from garments.synthetic.props import paint_prop, paint_seat_prop
from garments.synthetic.shapes import ellipse, step
from garments.synthetic.truth import Street

PEOPLE_ODDS = (0.52, 0.24, 0.13, 0.07, 0.04)
"""Chances of one to five people."""
SHOTS = ("full", "half", "bust", "close", "torso", "legs", "far")
SHOT_ODDS = (0.60, 0.12, 0.07, 0.05, 0.03, 0.04, 0.09)
"""How a single person is framed."""


def draw_street(
    seed: int,
    look: str = "train",
    size: tuple[int, int] | None = None,
    people: int | None = None,
    scene: str | None = None,
) -> Street:
    """Draw the street picture number `seed` of a look; the same call gives the same bytes.

    `size` is (width, height) in pixels, `people` 1..5, `scene` a backdrop of the look and
    otherwise all are drawn by chance (longer side 384..640). People of whom almost nothing can be
    seen are not in the truth. Raises `BadSetting` for an unknown look or scene or a bad number.
    """
    chosen = find_look(look)
    if people is not None and not 1 <= people <= 5:
        raise BadSetting(f"expected 1 to 5 people, but got {people}: choose a number in between")
    if scene is not None and scene not in chosen.backdrops:
        known = ", ".join(chosen.backdrops)
        raise BadSetting(f"expected a scene of {known}, but got {scene!r}: choose one of them")
    if size is not None and not all(64 <= side <= 4096 for side in size):
        raise BadSetting(f"expected a size of 64 to 4096 pixels a side, but got {size}")
    rng = np.random.default_rng([seed, 1 if look == "train" else 2])
    count = people or 1 + int(rng.choice(len(PEOPLE_ODDS), p=PEOPLE_ODDS))
    width, height = size or _size(rng, count)
    return _draw(rng, chosen, width, height, count, scene)


def _size(rng: np.random.Generator, people: int) -> tuple[int, int]:
    longer = int(rng.integers(384, 641))
    shorter = int(longer * rng.uniform(0.58, 0.85))
    landscape = rng.random() < (0.18, 0.4, 0.6, 0.7, 0.8)[people - 1]
    return (longer, shorter) if landscape else (shorter, longer)


def _draw(
    rng: np.random.Generator, look: Look, width: int, height: int, count: int, scene: str | None
) -> Street:
    shot = "full"
    if count == 1 or rng.random() < 0.25:
        shot = str(rng.choice(SHOTS, p=SHOT_ODDS))
    horizon = float(rng.uniform(0.42, 0.72)) * height
    canvas = Canvas(_backdrop(rng, look, width, height, horizon, scene))
    side = -1.0 if rng.random() < 0.5 else 1.0
    canvas.light = (side * float(rng.uniform(0.4, 0.9)), -float(rng.uniform(0.3, 0.8)))
    figures = _cast(rng, look, canvas, count, shot, horizon)
    boxes = []
    for owner, figure in enumerate(figures, 1):
        boxes.append(_paint(rng, canvas, figure, owner))
    if shot == "full" and rng.random() < 0.22:
        paint_prop(canvas, rng)
    return _street(rng, canvas, figures, boxes)


def _backdrop(
    rng: np.random.Generator, look: Look, width: int, height: int, horizon: float, scene: str | None
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    name = scene or str(rng.choice(look.backdrops))
    drop = Backdrop(np.zeros((height, width, 3), np.float32), horizon, rng)
    BACKDROPS[name](drop)
    blur = float(rng.choice([0.5, 1.0, 2.0, 4.0, 8.0])) * width / 400
    small = cv2.resize(drop.pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    if blur < 1.2:
        return np.asarray(cv2.GaussianBlur(drop.pixels, (3, 3), 0.6))
    soft = cv2.GaussianBlur(small, (0, 0), blur / 2)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR))


def _cast(
    rng: np.random.Generator, look: Look, canvas: Canvas, count: int, shot: str, horizon: float
) -> list[Figure]:
    """Everybody in the picture, placed, the farthest first."""
    width, height = canvas.size
    figures, first = [], 1
    base = _tall(rng, shot, width, height)
    for k in range(count):
        seated = shot == "full" and rng.random() < 0.09
        tall = base * float(rng.uniform(0.86, 1.1)) if k == 0 or rng.random() < 0.75 else (
            base * float(rng.uniform(0.3, 0.8)))  # fmt: skip
        figure = random_figure(rng, look, tall, first, seated, shot in ("bust", "close"))
        first += len(figure.outfit.items()) + 1
        _place(rng, figure, canvas.size, shot, (k + 0.5) / count, horizon)
        figures.append(figure)
    return sorted(figures, key=lambda f: f.rig.lowest())


def _tall(rng: np.random.Generator, shot: str, width: int, height: int) -> float:
    """Standing height in pixels for a shot."""
    share = {
        "full": (0.45, 0.92), "half": (1.1, 1.7), "bust": (2.1, 3.4), "close": (3.4, 5.5),
        "torso": (2.4, 4.0), "legs": (0.9, 1.7), "far": (0.12, 0.3),
    }[shot]  # fmt: skip
    low, high = share
    if shot == "full" and rng.random() < 0.6:
        low = 0.7
    tall = height * float(rng.uniform(low, high))
    return tall if shot in ("full", "far") else min(tall, 1.9 * width * share[1] / share[0])


def _place(
    rng: np.random.Generator,
    figure: Figure,
    size: tuple[int, int],
    shot: str,
    slot: float,
    horizon: float,
) -> None:
    width, height = size
    rig = figure.rig
    rig.moved(0, 0)
    spread = 0.12 if shot in ("full", "far") else 0.08
    x = width * float(np.clip(rng.normal(slot, spread), -0.05, 1.05))
    if shot in ("full", "far"):
        room = height - rig.height
        sole = rig.height + room * float(rng.uniform(0.3, 0.97))
        sole = max(sole, min(horizon + 0.06 * height, height - 2.0))
        rig.moved(x, sole - rig.lowest())
    elif shot in ("half", "bust", "close"):
        top = float(rig.joints["crown"][1])
        rig.moved(x, height * float(rng.uniform(0.04, 0.16)) - top)
    elif shot == "torso":
        rig.moved(x, height * float(rng.uniform(0.6, 1.0)) - float(rig.joints["waist"][1]))
    else:
        chin = float(rig.joints["chin"][1])
        rig.moved(x, -height * float(rng.uniform(0.02, 0.2)) - chin)


def _paint(rng: np.random.Generator, canvas: Canvas, figure: Figure, owner: int) -> Box:
    """Shadow, seat, person; returns the full extent, hidden and cut-off parts included."""
    rig = figure.rig
    if rig.pose.seated:
        paint_seat_prop(canvas, rng, rig)
    feet = np.mean([rig.xy("ankle0"), rig.xy("ankle1")], 0) + step(0, rig.px(0.03))
    reach = rig.px(float(rng.uniform(0.1, 0.16)))
    drift = -canvas.light[0] * reach * 0.5
    blob = ellipse(feet + step(drift, 0), reach, reach * 0.22)
    canvas.dab([blob], (20, 20, 24), 0.5, blur=rig.px(0.018))
    canvas.track()
    paint_figure(canvas, figure, owner)
    return Box(*canvas.track())


def _street(
    rng: np.random.Generator, canvas: Canvas, figures: list[Figure], boxes: list[Box]
) -> Street:
    people, owner = [], np.zeros_like(canvas.owner)
    for k, (figure, box) in enumerate(zip(figures, boxes, strict=True), 1):
        person = truth.read_person(figure, box, canvas.owner, canvas.garment, k)
        if person is not None:
            people.append(person)
            owner[canvas.owner == k] = len(people)
    labels = truth.clean(canvas.labels, owner)
    return Street(expose(rng, canvas.pixels), labels, owner, tuple(people))
