"""The audit slice: garments that are annotated blind, chosen by a hash before any selection.

Test data and edit rates come from it alone, so neither a tagger nor a selection may have a say in
who belongs to it. Whole groups are drawn: all photos of one handle, else the single photo, and
copies of a photo follow it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from garments.ids import ID_LENGTH, stable_id

if TYPE_CHECKING:
    from garments.dataset import Dataset

_EMPTY_HASH = "0" * 16
"""Perceptual hash of every blank picture: no sign that two photos are copies."""


@dataclass(frozen=True)
class AuditSlice:
    """The active garments of the slice in the order in which they take their turn.

    `note` says in words what leaks out of it, empty where nothing is known to.
    """

    garments: tuple[str, ...] = ()
    note: str = ""

    def __contains__(self, garment_id: object) -> bool:
        return garment_id in self._set

    @cached_property
    def _set(self) -> frozenset[str]:
        return frozenset(self.garments)


def draw_audit(
    dataset: "Dataset", share: float, sent: Mapping[str, bool] | None = None
) -> AuditSlice:
    """The audit slice of about `share` (0 to 1) of all groups.

    `sent` has the garments that were sent to annotators already, with whether blind. A group of
    which something was sent blind stays in the slice, one of which it was sent pre-filled out of
    it, whatever `share` is now.
    """
    sent = sent or {}
    garments = _columns(dataset.catalog.active_garments(columns=["garment_id", "photo_id"]))
    groups, note = _groups(dataset, {photo for _, photo in garments})
    blind = {groups[photo] for garment, photo in garments if sent.get(garment)}
    seen = {groups[photo] for garment, photo in garments if sent.get(garment) is False}
    inside = {
        group
        for group in set(groups.values())
        if group in blind or (group not in seen and _draw(group) < share)
    }
    chosen = [
        garment
        for garment, photo in garments
        if groups[photo] in inside and sent.get(garment) is not False
    ]
    return AuditSlice(tuple(sorted(chosen, key=_turn)), note if share else "")


def _draw(group: str) -> float:
    """A number in [0, 1) that is the group's for ever."""
    return float(int(stable_id("audit", group), 16) / 16**ID_LENGTH)


def _turn(garment: str) -> str:
    return stable_id("audit turn", garment)


def _groups(dataset: "Dataset", photos: Collection[str]) -> tuple[dict[str, str], str]:
    """The group of each photo, and what leaks between groups."""
    stated = "photo_id IS NOT NULL AND handle IS NOT NULL AND handle != ''"
    rows = dataset.catalog.rows("sources", ["photo_id", "handle"], stated)
    handles = {(photo, handle) for photo, handle in _columns(rows) if photo in photos}
    names = {handle for _, handle in handles}
    by_handle = len(names) > 1
    note = ""
    if len(names) == 1:
        note = (
            f"all photos have the one handle {next(iter(names))}, so the audit slice is drawn by "
            "photo: the same people may be in it and in what is trained on"
        )
    ties = [(f"photo:{photo}", f"handle:{handle}") for photo, handle in handles if by_handle]
    return _joined(photos, [*ties, *_copies(dataset, photos)]), note


def _copies(dataset: "Dataset", photos: Collection[str]) -> Iterable[tuple[str, str]]:
    """Pairs of photos with the same perceptual hash."""
    import pyarrow.compute as pc

    rows = dataset.catalog.rows("photos", ["photo_id", "phash"], "phash IS NOT NULL")
    counted = pc.value_counts(rows.column("phash").combine_chunks())
    often = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    rows = rows.filter(pc.is_in(rows.column("phash"), often))
    alike: dict[str, list[str]] = defaultdict(list)
    for photo, phash in _columns(rows):
        if photo in photos and phash and phash != _EMPTY_HASH:
            alike[phash].append(f"photo:{photo}")
    return ((some[0], other) for some in alike.values() for other in some[1:])


def _joined(photos: Iterable[str], ties: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first name, in alphabetical order, of all that hangs together with each photo."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.get(name, name)) != name:
            parent[name] = parent.get(above, above)
            name = above
        return name

    for one, other in ties:
        first, last = sorted((root(one), root(other)))
        parent[last] = first
    return {photo: root(f"photo:{photo}") for photo in photos}


def _columns(table: Any) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
