"""What the reader of a public set hands on, whatever the set is like."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curate.imports.words import Words
from garments.boxes import Box
from garments.parts import Region
from garments.records import Verdict


@dataclass(frozen=True, eq=False)
class Figure:
    """A person as labelled: box (xyxy pixels of the photo), verdict and its reason in words."""

    box: Box
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Piece:
    """A garment as labelled: `values` by attribute of the taxonomy.

    `key` names it within its photo, and so does `figure` its wearer, by place, None without one.
    `mask` (h, w) bool, without empty margins, lies at (`left`, `top`) of the photo; without a mask
    the whole photo shows the garment.
    """

    key: str
    region: Region
    values: Mapping[str, str]
    mask: NDArray[np.bool_] | None = None
    left: int = 0
    top: int = 0
    figure: int | None = None


@dataclass(frozen=True, eq=False)
class Look:
    """What a set says about one photo; `size` (width, height) is the one it speaks of, if any.

    `outside` says why the photo shows nothing that the taxonomy describes.
    """

    size: tuple[int, int] | None = None
    figures: tuple[Figure, ...] = ()
    pieces: tuple[Piece, ...] = ()
    words: Words = field(default_factory=Words)
    outside: str = ""


@dataclass(frozen=True, eq=False)
class Entry:
    """One photo of a set. `key` names it in the set; `look` reads its labels, or raises `BadInput`.

    `split` and `licence` are as the source states them.
    """

    key: str
    path: Path
    look: Callable[[], Look]
    split: str = ""
    licence: str = ""


@dataclass(frozen=True, eq=False)
class PublicSet:
    """A set ready to be imported. `edition` hashes what its labels are read from.

    `cuts` is false where the set knows no garments, so that it has nothing to say about those that
    a photo has.
    """

    name: str
    entries: Sequence[Entry]
    edition: str
    cuts: bool = True
