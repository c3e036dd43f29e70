"""One batch of photos through both models: the part of extraction that has no files or tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from extract.base import Detections, Detector, Parser, Pixels
from extract.framing import judge, judge_parts
from extract.letterbox import Transform, person_crop
from extract.regions import GarmentMask, PersonMap, garment_masks, person_map, share_pixels
from garments.boxes import Box
from garments.records import Verdict
from garments.settings import FramingLimits


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


def analyse(
    photos: Sequence[Pixels], detector: Detector, parser: Parser, limits: FramingLimits
) -> list[list[FoundPerson]]:
    """People of each photo, best score first, with the garments of those who are accepted."""
    return analyse_found(photos, detector.detect(photos), parser, limits)


def analyse_found(
    photos: Sequence[Pixels],
    detections: Sequence[Detections],
    parser: Parser,
    limits: FramingLimits,
) -> list[list[FoundPerson]]:
    """`analyse` for photos whose people were detected already."""
    judged = [
        _judged(photo, found.boxes, found.scores, limits)
        for photo, found in zip(photos, detections, strict=True)
    ]
    crops: list[Pixels] = []
    transforms: list[Transform] = []
    for photo, people in zip(photos, judged, strict=True):
        for person in people:
            if person.verdict is Verdict.ACCEPTED:
                crop, transform = person_crop(photo, person.box)
                crops.append(crop)
                transforms.append(transform)
    parsed = iter(_parsed(parser, crops, transforms))
    return [
        _with_garments(photo, people, parsed, limits)
        for photo, people in zip(photos, judged, strict=True)
    ]


def _judged(
    photo: Pixels, boxes: NDArray[np.float32], scores: NDArray[np.float32], limits: FramingLimits
) -> list[FoundPerson]:
    """People from a detector's boxes (N, 4) and scores (N,), those that are likely enough."""
    height, width = photo.shape[:2]
    people = []
    for row, score in zip(boxes.tolist(), scores.tolist(), strict=True):
        if score >= limits.min_score:
            box = Box(*row)
            verdict, reason = judge(box, (width, height), limits)
            people.append(FoundPerson(box, min(1.0, score), verdict, reason))
    return people


def _parsed(
    parser: Parser, crops: Sequence[Pixels], transforms: Sequence[Transform]
) -> Iterator[tuple[NDArray[np.float32], Transform]]:
    """Probabilities (8, h, w) and the way back to the photo, crop by crop."""
    if crops:
        yield from zip(parser.parse(np.stack(crops)), transforms, strict=True)


def _with_garments(
    photo: Pixels,
    people: Sequence[FoundPerson],
    parsed: Iterator[tuple[NDArray[np.float32], Transform]],
    limits: FramingLimits,
) -> list[FoundPerson]:
    """Garments for the accepted people of one photo, after a second look at their parts."""
    height, width = photo.shape[:2]
    judged, maps = [], []
    for person in people:
        if person.verdict is Verdict.ACCEPTED:
            found = person_map(*next(parsed), person.box, width, height)
            verdict, reason = judge_parts(found.parts, limits)
            person = replace(person, verdict=verdict, reason=reason)
            if verdict is Verdict.ACCEPTED:
                maps.append(found)
        judged.append(person)
    settled = iter(share_pixels(maps))
    return [
        _dressed(person, next(settled)) if person.verdict is Verdict.ACCEPTED else person
        for person in judged
    ]


def _dressed(person: FoundPerson, parts: PersonMap) -> FoundPerson:
    return replace(person, map=parts, garments=tuple(garment_masks(parts)))
