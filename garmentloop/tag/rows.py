"""A tagged photo as a JSON object and as rows of a table."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from garmentloop.tag.photo import Tag, TaggedGarment, TaggedPerson, TaggedPhoto
from garmentloop.tag.words import UNSURE, verdict_words, with_children
from garments.boxes import Box
from garments.proposals import uncertainty
from garments.records import Doubt
from garments.taxonomy import Taxonomy


def as_json(photo: TaggedPhoto) -> dict[str, Any]:
    """One photo as plain values; the command's help and the README say what they mean."""
    return {
        "photo": photo.origin,
        "photo_id": photo.photo_id,
        "width": photo.width,
        "height": photo.height,
        "problem": photo.problem,
        "people": [_person(person) for person in photo.people],
        "garments": [_garment(garment) for garment in photo.garments],
    }


def header(taxonomy: Taxonomy) -> list[str]:
    """Columns of the table: one an attribute, those with a parent in their parent's."""
    columns = {found.id: found.title.lower() for found in taxonomy.attributes}
    for found in taxonomy.attributes:
        if found.parent:
            columns[found.parent] += f" / {columns.pop(found.id)}"
    return ["photo", "person", "region", *columns.values(), "confidence"]


def rows(photo: TaggedPhoto, taxonomy: Taxonomy) -> Iterator[list[str]]:
    """A row for each garment under `header`.

    What is only a guess has a question mark: a tag that the tagger abstains from, the region of a
    second guess. The confidence is the mean over the tags.
    """
    parents = {found.id: found.parent for found in taxonomy.attributes}
    columns = [name for name, parent in parents.items() if parent is None]
    for garment in photo.garments:
        said = with_children(garment.tags, parents)
        region = str(garment.region) + UNSURE * (Doubt.SECOND_GUESS in garment.flags)
        person = "" if garment.person is None else str(garment.person)
        cells = [said.get(column, "") for column in columns]
        sure = f"{1 - uncertainty(garment.tags):.2f}"
        yield [_name(photo), person, region, *cells, sure]


TURNED_DOWN = ("photo", "person", "turned down", "because it")
"""Columns of the table of people who were turned down."""


def turned_down(photo: TaggedPhoto) -> Iterator[list[str]]:
    """A row for each person who was turned down."""
    for person in photo.people:
        if not person.accepted:
            yield [_name(photo), str(person.number), verdict_words(person.verdict), person.reason]


def _name(photo: TaggedPhoto) -> str:
    return PurePath(photo.origin).name or photo.origin


def _person(person: TaggedPerson) -> dict[str, Any]:
    return {
        "person": person.number,
        "box": _box(person.box),
        "score": round(person.score, 4),
        "verdict": str(person.verdict),
        "reason": person.reason,
    }


def _garment(garment: TaggedGarment) -> dict[str, Any]:
    return {
        "garment_id": garment.garment_id,
        "person": garment.person,
        "region": str(garment.region),
        "box": _box(garment.box),
        "area": garment.area,
        "confidence": round(garment.confidence, 4),
        "flags": [str(flag) for flag in garment.flags],
        "tags": _tags(garment.tags),
    }


def _tags(tags: Mapping[str, Tag]) -> dict[str, Any]:
    return {
        name: {
            "values": list(tag.values),
            "confidence": round(tag.confidence, 4),
            "abstained": tag.abstained,
            "model": tag.model,
        }
        for name, tag in tags.items()
    }


def _box(box: Box) -> list[float]:
    return [round(float(side), 1) for side in box]
