"""How well people are found and framed, on photos whose people are known."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extract.base import Detections, Detector, Parser, Pixels
from extract.evaluate import BATCH, READERS
from extract.framing_fit import wanted_verdict
from extract.look import FoundPerson, Looked, accepted, dress, look_at
from extract.pipeline import Step, Threads, Workers
from extract.roles import Roles
from garments.boxes import Box, iou
from garments.errors import BadTable
from garments.images import decode
from garments.metrics import ImageBoxes, average_precision, wilson_interval
from garments.records import Verdict
from garments.sets.persons import PersonsPhoto, read_persons
from garments.settings import FramingLimits, SpeedSettings

LEAST_HEIGHT = 0.25
"""People below this share of the photo's height are neither wanted nor wrong to find."""


@dataclass(frozen=True)
class PersonTruth:
    """A photo with the people to find and the regions that count neither way, xyxy pixels."""

    pixels: Pixels
    wanted: NDArray[np.float32]
    ignored: NDArray[np.float32]


def person_truth(photo: PersonsPhoto) -> PersonTruth | None:
    """Whom to find in a photo; None for one whose list of boxes is known to be cut short."""
    if photo.boxes_truncated:
        return None
    wanted = _wanted(photo)
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
    workers: Workers | None = None,
    speed: SpeedSettings | None = None,
) -> Figures:
    """Score detection and framing on a folder laid out as `persons`; one flat object of figures.

    `people_ap50` counts people of at least a quarter of the photo's height; smaller ones, crowds
    and photos with truncated boxes are ignored. `accepted_*` are end to end on the single-person
    photos with a framing label. Somebody accepted in such a photo is right when the person is to
    be accepted and the box lies on that person (IoU >= 0.5); any other photo with somebody
    accepted is wrong. `accept_all_*` is what taking every detection would give, and
    `*_box_precision` counts every wrong box, not the photo once. `split` None is val where there
    is one, else all. `workers` do the work, threads of this process unless given.
    """
    everything = read_persons(data)
    named = split or ("val" if any(photo.split == "val" for photo in everything) else None)
    photos = [photo for photo in everything if named is None or photo.split == named][:limit]
    if not photos:
        raise BadTable(f"expected photos of split {named!r} in {data}, but there are none")
    roles, framing = Roles.of(detector, parser, device, speed), limits or FramingLimits()
    tally = _Tally(typical_box([p for p in everything if p.split != "val"] or everything))
    steps = [
        Step(_read_all),
        Step(partial(_look_all, roles=roles, limits=framing), models=True),
        Step(partial(_dress_all, limits=framing)),
    ]
    with closing((workers or Threads(READERS)).run(photos, steps, BATCH)) as seen:
        for done, (photo, one) in enumerate(zip(photos, seen, strict=True), start=1):
            tally.add(photo, one)
            tell(done, len(photos))
    return {"photos": len(photos), **tally.figures()}


@dataclass(frozen=True, eq=False)
class _Seen:
    """What was found in a photo: its size (width, height), all detections, and in a photo whose
    framing is labelled the people with their verdicts."""

    size: tuple[int, int]
    detections: Detections
    people: Sequence[FoundPerson] | None = None


def _read_all(batch: Sequence[PersonsPhoto]) -> list[tuple[PersonsPhoto, Pixels]]:
    return [(photo, decode(photo.path.read_bytes()).pixels) for photo in batch]


def _look_all(
    batch: Sequence[tuple[PersonsPhoto, Pixels]], roles: Roles, limits: FramingLimits
) -> list[tuple[_Seen, Looked | None]]:
    """One by one, so that the figures do not depend on what else is in a batch."""
    return [_look(photo, pixels, roles, limits) for photo, pixels in batch]


def _look(
    photo: PersonsPhoto, pixels: Pixels, roles: Roles, limits: FramingLimits
) -> tuple[_Seen, Looked | None]:
    found = roles.detector.detect([pixels])[0]
    seen = _Seen((pixels.shape[1], pixels.shape[0]), found)
    if wanted_verdict(photo) is None:
        return seen, None
    return seen, look_at([pixels], [found], roles.parser, limits)[0]


def _dress_all(batch: Sequence[tuple[_Seen, Looked | None]], limits: FramingLimits) -> list[_Seen]:
    return [
        seen if looked is None else replace(seen, people=_judged(looked, limits))
        for seen, looked in batch
    ]


def _judged(looked: Looked, limits: FramingLimits) -> list[FoundPerson]:
    """The people with their verdicts, without the masks that led to them."""
    people = dress(looked, limits, second_guess=1)
    return [replace(person, map=None, garments=()) for person in people]


class _Tally:
    """What was found on the photos so far, beside what a blind guess would have found."""

    def __init__(self, typical: NDArray[np.float32]) -> None:
        """`typical` is the blind guess: one box (4,) as shares of the photo's sides."""
        self._typical = typical
        self._found: list[ImageBoxes] = []
        self._blind: list[ImageBoxes] = []
        self._accepted, self._all = _Counts(), _Counts()

    def add(self, photo: PersonsPhoto, seen: _Seen) -> None:
        """Add one photo and what was found in it."""
        if not photo.boxes_truncated:
            self._add_boxes(photo, seen)
        verdict = wanted_verdict(photo)
        if verdict is not None and seen.people is not None:
            box = Box(*photo.boxes[0].tolist())
            found = [person for person in seen.people if accepted(person)]
            _count(self._accepted, found, box, verdict)
            _count(self._all, seen.people, box, verdict)

    def _add_boxes(self, photo: PersonsPhoto, seen: _Seen) -> None:
        truth = _wanted(photo)
        blind = (self._typical * np.array([*seen.size] * 2, np.float32))[None]
        sure = np.ones(1, np.float32)
        found, wanted, ignored = seen.detections, photo.boxes[truth], photo.boxes[~truth]
        self._found.append(ImageBoxes(found.boxes, found.scores, wanted, ignored))
        self._blind.append(ImageBoxes(blind, sure, wanted, ignored))

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
