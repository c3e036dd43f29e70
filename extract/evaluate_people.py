"""How well people are found and framed, on photos whose people are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extract.base import Detector, Parser, Pixels
from extract.framing_fit import wanted_verdict
from extract.look import FoundPerson, dress, look_at
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
    """Accepted people of the photos with a framing label: found rightly, wrongly, and missed."""

    right: int = 0
    wrong: int = 0
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
    photos with a framing label: an accepted detection is right when it lies on a labelled person
    (IoU >= 0.5) who is to be accepted; such a person without one is missed. `split` None is val
    where there is one, else all.
    """
    everything = read_persons(data)
    named = split or ("val" if any(photo.split == "val" for photo in everything) else None)
    photos = [photo for photo in everything if named is None or photo.split == named][:limit]
    if not photos:
        raise BadTable(f"expected photos of split {named!r} in {data}, but there are none")
    typical = typical_box([p for p in everything if p.split != "val"] or everything)
    finder = load_detector(detector, device) if isinstance(detector, str) else detector
    reader = load_parser(parser, device) if isinstance(parser, str) else parser
    framing = limits or FramingLimits()
    counts, all_accepted = _Counts(), _Counts()
    found_boxes: list[ImageBoxes] = []
    blind_boxes: list[ImageBoxes] = []
    for done, photo in enumerate(photos, start=1):
        pixels = decode(photo.path.read_bytes()).pixels
        found = finder.detect([pixels])[0]
        if (truth := person_truth(photo, pixels)) is not None:
            found_boxes.append(ImageBoxes(found.boxes, found.scores, truth.wanted, truth.ignored))
            blind = typical * np.array([photo.width, photo.height] * 2, np.float32)
            one = np.ones(1, np.float32)
            blind_boxes.append(ImageBoxes(blind[None], one, truth.wanted, truth.ignored))
        if (verdict := wanted_verdict(photo)) is not None:
            people = dress(look_at([pixels], [found], reader, framing)[0], framing)
            box = Box(*photo.boxes[0].tolist())
            _count(counts, people, box, verdict, lambda p: p.verdict is Verdict.ACCEPTED)
            _count(all_accepted, people, box, verdict, lambda p: True)
        tell(done, len(photos))
    return {
        "photos": len(photos),
        "people": sum(len(image.truth) for image in found_boxes),
        "people_ap50": average_precision(found_boxes),
        "people_ap50_constant": average_precision(blind_boxes),
        **_accepted_figures("accepted", counts),
        **_accepted_figures("accept_all", all_accepted),
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


def _count(
    counts: _Counts,
    people: Sequence[FoundPerson],
    box: Box,
    verdict: Verdict,
    accepted: Callable[[FoundPerson], bool],
) -> None:
    """Add one labelled person: at most one accepted detection can be right."""
    overlaps = sorted((iou(person.box, box) for person in people if accepted(person)), reverse=True)
    hit = bool(overlaps) and overlaps[0] >= MATCH and verdict is Verdict.ACCEPTED
    counts.right += hit
    counts.wrong += len(overlaps) - hit
    counts.missed += verdict is Verdict.ACCEPTED and not hit
    counts.labelled += 1


def _accepted_figures(name: str, counts: _Counts) -> Figures:
    given, wanted = counts.right + counts.wrong, counts.right + counts.missed
    precision = wilson_interval(counts.right, given)
    recall = wilson_interval(counts.right, wanted)
    return {
        f"{name}_precision": counts.right / given if given else 0.0,
        f"{name}_precision_low": precision[0],
        f"{name}_precision_high": precision[1],
        f"{name}_recall": counts.right / wanted if wanted else 0.0,
        f"{name}_recall_low": recall[0],
        f"{name}_recall_high": recall[1],
        f"{name}_given": given,
        f"{name}_wanted": wanted,
        f"{name}_labelled": counts.labelled,
    }
