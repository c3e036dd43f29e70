"""Where labels go in a picture: beside their box, over no other label, never out of the picture."""

from collections.abc import Iterator, Sequence
from math import hypot
from typing import NamedTuple

from garments.boxes import Box

LABEL_COST, HEAD_COST, OTHER_COST, OWN_COST = 12.0, 4.0, 2.0, 0.7
"""What it costs to cover another label, a head, another garment, the own one: by the share of the
label that does."""

AWAY_COST = 6.0
"""What it costs to lie away from the own box, by the share of the picture's diagonal."""

ORDER_COST = 0.03
"""What each place costs that comes after a better one."""


class Place(NamedTuple):
    """Where a label lies; `line` leads from there to its box where they do not touch."""

    box: Box
    line: tuple[float, float, float, float] | None


class Wanted(NamedTuple):
    """A label of that width and height for a box."""

    box: Box
    width: float
    height: float


def places(
    wanted: Sequence[Wanted], heads: Sequence[Box], width: float, height: float
) -> list[Place]:
    """A place for each label within a picture of `width` x `height`, covering as little as can be.

    Boxes are xyxy in the picture's pixels; a label that is larger than the picture starts in its
    upper left corner. From top to bottom each takes what is best beside those before it.
    """
    order = sorted(range(len(wanted)), key=lambda at: (wanted[at].box.y1, wanted[at].box.x1))
    taken: list[Box] = []
    found: dict[int, Place] = {}
    for at in order:
        others = [one.box for place, one in enumerate(wanted) if place != at]
        best = _best(wanted[at], taken, heads, others, (width, height))
        taken.append(best)
        found[at] = Place(best, _line(best, wanted[at].box))
    return [found[at] for at in range(len(wanted))]


def _best(
    one: Wanted,
    taken: Sequence[Box],
    heads: Sequence[Box],
    others: Sequence[Box],
    size: tuple[float, float],
) -> Box:
    diagonal = hypot(*size)

    def cost(item: tuple[int, Box]) -> float:
        order, place = item
        covered = (
            LABEL_COST * _covered(place, taken)
            + HEAD_COST * _covered(place, heads)
            + OTHER_COST * _covered(place, others)
            + OWN_COST * _covered(place, [one.box])
        )
        away = AWAY_COST * _gap(place, one.box) / diagonal
        return covered + away + ORDER_COST * min(order, 8)

    return min(enumerate(_candidates(one, *size)), key=cost)[1]


def _candidates(one: Wanted, width: float, height: float) -> Iterator[Box]:
    """Places for a label, the customary ones first, then all around the box."""
    box, w, h = one.box, one.width, one.height
    at = [
        (box.x1, box.y1 - h),
        (box.x2 - w, box.y1 - h),
        (box.x1, box.y1),
        (box.x1, box.y2),
        (box.x2 - w, box.y2),
        (box.x2, box.y1),
        (box.x1 - w, box.y1),
        (box.x1, box.y2 - h),
    ]
    steps = max(1, int((height - h) // (h / 2)))
    rows = [(height - h) * step / steps for step in range(steps + 1)] if height > h else [0.0]
    columns = [box.x1, box.x2, box.x1 - w, box.x2 - w, 0.0, width - w]
    at += [(x, y) for y in rows for x in columns]
    for x, y in at:
        x, y = max(0.0, min(x, width - w)), max(0.0, min(y, height - h))
        yield Box(x, y, x + w, y + h)


def _covered(place: Box, boxes: Sequence[Box]) -> float:
    """How often the place is covered by boxes, in shares of its area."""
    return sum(_common(place, box) for box in boxes) / place.area


def _common(a: Box, b: Box) -> float:
    across, down = min(a.x2, b.x2) - max(a.x1, b.x1), min(a.y2, b.y2) - max(a.y1, b.y1)
    return max(0.0, across) * max(0.0, down)


def _gap(a: Box, b: Box) -> float:
    """Pixels between two boxes, 0 where they touch."""
    return hypot(max(0.0, a.x1 - b.x2, b.x1 - a.x2), max(0.0, a.y1 - b.y2, b.y1 - a.y2))


def _line(place: Box, box: Box) -> tuple[float, float, float, float] | None:
    """The shortest line from a label to its box, None where they touch."""
    if _gap(place, box) <= 1:
        return None
    x1, x2 = _nearest(place.x1, place.x2, box.x1, box.x2)
    y1, y2 = _nearest(place.y1, place.y2, box.y1, box.y2)
    return x1, y1, x2, y2


def _nearest(low: float, high: float, other_low: float, other_high: float) -> tuple[float, float]:
    """The points of two ranges that are nearest to each other; the middle of what they share."""
    if high < other_low:
        return high, other_low
    if other_high < low:
        return low, other_high
    middle = (max(low, other_low) + min(high, other_high)) / 2
    return middle, middle
