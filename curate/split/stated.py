"""What imported sets say about their own parts, in their own words."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from curate.split.parts import STRENGTH, Part

WORDS = {
    "train": Part.TRAIN,
    "training": Part.TRAIN,
    "val": Part.VAL,
    "valid": Part.VAL,
    "validation": Part.VAL,
    "dev": Part.VAL,
    "test": Part.TEST,
    "testing": Part.TEST,
}
"""How sets call their parts."""


@dataclass(frozen=True)
class Stated:
    """The part that its set gives a photo; photos that may be train or val are left out.

    `unknown` counts photos by words that name no part.
    """

    claims: dict[str, Part] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)


def stated_parts(words: Iterable[tuple[str, str]], sets: Mapping[str, Iterable[str]]) -> Stated:
    """What (photo_id, word) pairs mean; `sets` has the names of the sets that labelled a photo.

    A set that names one held-out part gives it to test, and val is drawn from its train. A set
    that names both is taken at its word, train included. Of several words the strongest counts.
    """
    known: dict[str, set[Part]] = defaultdict(set)
    unknown: Counter[str] = Counter()
    for photo, word in words:
        part = WORDS.get(word.strip().casefold())
        if part:
            known[photo].add(part)
        elif word.strip():
            unknown[word.strip()] += 1
    names = {photo: frozenset(sets.get(photo) or [""]) for photo in known}
    complete = _complete(known, names)
    claims = {photo: _claim(parts, names[photo] <= complete) for photo, parts in known.items()}
    return Stated({photo: part for photo, part in claims.items() if part}, unknown)


def _claim(parts: Iterable[Part], complete: bool) -> Part | None:
    strongest = next(part for part in STRENGTH if part in parts)
    if complete:
        return strongest
    return None if strongest is Part.TRAIN else Part.TEST


def _complete(
    known: Mapping[str, Iterable[Part]], names: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """Sets that name both a val and a test part, as told by the photos that are theirs alone.

    "" stands for the photos that no set labelled: they are taken as one set.
    """
    parts: dict[str, set[Part]] = defaultdict(set)
    for photo, found in known.items():
        if len(names[photo]) == 1:
            parts[next(iter(names[photo]))].update(found)
    return frozenset(name for name, found in parts.items() if {Part.VAL, Part.TEST} <= found)
