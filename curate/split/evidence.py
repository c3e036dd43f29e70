"""From facts to members: what must stay together, and what each garment is due."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from curate.split.facts import Facts
from curate.split.groups import Tie, group_photos
from curate.split.handles import handle_ties
from curate.split.parts import Member, Part
from curate.split.record import Earlier


@dataclass(frozen=True)
class Evidence:
    """All garments as members, and which of them get a part.

    `split` are those with people's labels, those of the audit slice, and those split before.
    `divided` is the handle whose photos are split one by one, or "".
    """

    members: list[Member]
    split: frozenset[str]
    divided: str = ""


def weigh(facts: Facts, earlier: Earlier) -> Evidence:
    """Every garment with its group, what it was given before, and what its origin gives it."""
    photos = facts.photos
    handles = handle_ties(facts.sources, photos.values(), earlier.versions.values())
    ties = [*handles.ties, *_copies(photos, facts.duplicates)]
    before = [(photos[garment], name) for garment, name in earlier.groups if garment in photos]
    groups = group_photos(photos.values(), ties, before)
    members = [
        Member(
            garment,
            groups[photo],
            earlier.home.get(garment),
            Part.TEST if garment in facts.audit else facts.stated.claims.get(photo),
            tuple(facts.values.get(garment, ())),
            garment in facts.values and garment in facts.active,
        )
        for garment, photo in sorted(photos.items())
    ]
    split = {*facts.values, *facts.audit, *earlier.newest} & photos.keys()
    return Evidence(members, frozenset(split), handles.divided)


def _copies(photos: Mapping[str, str], duplicates: Mapping[str, str]) -> Iterator[Tie]:
    """Ties of photos whose garments are copies."""
    for garment, name in duplicates.items():
        if garment in photos:
            yield photos[garment], f"copies:{name}"
