"""A set of ids says what a set of texts says, in less memory."""

import random

import pytest

from garments import idset
from garments.ids import stable_id
from garments.idset import IdSet


def test_a_set_of_ids_is_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idset, "FEW", 8)
    drawn = random.Random(0)
    names = [stable_id(n) for n in range(300)] + ["p", "photo-1", "made-up-16-chars"]
    known = set(names[:100])
    found = IdSet(iter([*known, *known]))
    for name in drawn.choices(names, k=1000):
        assert (name in found) == (name in known)
        found.add(name)
        known.add(name)
        assert len(found) == len(known)
    assert all(name in found for name in known)


def test_a_hundred_thousand_ids_take_little() -> None:
    found = IdSet(stable_id(n) for n in range(100_000))
    assert len(found) == 100_000 and found._ordered.nbytes == 800_000 and not found._new
