"""Whose photos belong together: handles, as far as they tell photos apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from curate.split.groups import Tie
from garments.handles import same_handle


@dataclass(frozen=True)
class Handles:
    """Ties of photos by handle; `divided` is the handle whose photos were not tied, or ""."""

    ties: frozenset[Tie]
    divided: str = ""


def handle_ties(
    sources: Iterable[Mapping[str, Any]], photos: Iterable[str], versions: Iterable[int]
) -> Handles:
    """Ties by handle among `photos`, from rows of `sources` with photo_id, handle and seq.

    A handle that is the only one is divided by photo, as nothing could be held out otherwise. It
    stays divided when others come, or all of it would leave the train part. `versions` has the
    `seq` at which each earlier split was made.
    """
    known = set(photos)
    ties: set[Tie] = set()
    first: dict[str, int] = {}
    for row in sources:
        handle = same_handle(row["handle"] or "")
        if handle and row["photo_id"]:
            # Photos without garments count too: how many handles there are never shrinks.
            first[handle] = min(first.get(handle, row["seq"]), row["seq"])
            if row["photo_id"] in known:
                ties.add((row["photo_id"], handle))
    divided = _divided(first, versions)
    return Handles(frozenset((p, f"handle:{h}") for p, h in ties if h != divided), divided)


def _divided(first: Mapping[str, int], versions: Iterable[int]) -> str:
    """The handle that was the only one at some split, from the `seq` at which each came first."""
    if len(first) == 1:
        return next(iter(first))
    for made in sorted(versions):
        there = [handle for handle, seq in first.items() if seq < made]
        if len(there) == 1:
            return there[0]
        if there:  # there were several ever since
            break
    return ""
