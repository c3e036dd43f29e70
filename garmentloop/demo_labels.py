"""Proposed labels held against what was drawn: how often they are right, and how often given."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from garments.boxes import Box, iou
from garments.parts import Region

if TYPE_CHECKING:
    from garments.dataset import Dataset
    from garments.proposals import Reading
    from garments.sets.crops import LabelledCrop

MATCH = 0.5
"""IoU from which a garment that was cut is the one that was drawn."""

ATTRIBUTES = ("category", "color", "pattern")
"""What a street knows of its garments."""


@dataclass(frozen=True)
class Score:
    """One attribute over the garments that were found; shares are in [0, 1].

    `right` is the share of garments whose first guess is true, given or held back; `given` the
    share where the tagger did not say "don't know", `right_of_given` how many of those were true
    (None where there are none). `commonest` is what always saying the commonest value would score.
    """

    attribute: str
    garments: int
    right: float
    commonest: float
    given: float
    right_of_given: float | None


def scores(dataset: "Dataset", street: Path) -> list[Score]:
    """Score what is proposed for the garments of `dataset`, cut out of the pictures of `street`.

    A garment that was not found, or cut where none was drawn, counts in extraction's figures and
    not here. Attributes without any proposal are left out.
    """
    from garments.proposals import readings
    from garments.sets.crops import street_crops

    pairs = list(matched(dataset, street_crops(street)))
    read = readings(dataset, [garment_id for garment_id, _ in pairs])
    scored = []
    for attribute in ATTRIBUTES:
        known = [
            (reading, word)
            for garment_id, drawn in pairs
            if (reading := read.get(garment_id, {}).get(attribute))
            and (word := drawn.values.get(attribute))
        ]
        if known:
            scored.append(_score(attribute, known))
    return scored


def _score(attribute: str, pairs: "Sequence[tuple[Reading, str]]") -> Score:
    right = [bool(reading.values) and reading.values[0] == word for reading, word in pairs]
    given = [hit for hit, (reading, _) in zip(right, pairs, strict=True) if not reading.abstained]
    ((_, commonest),) = Counter(word for _, word in pairs).most_common(1)
    return Score(
        attribute,
        len(pairs),
        sum(right) / len(pairs),
        commonest / len(pairs),
        len(given) / len(pairs),
        sum(given) / len(given) if given else None,
    )


def matched(
    dataset: "Dataset", drawn: "Sequence[LabelledCrop]"
) -> "Iterator[tuple[str, LabelledCrop]]":
    """Garments that were cut with the one that was drawn there, each of both once at most."""
    cut = _cut(dataset)
    taken: set[str] = set()
    for truth in drawn:
        found = cut.get((truth.photo.photo.resolve(), truth.region), [])
        overlaps = [(iou(box, truth.box), name) for name, box in found if name not in taken]
        best, garment_id = max(overlaps, default=(0.0, ""))
        if best >= MATCH:
            taken.add(garment_id)
            yield garment_id, truth


def _cut(dataset: "Dataset") -> dict[tuple[Path, Region], list[tuple[str, Box]]]:
    """Garments of the data set with their boxes (xyxy pixels), by file of the photo and region."""
    catalog = dataset.catalog
    origins = catalog.rows("sources", ["photo_id", "origin"], "photo_id IS NOT NULL").to_pylist()
    files: dict[str, list[Path]] = {}
    for row in origins:
        files.setdefault(row["photo_id"], []).append(Path(row["origin"]).resolve())
    columns = ["garment_id", "photo_id", "region", "x1", "y1", "x2", "y2"]
    cut: dict[tuple[Path, Region], list[tuple[str, Box]]] = {}
    for row in catalog.active_garments(columns=columns).to_pylist():
        box = Box(row["x1"], row["y1"], row["x2"], row["y2"])
        for file in files.get(row["photo_id"], []):
            cut.setdefault((file, Region(row["region"])), []).append((row["garment_id"], box))
    return cut
