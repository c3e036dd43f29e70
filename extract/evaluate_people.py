"""How well people are found and framed, on photos whose people are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extract.base import Detections, Detector, Parser, Pixels
from extract.framing_fit import wanted_verdict
from extract.look import FoundPerson, accepted, dress, look_at
from extract.models import load_detector, load_parser
from garments.boxes import Box, iou
from garments.errors import BadTable
from garments.images import decode
from garments.metrics import ImageBoxes, average_precision, wilson_interval
from garments.records import Verdict
from garments.sets.persons import PersonsPhoto, read_persons
from garments.settings import FramingLimits

LEAST_HEIGHT = 0.25
"""People below this share of the photo's height are neither wanted nor wrong to find."""


@dataclass(frozen=True)
class PersonTruth:
    """A photo with the people to find and the regions that count neither way, xyxy pixels."""

    pixels: Pixels
    wanted: NDArray[np.float32]
    ignored: NDArray[np.float32]


def person_truth(photo: PersonsPhoto, pixels: Pixels | None = None) -> PersonTruth | None:
    """Whom to find in a photo; None for one whose list of boxes is known to be cut short."""
    if photo.boxes_truncated:
        return None
    wanted = _wanted(photo)
    if pixels is None:
        pixels = decode(photo.path.read_bytes()).pixels
    return PersonTruth(pixels, photo.boxes[wanted], photo.boxes[~wanted])


def _wanted(photo: PersonsPhoto) -> NDArray[np.bool_]:
    heights = photo.boxes[:, 3] - photo.boxes[:, 1]
    crowd = np.array([bool(flag) for flag in photo.crowd], bool)
    return np.asarray((heights >= LEAST_HEIGHT * photo.height) & ~crowd)


MATCH = 0.5
"""IoU from which a detection is the labelled person."""

Figures = dict[str, float | int]


@dataclass
class _Counts:
    """Photos of one labelled person: accepted rightly, wrongly, missed; wrong boxes in them."""

    right: int = 0
    wrong: int = 0
    wrong_boxes: int = 0
    missed: int = 0
    labelled: int = 0


def evaluate_people(
    data: Path,
    split: str | None = None,
    detector: str | Detector = "starter",
    parser: str | Parser = "starter",
    limits: FramingLimits | None = None,
    device: str = "auto",
    limit: int | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Figures:
    """Score detection and framing on a folder laid out as `persons`; one flat object of figures.

    `people_ap50` counts people of at least a quarter of the photo's height; smaller ones, crowds
    and photos with truncated boxes are ignored. `accepted_*` are end to end on the single-person
    photos with a framing label. Somebody accepted in such a photo is right when the person is to
    be accepted and the box lies on that person (IoU >= 0.5); any other photo with somebody
    accepted is wrong. `accept_all_*` is what taking every detection would give, and
    `*_box_precision` counts every wrong box, not the photo once. `split` None is val where there
    is one, else all.
    """
    everything = read_persons(data)
    named = split or ("val" if any(photo.split == "val" for photo in everything) else None)
    photos = [photo for photo in everything if named is None or photo.split == named][:limit]
    if not photos:
        raise BadTable(f"expected photos of split {named!r} in {data}, but there are none")
    finder = load_detector(detector, device) if isinstance(detector, str) else detector
    reader = load_parser(parser, device) if isinstance(parser, str) else parser
    framing = limits or FramingLimits()
    tally = _Tally(typical_box([p for p in everything if p.split != "val"] or everything))
    for done, photo in enumerate(photos, start=1):
        pixels = decode(photo.path.read_bytes()).pixels
        found = finder.detect([pixels])[0]
        tally.add_boxes(photo, pixels, found)
        if (verdict := wanted_verdict(photo)) is not None:
            people = dress(look_at([pixels], [found], reader, framing)[0], framing, second_guess=1)
            tally.add_verdict(Box(*photo.boxes[0].tolist()), verdict, people)
        tell(done, len(photos))
    return {"photos": len(photos), **tally.figures()}


class _Tally:
    """What was found on the photos so far, beside what a blind guess would have found."""

    def __init__(self, typical: NDArray[np.float32]) -> None:
        """`typical` is the blind guess: one box (4,) as shares of the photo's sides."""
        self._typical = typical
        self._found: list[ImageBoxes] = []
        self._blind: list[ImageBoxes] = []
        self._accepted, self._all = _Counts(), _Counts()

    def add_boxes(self, photo: PersonsPhoto, pixels: Pixels, found: Detections) -> None:
        """Add one photo's detections, unless its list of people is cut short."""
        truth = person_truth(photo, pixels)
        if truth is None:
            return
        height, width = pixels.shape[:2]
        blind = (self._typical * np.array([width, height] * 2, np.float32))[None]
        sure = np.ones(1, np.float32)
        self._found.append(ImageBoxes(found.boxes, found.scores, truth.wanted, truth.ignored))
        self._blind.append(ImageBoxes(blind, sure, truth.wanted, truth.ignored))

    def add_verdict(self, box: Box, verdict: Verdict, people: Sequence[FoundPerson]) -> None:
        """Add one photo of one labelled person with what the pipeline made of it."""
        _count(self._accepted, [person for person in people if accepted(person)], box, verdict)
        _count(self._all, people, box, verdict)

    def figures(self) -> Figures:
        """All figures, flat."""
        return {
            "people": sum(len(image.truth) for image in self._found),
            "people_ap50": average_precision(self._found),
            "people_ap50_constant": average_precision(self._blind),
            **_accepted_figures("accepted", self._accepted),
            **_accepted_figures("accept_all", self._all),
        }


def typical_box(photos: Sequence[PersonsPhoto]) -> NDArray[np.float32]:
    """Median box (4,) of people who count, as shares of the photo's sides."""
    boxes = [
        photo.boxes[keep] / np.array([photo.width, photo.height] * 2, np.float32)
        for photo in photos
        if (keep := _wanted(photo)).any()
    ]
    if not boxes:
        return np.array([0, 0, 1, 1], np.float32)
    return np.asarray(np.median(np.concatenate(boxes), axis=0), np.float32)


def _count(counts: _Counts, people: Sequence[FoundPerson], box: Box, verdict: Verdict) -> None:
    """Add one photo with one labelled person, given the people that were accepted in it."""
    overlaps = sorted((iou(person.box, box) for person in people), reverse=True)
    hit = verdict is Verdict.ACCEPTED and bool(overlaps) and overlaps[0] >= MATCH
    counts.right += hit
    counts.wrong += bool(overlaps) and not hit
    counts.wrong_boxes += len(overlaps) - hit
    counts.missed += verdict is Verdict.ACCEPTED and not hit
    counts.labelled += 1


def _accepted_figures(name: str, counts: _Counts) -> Figures:
    given, wanted = counts.right + counts.wrong, counts.right + counts.missed
    boxes = counts.right + counts.wrong_boxes
    precision = wilson_interval(counts.right, given)
    recall = wilson_interval(counts.right, wanted)
    return {
        f"{name}_precision": counts.right / given if given else 0.0,
        f"{name}_precision_low": precision[0],
        f"{name}_precision_high": precision[1],
        f"{name}_recall": counts.right / wanted if wanted else 0.0,
        f"{name}_recall_low": recall[0],
        f"{name}_recall_high": recall[1],
        f"{name}_box_precision": counts.right / boxes if boxes else 0.0,
        f"{name}_given": given,
        f"{name}_wanted": wanted,
        f"{name}_labelled": counts.labelled,
    }
