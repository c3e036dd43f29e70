"""What the taggers propose for each garment, as the contact sheet shows it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garments.calibration import Calibration
from garments.dataset import Dataset
from garments.taxonomy import Attribute, Taxonomy

if TYPE_CHECKING:
    from garments.proposals import Reading

UNSURE, DISPUTED = "unsure", "disputed"
LABEL_DOUBT_WORDS = {UNSURE: "category not known", DISPUTED: "taggers differ on color"}
"""Facets of proposals, in words."""

_COMPARED = "color"
"""The attribute for which every tagger's word is shown where they differ."""


@dataclass(frozen=True)
class Word:
    """One proposed value: what people read, and its typical color (#rrggbb) if it is one."""

    title: str
    color: str = ""


@dataclass(frozen=True)
class Line:
    """What is proposed for one attribute, with a confidence in [0, 1].

    `known` is false where the tagger abstains; `words` are then what it would have guessed.
    `tagger` is the version of `model` that spoke. `others` are models that would say something
    else, with their words.
    """

    attribute: str
    title: str
    model: str
    tagger: str
    words: tuple[Word, ...]
    confidence: float
    known: bool
    others: tuple[tuple[str, tuple[Word, ...]], ...] = ()


@dataclass(frozen=True)
class Proposed:
    """All that is proposed for one garment; `uncertainty` is in [0, 1]."""

    lines: tuple[Line, ...]
    uncertainty: float

    @property
    def facets(self) -> set[str]:
        """What the filter buttons look for."""
        found = {UNSURE for line in self.lines if line.attribute == "category" and not line.known}
        return found | {DISPUTED for line in self.lines if line.others}


def proposed(dataset: Dataset, photo_ids: Sequence[str]) -> dict[str, Proposed]:
    """What is proposed now for the garments of these photos, by garment.

    A garment that no tagger has seen is absent.
    """
    if not dataset.catalog.count("proposals"):
        return {}
    from garments.proposals import all_readings, readings, uncertainty

    shown = _garments_of(dataset, photo_ids)
    everyone = all_readings(dataset, shown)
    return {
        garment_id: Proposed(
            tuple(_lines(dataset.taxonomy, read, everyone.get(garment_id, {}))), uncertainty(read)
        )
        for garment_id, read in readings(dataset, shown).items()
        if read
    }


def _garments_of(dataset: Dataset, photo_ids: Sequence[str]) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = dataset.catalog.active_garments(columns=["garment_id", "photo_id"])
    there = pc.is_in(rows.column("photo_id"), pa.array(photo_ids, pa.string()))
    ids: list[str] = rows.filter(there).column("garment_id").to_pylist()
    return ids


@dataclass(frozen=True)
class Speaker:
    """Whose word counts for an attribute, and from which confidence on it is given.

    `items` is how many labels its confidence was fitted on, 0 where it was not.
    """

    title: str
    model: str
    garments: int
    threshold: float
    items: int


def speakers(dataset: Dataset, proposals: Mapping[str, Proposed]) -> list[Speaker]:
    """Who speaks in `proposals`, by attribute and tagger version."""
    from garments.inforce import calibrations

    lines = (line for one in proposals.values() for line in one.lines)
    counts = Counter((line.attribute, line.title, line.model, line.tagger) for line in lines)
    calibrated = calibrations(dataset) if counts else {}
    order = [attribute.id for attribute in dataset.taxonomy.attributes]
    found = []
    for (attribute, title, model, tagger), count in sorted(
        counts.items(), key=lambda item: (order.index(item[0][0]), -item[1])
    ):
        how = calibrated.get((tagger, attribute), Calibration())
        found.append(Speaker(title, model, count, how.threshold, how.items))
    return found


def _lines(
    taxonomy: Taxonomy,
    read: "Mapping[str, Reading]",
    everyone: "Mapping[str, Mapping[str, Reading]]",
) -> Iterator[Line]:
    """A line for each attribute of which any value is possible, in the taxonomy's order."""
    for attribute in taxonomy.attributes:
        found = read.get(attribute.id)
        if found and found.values:
            yield _line(attribute, found, everyone.get(attribute.id, {}))


def _line(attribute: Attribute, read: "Reading", everyone: "Mapping[str, Reading]") -> Line:
    differing = (
        (model.rpartition("/")[2], _words(attribute, other.values))
        for model, other in everyone.items()
        if attribute.id == _COMPARED and not other.abstained and other.values[:1] != read.values[:1]
    )
    return Line(
        attribute.id,
        attribute.title,
        next((model for model, other in everyone.items() if other.tagger == read.tagger), ""),
        read.tagger,
        _words(attribute, read.values),
        read.confidence,
        not read.abstained,
        tuple(differing),
    )


def _words(attribute: Attribute, values: tuple[str, ...]) -> tuple[Word, ...]:
    found = [attribute.value(value) for value in values]
    return tuple(Word(value.title, next(iter(value.anchors), "")) for value in found)
