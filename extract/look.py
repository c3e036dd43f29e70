"""Photos through both models, and from what the models said to people and their garments.

`look` is the part that runs in batches on the accelerator; `dress` is what remains for each photo
and needs none, so that it can run in threads beside the next batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from extract.base import Detections, Detector, Parser, Pixels
from extract.framing import judge, judge_parts
from extract.letterbox import Transform, person_crop
from extract.regions import GarmentMask, PersonMap, garment_masks, person_map, share_pixels
from extract.second_guess import second_guesses
from garments.boxes import Box
from garments.records import Verdict
from garments.settings import FramingLimits

PARSE_AT_ONCE = 32
"""Person crops given to a parser at once, so that a photo of a crowd needs no more memory."""


@dataclass(frozen=True)
class FoundPerson:
    """A detected person: box (xyxy photo pixels), score, verdict with reason in words.

    `map` and `garments` are None and empty for people who were turned down.
    """

    box: Box
    score: float
    verdict: Verdict
    reason: str
    map: PersonMap | None = None
    garments: tuple[GarmentMask, ...] = ()


@dataclass(frozen=True, eq=False)
class Looked:
    """What the models said about one photo.

    `size` is (width, height); `parsed` has, for each person who is accepted so far and in their
    order, the parser's probabilities (8, h, w) and the way from the person crop to the photo.
    """

    size: tuple[int, int]
    people: tuple[FoundPerson, ...]
    parsed: tuple[tuple[NDArray[np.float32], Transform], ...]


def look(
    photos: Sequence[Pixels], detector: Detector, parser: Parser, limits: FramingLimits
) -> list[Looked]:
    """Detect the people of each photo, judge them by their boxes, parse those accepted."""
    return look_at(photos, detector.detect(photos), parser, limits) if photos else []


def look_at(
    photos: Sequence[Pixels],
    detections: Sequence[Detections],
    parser: Parser,
    limits: FramingLimits,
) -> list[Looked]:
    """`look` at photos whose people were detected already."""
    found = [
        _people(photo, detected, limits) for photo, detected in zip(photos, detections, strict=True)
    ]
    wanted = [
        [person_crop(photo, person.box, parser.side) for person in people if accepted(person)]
        for photo, people in zip(photos, found, strict=True)
    ]
    parsed = _parsed(parser, [crop for crops in wanted for crop, _ in crops])
    return [
        Looked(
            (photo.shape[1], photo.shape[0]),
            tuple(people),
            tuple((next(parsed), transform) for _, transform in crops),
        )
        for photo, people, crops in zip(photos, found, wanted, strict=True)
    ]


def dress(looked: Looked, limits: FramingLimits, second_guess: float) -> list[FoundPerson]:
    """People of one photo, best score first, with the garments of those who are accepted.

    The parts that were found may still turn somebody down who was accepted by the box.
    `second_guess` is the setting of that name, see `extract.second_guess`.
    """
    parsed = iter(looked.parsed)
    people, maps = [], []
    for person in looked.people:
        if accepted(person):
            found = person_map(*next(parsed), person.box, *looked.size)
            verdict, reason = judge_parts(found.parts, limits)
            person = replace(person, verdict=verdict, reason=reason)
            if accepted(person):
                maps.append(found)
        people.append(person)
    settled = iter(share_pixels(maps))
    return [
        _dressed(person, next(settled), second_guess) if accepted(person) else person
        for person in people
    ]


def accepted(person: FoundPerson) -> bool:
    """Whether the person has not been turned down."""
    return person.verdict is Verdict.ACCEPTED


def _people(photo: Pixels, found: Detections, limits: FramingLimits) -> list[FoundPerson]:
    height, width = photo.shape[:2]
    people = []
    for corners, score in zip(found.boxes.tolist(), found.scores.tolist(), strict=True):
        box = Box(*corners).clipped(width, height)
        if score >= limits.min_score and min(box.width, box.height) >= 1:
            verdict, reason = judge(box, (width, height), limits)
            people.append(FoundPerson(box, min(1.0, score), verdict, reason))
    return people


def _parsed(parser: Parser, crops: Sequence[Pixels]) -> Iterator[NDArray[np.float32]]:
    """Probabilities (8, h, w), crop by crop."""
    for start in range(0, len(crops), PARSE_AT_ONCE):
        yield from parser.parse(np.stack(crops[start : start + PARSE_AT_ONCE]))


def _dressed(person: FoundPerson, parts: PersonMap, second_guess: float) -> FoundPerson:
    sure = garment_masks(parts)
    return replace(person, map=parts, garments=(*sure, *second_guesses(parts, sure, second_guess)))
