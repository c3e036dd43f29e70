"""Tags in words, as the table and the annotated picture show them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from garmentloop.tag.photo import Tag, TaggedGarment, TaggedPhoto
from garments.records import Doubt, Verdict

LABEL = ("category", "color", "pattern")
"""What a garment's label names; the first three tags where none of these is asked."""

UNSURE = "?"
"""Stands behind what a tagger would only guess."""


def words(tag: Tag) -> str:
    """The values as people read them, with a question mark where the tagger abstained."""
    return ", ".join(tag.titles) + (UNSURE if tag.abstained else "")


def verdict_words(verdict: Verdict) -> str:
    """A verdict as people read it."""
    return str(verdict).replace("_", " ")


def label_tags(garment: TaggedGarment) -> list[Tag]:
    """The tags that a garment's label names, in order."""
    found = [garment.tags[name] for name in LABEL if name in garment.tags]
    return found or list(garment.tags.values())[:3]


def with_children(tags: Mapping[str, Tag], parents: Mapping[str, str | None]) -> dict[str, str]:
    """Words by attribute, those of an attribute with a parent behind its parent's.

    `parents` has every attribute's parent.
    """
    said: dict[str, str] = {}
    for name, tag in tags.items():
        above = parents.get(name)
        if above in said:
            said[above] += f" / {words(tag)}"
        else:
            said[name] = words(tag)
    return said


def shown(photo: TaggedPhoto, everyone: bool) -> TaggedPhoto:
    """The photo as it is shown: with `everyone`, all that was found.

    Else without people who were turned down, and without second guesses, which wait for a person
    to decide between them and the garment that they lie on.
    """
    if everyone:
        return photo
    return replace(
        photo,
        people=tuple(person for person in photo.people if person.accepted),
        garments=tuple(_sure(photo)),
    )


def _sure(photo: TaggedPhoto) -> Iterator[TaggedGarment]:
    return (garment for garment in photo.garments if Doubt.SECOND_GUESS not in garment.flags)
