"""Finding framing limits from boxes that a person has labelled, instead of by trial and error."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from extract.framing import judge
from garments.boxes import Box
from garments.errors import BadTable
from garments.metrics import wilson_interval
from garments.records import Verdict
from garments.sets.persons import PersonsPhoto, read_persons
from garments.settings import FramingLimits
from garments.synthetic import draw_street

PERSONS_VERDICTS = {
    "full_body": Verdict.ACCEPTED,
    "no_feet": Verdict.HALF_BODY,
    "head_shoulders": Verdict.HEAD_ONLY,
    "head_only": Verdict.HEAD_ONLY,
    "no_head": Verdict.CUT_OFF,
}
"""What the framing words of the `persons` set mean here."""

COLUMNS = ("x1", "y1", "x2", "y2", "width", "height", "verdict")

CANDIDATES: dict[str, tuple[float, ...]] = {
    "border_share": (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06),
    "min_height_share": (0.06, 0.08, 0.1, 0.12, 0.15, 0.18, 0.2, 0.22, 0.25, 0.3),
    "close_area_share": (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    "top_aspect": tuple(float(v) for v in np.arange(0.4, 3.01, 0.1)),
    "head_aspect": tuple(float(v) for v in np.arange(0.5, 2.01, 0.1)),
    "feet_aspect": tuple(float(v) for v in np.arange(1.0, 3.51, 0.1)),
    "side_aspect": tuple(float(v) for v in np.arange(0.2, 3.01, 0.1)),
    "free_aspect": tuple(float(v) for v in np.arange(0.2, 2.01, 0.1)),
}
"""Values tried for each limit."""

SWEEPS = 4


@dataclass(frozen=True)
class LabelledBox:
    """A person's box (xyxy pixels) in a photo of (width, height) with the verdict wanted."""

    box: Box
    photo_size: tuple[int, int]
    verdict: Verdict
    split: str = "train"


@dataclass(frozen=True)
class VerdictScore:
    """Precision and recall of one verdict with 95 % intervals and the counts behind them."""

    verdict: Verdict
    precision: float
    recall: float
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    wanted: int
    given: int


@dataclass(frozen=True)
class Fit:
    """Limits that were found, how they do on boxes they were fitted to and on the others."""

    limits: FramingLimits
    fitted: list[VerdictScore]
    held_out: list[VerdictScore]
    held_out_before: list[VerdictScore]


def read_labelled(path: Path) -> list[LabelledBox]:
    """Boxes from a table `x1,y1,x2,y2,width,height,verdict[,split]`.

    Also takes the `images.csv` of a folder laid out as the `persons` set, whose boxes stand in
    the `boxes.csv` beside it. Raises `BadTable`.
    """
    if not path.is_file():
        raise BadTable(f"expected a table of labelled boxes, but there is no file {path}")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        header = reader.fieldnames or []
        if {"file", "framing"} <= set(header):
            return _from_persons(path.parent)
        if missing := [name for name in COLUMNS if name not in header]:
            raise BadTable(
                f"expected the columns {', '.join(COLUMNS)} in {path}, but {', '.join(missing)} "
                f"are missing (it has {', '.join(header) or 'none'})"
            )
        return [_from_row(row, path, line) for line, row in enumerate(reader, start=2)]


def street_boxes(pictures: int, seed: int = 3_000_000) -> Iterator[LabelledBox]:
    """Boxes of the synthetic street, the only ones labelled too_small and too_close."""
    for number in range(pictures):
        street = draw_street(seed + number, "train")
        size = (street.pixels.shape[1], street.pixels.shape[0])
        for person in street.people:
            verdict = Verdict(person.framing)
            if verdict in (Verdict.TOO_SMALL, Verdict.TOO_CLOSE):
                yield LabelledBox(person.box, size, verdict, "val" if number % 4 == 0 else "train")


def fit(rows: Sequence[LabelledBox], start: FramingLimits | None = None) -> Fit:
    """Find the limits that agree best with `rows` of the split train; score them on the others.

    Coordinate descent over `CANDIDATES`: a handful of limits and a few hundred boxes need nothing
    finer. What is maximised is the F1 of `accepted` plus the mean F1 of all verdicts.
    """
    train = [row for row in rows if row.split == "train"]
    if not train:
        raise BadTable("expected labelled boxes of the split train to fit to, but there are none")
    before = start or FramingLimits()
    limits, best = before, _agreement(train, before)
    for _ in range(SWEEPS):
        previous = best
        for name, values in CANDIDATES.items():
            for value in values:
                tried = limits.model_copy(update={name: round(value, 3)})
                score = _agreement(train, tried)
                if score > best + 1e-9:
                    limits, best = tried, score
        if best == previous:
            break
    held_out = [row for row in rows if row.split != "train"]
    return Fit(
        limits,
        score_limits(train, limits),
        score_limits(held_out, limits),
        score_limits(held_out, before),
    )


def score_limits(rows: Sequence[LabelledBox], limits: FramingLimits) -> list[VerdictScore]:
    """Precision and recall per verdict that occurs among `rows`."""
    given = [judge(row.box, row.photo_size, limits)[0] for row in rows]
    return [
        _score(verdict, rows, given)
        for verdict in Verdict
        if any(row.verdict == verdict for row in rows)
    ]


def _score(verdict: Verdict, rows: Sequence[LabelledBox], given: Sequence[Verdict]) -> VerdictScore:
    wanted = sum(row.verdict == verdict for row in rows)
    said = sum(value == verdict for value in given)
    both = sum(row.verdict == value == verdict for row, value in zip(rows, given, strict=True))
    return VerdictScore(
        verdict,
        both / said if said else 0.0,
        both / wanted if wanted else 0.0,
        wilson_interval(both, said),
        wilson_interval(both, wanted),
        wanted,
        said,
    )


def _agreement(rows: Sequence[LabelledBox], limits: FramingLimits) -> float:
    scores = {score.verdict: score for score in score_limits(rows, limits)}
    values = {verdict: _f1(score) for verdict, score in scores.items()}
    return values.get(Verdict.ACCEPTED, 0.0) + sum(values.values()) / len(values)


def _f1(score: VerdictScore) -> float:
    total = score.precision + score.recall
    return 2 * score.precision * score.recall / total if total else 0.0


def wanted_verdict(photo: PersonsPhoto) -> Verdict | None:
    """The verdict that a photo's framing label asks for, None without label or single person.

    The label is a word of the `persons` set or a verdict itself, as the synthetic street writes.
    """
    if not photo.framing or len(photo.boxes) != 1:
        return None
    if photo.framing in PERSONS_VERDICTS:
        return PERSONS_VERDICTS[photo.framing]
    return Verdict(photo.framing) if photo.framing in set(Verdict) else None


def _from_persons(folder: Path) -> list[LabelledBox]:
    judged = ((photo, wanted_verdict(photo)) for photo in read_persons(folder))
    return [
        LabelledBox(
            Box(*photo.boxes[0].tolist()), (photo.width, photo.height), verdict, photo.split
        )
        for photo, verdict in judged
        if verdict is not None
    ]


def _from_row(row: dict[str, str], path: Path, line: int) -> LabelledBox:
    try:
        box = Box(*(float(row[name]) for name in COLUMNS[:4])).checked()
        size = (int(float(row["width"])), int(float(row["height"])))
        return LabelledBox(box, size, Verdict(row["verdict"]), row.get("split") or "train")
    except (ValueError, TypeError) as error:
        verdicts = ", ".join(Verdict)
        raise BadTable(
            f"line {line} of {path}: {error}; expected numbers and a verdict of {verdicts}"
        ) from error
