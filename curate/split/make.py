"""Drawing a split: what is known, what must stay together, which part each goes to, the rows."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.split.assign import assign
from curate.split.evidence import weigh
from curate.split.facts import Duplicates, Facts, read_facts
from curate.split.notes import notes
from curate.split.parts import Part
from curate.split.record import (
    Earlier,
    Given,
    checked_version,
    next_version,
    read_earlier,
    split_rows,
)
from curate.split.stratify import shares
from garments.atwork import at_work
from garments.catalog.lock import exclusive
from garments.errors import BadInput, BadSetting

if TYPE_CHECKING:
    from garments.dataset import Dataset

VAL = 0.1
"""Share of val in train and val together, unless asked for another."""


@dataclass(frozen=True)
class SplitOptions:
    """`version` is the next free `split-N` where None; `val` a share in [0, 0.5]."""

    version: str | None = None
    val: float = VAL

    def __post_init__(self) -> None:
        if not 0 <= self.val <= 0.5:
            raise BadSetting(f"expected a share from 0 to 0.5 for val, but got {self.val:g}")
        if self.version is not None:
            checked_version(self.version)


@dataclass(frozen=True)
class Count:
    """What is in one part."""

    garments: int = 0
    groups: int = 0
    photos: int = 0


@dataclass(frozen=True)
class Split:
    """A split by garment_id: as it was drawn, or as it holds already.

    `version` is its name; `changed` counts garments whose part or group is another than before, new
    ones too; none is written where it is 0. `shares` are (train, val) by `attribute=value`, ""
    for all. `unlabelled` garments have no part yet. `notes` are sentences for the curator.
    """

    version: str
    given: Mapping[str, Given]
    changed: int
    counts: Mapping[Part, Count]
    shares: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    unlabelled: int = 0
    notes: tuple[str, ...] = ()


def split(
    dataset: "Dataset", options: SplitOptions | None = None, duplicates: Duplicates | None = None
) -> Split:
    """Draw the split and append it to the catalogue, unless it is what holds already.

    `duplicates` names duplicate groups by garment_id, those of `curate.duplicates` by default.
    Raises `BadInput` where nothing is labelled, nothing can be val, or the version exists.
    """
    dataset.run.mkdir(parents=True, exist_ok=True)
    # Two splits drawn at once could give parts of one group to different parts.
    with at_work(dataset), exclusive(dataset.run / "split.lock"):
        found = plan_split(dataset, options, duplicates)
        if found.changed:
            # One commit: the version is there whole or not at all.
            dataset.catalog.add("splits", split_rows(found.version, found.given))
    return found


def plan_split(
    dataset: "Dataset", options: SplitOptions | None = None, duplicates: Duplicates | None = None
) -> Split:
    """The split that `split` would write; the same errors."""
    facts = read_facts(dataset, duplicates or _duplicates)
    if not {*facts.values, *facts.audit} & facts.photos.keys():
        raise BadInput(
            f"expected garments with labels in {dataset.folder}, but there are none; bring labels "
            "back with `garmentloop annotate pull`, or import a labelled set"
        )
    return draw(facts, read_earlier(dataset), options or SplitOptions())


def draw(facts: Facts, earlier: Earlier, options: SplitOptions) -> Split:
    """The split that follows from plain facts and earlier splits; `BadInput` as `split`."""
    evidence = weigh(facts, earlier)
    if not evidence.split and not earlier.versions:
        raise BadInput("expected garments with labels to split, but there are none")
    parts = assign(evidence.members, options.val)
    given = {
        member.garment_id: Given(parts[member.garment_id], member.group)
        for member in evidence.members
        if member.garment_id in evidence.split
    }
    changed = _changed(given, earlier)
    return Split(
        _version(options, earlier, changed),
        given,
        changed,
        _counts(given, facts.photos),
        shares(evidence.members, parts),
        len(evidence.members) - len(given),
        tuple(notes(evidence, facts.stated, parts, earlier, options.val)),
    )


def _version(options: SplitOptions, earlier: Earlier, changed: int) -> str:
    """The name of what is drawn; `BadInput` where it is that of another split."""
    if not changed:
        return list(earlier.versions)[-1]
    name = options.version or next_version(earlier.versions)
    if name in earlier.versions:
        raise BadInput(
            f"expected a new name for the split, but {name} exists and {changed:,} garments would "
            "change; give another --version, or none"
        )
    return name


def _changed(given: Mapping[str, Given], earlier: Earlier) -> int:
    def same(garment: str, now: Given) -> bool:
        before = earlier.newest.get(garment)
        return before is not None and (before.part, before.group) == (now.part, now.group)

    return sum(not same(garment, now) for garment, now in given.items())


def _counts(given: Mapping[str, Given], of_photo: Mapping[str, str]) -> dict[Part, Count]:
    garments: Counter[Part] = Counter(found.part for found in given.values())
    groups, photos = defaultdict(set), defaultdict(set)
    for garment, found in given.items():
        groups[found.part].add(found.group)
        photos[found.part].add(of_photo[garment])
    return {part: Count(garments[part], len(groups[part]), len(photos[part])) for part in Part}


def _duplicates(dataset: "Dataset") -> Mapping[str, str]:
    from curate.duplicates import duplicate_groups

    return duplicate_groups(dataset)
