"""What a tagger gets most wrong: its surest wrong answers as pictures, and its confusions."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from finetune.evaluate.figures import Scored, confusion
from finetune.evaluate.held_out import HeldOut
from garments.errors import BadInput
from garments.images import decode, encode_jpeg

WORST = 12
"""Wrong answers that are shown of one attribute."""

SIDE, QUALITY = 176, 84
"""Longer side in pixels of a crop on the page, and its JPEG quality."""

NOTHING = "no value possible"


@dataclass(frozen=True)
class Failure:
    """A crop as data URI, what people say, what the tagger said, and how sure it was in [0, 1]."""

    source: str
    garment_id: str
    region: str
    truth: str
    said: str
    confidence: float
    abstained: bool


@dataclass(frozen=True)
class Confusion:
    """How often what is `truth` was called `said`; `share` is of all that is `truth`."""

    truth: str
    said: str
    count: int
    share: float


def worst(scored: Scored, held_out: HeldOut, most: int = WORST) -> list[Failure]:
    """The surest wrong answers, the surest first."""
    wrong = np.flatnonzero(~scored.right)
    order = wrong[np.argsort(-scored.confidence[wrong], kind="stable")][:most]
    pictures = held_out.pictures([int(row) for row in scored.rows[order]])
    return [_failure(scored, held_out, int(place), pictures) for place in order]


def _failure(
    scored: Scored, held_out: HeldOut, place: int, pictures: Mapping[int, bytes]
) -> Failure:
    row = int(scored.rows[place])
    titles = np.array([value.title for value in scored.attribute.values], object)
    chosen = titles[scored.chosen[place]].tolist()
    return Failure(
        _data_uri(pictures[row]),
        held_out.garment_ids[row],
        held_out.regions[row],
        " + ".join(titles[scored.truth[place]].tolist()),
        " + ".join(chosen) or NOTHING,
        float(scored.confidence[place]),
        bool(scored.abstained[place]),
    )


def _data_uri(picture: bytes) -> str:
    try:
        small = encode_jpeg(decode(picture, longest=SIDE).pixels, QUALITY)
    except BadInput:
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(small).decode()}"


def confusions(scored: Scored, most: int = 10) -> list[Confusion]:
    """What is taken for what most often."""
    counts = confusion(scored)
    titles = [*(value.title for value in scored.attribute.values), NOTHING]
    all_of = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    places = zip(*np.unravel_index(order, counts.shape), strict=True)
    return [
        Confusion(titles[a], titles[b], int(counts[a, b]), float(counts[a, b] / all_of[a]))
        for a, b in ((int(one), int(other)) for one, other in places)
        if counts[a, b]
    ]


@dataclass(frozen=True)
class Cell:
    """One cell of a confusion matrix: place, count, and its share of the row in [0, 1]."""

    x: int
    y: int
    count: int
    share: float
    title: str


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix over the values that occur, rows labelled, columns said."""

    names: tuple[str, ...]
    cells: tuple[Cell, ...]


def matrix(scored: Scored, most: int = 24) -> Matrix:
    """The `most` commonest values, labelled or said, in the taxonomy's order."""
    width = len(scored.attribute.ids)
    counts = confusion(scored)[:, :width]
    weight = counts.sum(axis=0) + counts.sum(axis=1)
    there = np.sort(np.argsort(-weight, kind="stable")[: min(most, int((weight > 0).sum()))])
    names = tuple(scored.attribute.values[place].title for place in there.tolist())
    some = counts[np.ix_(there, there)]
    share = some / np.maximum(counts[there].sum(axis=1, keepdims=True), 1)
    cells = [
        Cell(x, y, int(some[y, x]), float(share[y, x]), f"{names[y]} called {names[x]}")
        for y, x in np.argwhere(some).tolist()
    ]
    return Matrix(names, tuple(cells))
