"""Groups of garments whose pictures are there more than once, or nearly so.

Tells of each whether it lies on both sides of the split and where its labels contradict each other.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.duplicates import duplicate_pairs, joined, near_duplicates, neighbourhood
from curate.split.parts import Part
from curate.split.record import newest_split
from curate.state import GarmentRow, GarmentState, garment_rows
from garments.answers import answer_of
from garments.said import people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset

COPIES, NEAR = "copies", "near"

COLUMNS = ("group", "kind", "garment_id", "photo_id", "region", "split", "contradicts", "crop")
"""Of the file: `contradicts` names the attributes in which this garment's group disagrees."""


@dataclass(frozen=True)
class Contradiction:
    """Garments of one group and region that people labelled differently: answer -> garments."""

    attribute: str
    region: str
    answers: Mapping[str, Sequence[str]]

    def __str__(self) -> str:
        said = (f"{answer} ({len(names)})" for answer, names in self.answers.items())
        return f"{self.region}: {self.attribute} is {' and '.join(said)}"


@dataclass(frozen=True)
class Group:
    """Garments of at least two photos, of `kind` copies or near; `parts` where the split has them.

    A group of copies has everything on photos that are copies, so it may hold several regions.
    """

    name: str
    kind: str
    garments: Sequence[GarmentRow]
    parts: Mapping[str, str]
    contradictions: Sequence[Contradiction] = ()

    @property
    def photos(self) -> list[str]:
        """Ids of its photos, sorted."""
        return sorted({row.photo_id for row in self.garments})

    @property
    def crossing(self) -> bool:
        """Whether train, val and test have more than one of its garments' parts."""
        return len({part for part in self.parts.values() if part != Part.QUARANTINE}) > 1


def duplicate_report(dataset: "Dataset", near: bool = False) -> list[Group]:
    """Groups of copies, with `near` also of what is very much alike, contradictory ones first.

    A group of near-duplicates that is nothing but copies is left out, and so are garments that a
    person turned down.
    """
    around = neighbourhood(dataset)
    copies = joined(duplicate_pairs(dataset, around))
    found = list(_groups(dataset, copies, COPIES))
    if near:
        alike = near_duplicates(dataset, around)
        ties = joined((name, one.garment_id) for name, one in alike.items())
        known = [{row.garment_id for row in group.garments} for group in found]
        found += [
            group
            for group in _groups(dataset, ties, NEAR)
            if not any({row.garment_id for row in group.garments} <= some for some in known)
        ]
    return sorted(
        found,
        key=lambda one: (one.kind, not one.contradictions, -len(one.photos), one.name),
    )


def rows(found: Sequence[Group]) -> list[tuple[str, ...]]:
    """Rows of the file, as in `COLUMNS`."""
    from garments.dataset import crop_name

    return [
        (
            group.name,
            group.kind,
            row.garment_id,
            row.photo_id,
            row.region,
            group.parts.get(row.garment_id, ""),
            " ".join(
                sorted(
                    one.attribute
                    for one in group.contradictions
                    if any(row.garment_id in names for names in one.answers.values())
                )
            ),
            crop_name(row.crop_sha),
        )
        for group in found
        for row in group.garments
    ]


def _groups(dataset: "Dataset", names: Mapping[str, str], kind: str) -> Iterator[Group]:
    members: dict[str, list[GarmentRow]] = defaultdict(list)
    for row in garment_rows(dataset, names):
        if row.state is GarmentState.ACTIVE:
            members[names[row.garment_id]].append(row)
    parts = {name: str(given.part) for name, given in newest_split(dataset).items()}
    said = _said(dataset)
    for name, garments in sorted(members.items()):
        if len({row.photo_id for row in garments}) > 1:
            mine = {
                row.garment_id: parts[row.garment_id] for row in garments if row.garment_id in parts
            }
            garments.sort(key=lambda row: (row.region, row.photo_id, row.garment_id))
            yield Group(name, kind, garments, mine, tuple(_contradictions(garments, said)))


def _said(dataset: "Dataset") -> dict[str, dict[str, str]]:
    """What people say of each garment, by attribute, as it is read."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for (garment, attribute), held in people_say_in(dataset).items():
        if held.value is not None:
            found[garment][attribute] = " + ".join(sorted(answer_of(held.value))) or "nothing"
    return found


def _contradictions(
    garments: Sequence[GarmentRow], said: Mapping[str, Mapping[str, str]]
) -> Iterator[Contradiction]:
    """Where garments of one region differ; not where a photo has several, which may do so."""
    by_region: dict[str, list[GarmentRow]] = defaultdict(list)
    for row in garments:
        by_region[row.region].append(row)
    for region, some in by_region.items():
        if max(Counter(row.photo_id for row in some).values()) > 1:
            continue
        attributes = dict.fromkeys(a for row in some for a in said.get(row.garment_id, ()))
        for attribute in attributes:
            answers: dict[str, list[str]] = defaultdict(list)
            for row in some:
                if answer := said.get(row.garment_id, {}).get(attribute):
                    answers[answer].append(row.garment_id)
            if len(answers) > 1:
                often = sorted(answers.items(), key=lambda pair: (-len(pair[1]), pair[0]))
                yield Contradiction(attribute, region, dict(often))
