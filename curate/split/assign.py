"""Which part each garment goes to: what was decided stays, what meets a stronger part leaves."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from curate.split.parts import STRENGTH, Member, Part
from curate.split.stratify import SIZE, Group, added, choose_val, grouped
from garments.errors import BadInput


def assign(members: Iterable[Member], val: float) -> dict[str, Part]:
    """The part of each member by garment_id; `val` is the share of val in train and val together.

    Raises `BadInput` where groups are too large for anything to be val.
    """
    by_group: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        by_group[member.group].append(member)
    sides = {name: _side(group) for name, group in by_group.items()}
    settled = {
        member.garment_id: _part(member, side)
        for name, side in sides.items()
        if side
        for member in by_group[name]
    }
    free = [member for name, side in sides.items() if not side for member in by_group[name]]
    chosen = _choose(free, _placed(by_group, settled), val)
    drawn = {
        member.garment_id: Part.VAL if member.group in chosen else Part.TRAIN for member in free
    }
    return settled | drawn


def _side(group: Sequence[Member]) -> Part | None:
    """The strongest part that has something of the group, None where it is free."""
    stands = {member.stand for member in group}
    return next((part for part in STRENGTH if part in stands), None)


def _part(member: Member, side: Part) -> Part:
    """The part of a garment in a group of that side."""
    if member.spoilt:
        return Part.QUARANTINE
    if side is Part.TEST:  # nothing gets into test by company: its labels may be pre-filled ones
        return Part.TEST if member.stand is Part.TEST else Part.QUARANTINE
    return side if member.stand in (side, None) else Part.QUARANTINE


def _placed(
    by_group: Mapping[str, Sequence[Member]], settled: Mapping[str, Part]
) -> dict[Part, Counter[str]]:
    """What counts of each value are in train and val before anything is drawn."""
    members: dict[Part, list[Member]] = defaultdict(list)
    for group in by_group.values():
        for member in group:
            if member.garment_id in settled:
                members[settled[member.garment_id]].append(member)
    return {part: added(grouped(members[part])) for part in (Part.TRAIN, Part.VAL)}


def _choose(free: Sequence[Member], placed: Mapping[Part, Counter[str]], share: float) -> set[str]:
    groups = grouped(free)
    train, val = placed[Part.TRAIN], placed[Part.VAL]
    chosen = choose_val(groups, share, train, val)
    drawn = sum(group.counts[SIZE] for group in groups if group.name in chosen)
    there = train[SIZE] + sum(group.counts[SIZE] for group in groups)
    if share and there and not val[SIZE] + drawn:
        raise BadInput(_cannot(groups, train[SIZE], share))
    return chosen


def _cannot(groups: Sequence[Group], train: int, share: float) -> str:
    """Why nothing can be val, and what to do."""
    wanted = f"expected to draw {share:.0%} for val, but "
    sizes = sorted((group.counts[SIZE] for group in groups), reverse=True)
    if not sum(sizes):
        why = f"all {train:,} garments outside test are train already and stay there; label others"
    else:
        why = (
            f"the {train + sum(sizes):,} garments outside test leave too little choice: "
            f"{sizes[0]:,} of them belong to one group (photo, handle or copies); label photos of "
            "others"
        )
    return f"{wanted}{why}, or go without by --val 0"
