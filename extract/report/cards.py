"""What one card of the contact sheet shows, gathered from the catalogue."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.report.proposed import Proposed
from garments.catalog import Catalog, one_of
from garments.catalog.rows import garment_from_row, person_from_row
from garments.dataset import crop_name
from garments.masks import RunLengthMask
from garments.records import Doubt, Garment, Person

OUTLINE_SIDE = 480
"""Longer side, in units, of the grid on which mask outlines are drawn."""

_SMOOTH = 0.7


@dataclass(frozen=True)
class Place:
    """A box in per cent of the photo's sides, as CSS wants it."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class PersonCard:
    """One person: where, how sure, verdict and its reason in words."""

    place: Place
    score: float
    verdict: str
    reason: str


@dataclass(frozen=True)
class GarmentCard:
    """One garment: its crop's path from the report's folder, and its outline as an SVG path.

    `proposed` is None where no tagger has spoken.
    """

    garment_id: str
    region: str
    crop: str
    size: str
    share: float
    confidence: float
    flags: tuple[str, ...]
    outline: str
    proposed: Proposed | None = None


@dataclass(frozen=True)
class PhotoCard:
    """One photo. `ratio` is width / height, `grid` the size of the outlines' grid."""

    photo_id: str
    name: str
    origin: str
    others: tuple[str, ...]
    handle: str
    size: str
    ratio: float
    grid: tuple[int, int]
    people: tuple[PersonCard, ...]
    garments: tuple[GarmentCard, ...]

    @property
    def facets(self) -> list[str]:
        """What the filter buttons look for: verdicts, doubts and proposals on this card."""
        found = {person.verdict for person in self.people}
        found |= {flag for garment in self.garments for flag in garment.flags}
        found |= {facet for proposed in self.proposals for facet in proposed.facets}
        if not self.people and not self.garments:
            found.add("nobody")
        return sorted(found)

    @property
    def proposals(self) -> list[Proposed]:
        """What is proposed for those garments that a tagger has spoken about."""
        return [garment.proposed for garment in self.garments if garment.proposed]

    @property
    def uncertainty(self) -> float:
        """That of the garment that is least certain, in [0, 1]; -1 without any proposal."""
        return max((proposed.uncertainty for proposed in self.proposals), default=-1.0)


def cards(
    catalog: Catalog, photos: Sequence[dict[str, Any]], proposals: Mapping[str, Proposed]
) -> Iterator[PhotoCard]:
    """Cards of `photos` (rows of the table), in their order; `proposals` are by garment."""
    where = one_of("photo_id", [photo["photo_id"] for photo in photos])
    sources = _by_photo(catalog.rows("sources", where=where).to_pylist())
    people = _by_photo(catalog.active_people(where).to_pylist())
    garments = _by_photo(catalog.active_garments(where).to_pylist())
    for photo in photos:
        name = photo["photo_id"]
        yield _card(
            photo,
            sources.get(name, []),
            [person_from_row(row) for row in people.get(name, [])],
            [garment_from_row(row) for row in garments.get(name, [])],
            proposals,
        )


def outline(mask: RunLengthMask, grid: tuple[int, int]) -> str:
    """SVG path around a mask on a grid of (width, height) units; holes by the even-odd rule."""
    small = cv2.resize(mask.decode().astype(np.uint8), grid, interpolation=cv2.INTER_AREA)
    contours, _ = cv2.findContours(small, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    paths = (_path(cv2.approxPolyDP(contour, _SMOOTH, True)[:, 0]) for contour in contours)
    return "".join(path for path in paths if path)


def _path(points: NDArray[Any]) -> str:
    if len(points) < 3:
        return ""
    (x, y), *rest = points.tolist()
    steps = []
    for to_x, to_y in rest:
        steps.append(f"{to_x - x} {to_y - y}")
        x, y = to_x, to_y
    return f"M{points[0][0]} {points[0][1]}l{' '.join(steps)}z"


def _card(
    photo: dict[str, Any],
    sources: Sequence[dict[str, Any]],
    people: Sequence[Person],
    garments: Sequence[Garment],
    proposals: Mapping[str, Proposed],
) -> PhotoCard:
    width, height = max(1, photo["width"]), max(1, photo["height"])
    origins = [row["origin"] for row in sorted(sources, key=lambda row: row["seq"])] or ["?"]
    scale = OUTLINE_SIDE / max(width, height)
    grid = max(1, round(width * scale)), max(1, round(height * scale))
    return PhotoCard(
        photo_id=photo["photo_id"],
        name=PurePosixPath(origins[0]).name or origins[0],
        origin=origins[0],
        others=tuple(origins[1:]),
        handle=next((row["handle"] for row in sources if row["handle"]), ""),
        size=f"{width} × {height}",  # noqa: RUF001 - a multiplication sign is meant
        ratio=width / height,
        grid=grid,
        people=tuple(_person(person, width, height) for person in _by_place(people)),
        garments=tuple(
            _garment(garment, width * height, grid, proposals.get(garment.garment_id))
            for garment in garments
        ),
    )


def _by_place(people: Sequence[Person]) -> list[Person]:
    return sorted(people, key=lambda person: (person.verdict != "accepted", person.box.x1))


def _person(person: Person, width: int, height: int) -> PersonCard:
    box = person.box
    place = Place(
        round(100 * box.x1 / width, 2),
        round(100 * box.y1 / height, 2),
        round(100 * box.width / width, 2),
        round(100 * box.height / height, 2),
    )
    return PersonCard(place, person.score, str(person.verdict), person.reason)


def _garment(
    garment: Garment, pixels: int, grid: tuple[int, int], proposed: Proposed | None
) -> GarmentCard:
    return GarmentCard(
        garment_id=garment.garment_id,
        region=str(garment.region),
        crop=f"../{crop_name(garment.crop_sha)}",
        size=f"{garment.box.width:.0f} × {garment.box.height:.0f} px",  # noqa: RUF001
        share=garment.area / pixels,
        confidence=garment.confidence,
        flags=tuple(str(flag) for flag in garment.flags),
        # a second guess lies on the garment that won, and two tints on one place tell nothing
        outline=outline(garment.mask, grid)
        if garment.mask and Doubt.SECOND_GUESS not in garment.flags
        else "",
        proposed=proposed,
    )


def _by_photo(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row["photo_id"], []).append(row)
    return grouped
