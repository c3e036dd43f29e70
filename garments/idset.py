"""Many ids in little memory: a run over millions of photos keeps in mind which it has seen."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from garments.ids import ID_LENGTH, stable_id

FEW = 65_536
"""Ids that came one by one are put into order when so many have, or an eighth of all."""


class IdSet:
    """A set of ids at some 16 bytes each, where a set of texts takes 120.

    An id of 16 hexadecimal digits is kept as the number that it is, another text as its hash.
    """

    def __init__(self, ids: Iterable[str] = ()) -> None:
        """Begin with these; they are drawn a part at a time."""
        self._ordered: NDArray[np.uint64] = np.unique(np.concatenate([_none(), *_parts(ids)]))
        self._new: set[int] = set()

    def add(self, name: str) -> None:
        """Take one id in."""
        if name in self:
            return
        self._new.add(_number(name))
        if len(self._new) >= max(FEW, len(self._ordered) // 8):
            late = np.fromiter(self._new, np.uint64, len(self._new))
            self._ordered = np.concatenate([self._ordered, late])
            self._ordered.sort()
            self._new = set()

    def __contains__(self, name: str) -> bool:
        number = _number(name)
        if number in self._new:
            return True
        place = int(np.searchsorted(self._ordered, np.uint64(number)))
        return place < len(self._ordered) and int(self._ordered[place]) == number

    def __len__(self) -> int:
        return len(self._ordered) + len(self._new)


def _parts(ids: Iterable[str]) -> Iterator[NDArray[np.uint64]]:
    rest = iter(ids)
    while part := list(islice(rest, FEW)):
        yield np.fromiter(map(_number, part), np.uint64, len(part))


def _number(name: str) -> int:
    """The id as a number below 2 ** 64."""
    if len(name) == ID_LENGTH and name.isalnum():
        try:
            return int(name, 16)
        except ValueError:
            pass
    return int(stable_id("id", name), 16)


def _none() -> NDArray[np.uint64]:
    return np.zeros(0, np.uint64)
