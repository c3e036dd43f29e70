"""Which groups are val: so that every value has its share there, as far as groups allow.

Groups are drawn by hash, and then change sides as long as that brings val nearer to its share of
every value. Groups cannot be cut, and some are placed already; so this is a descent and no exact
solution, but never worse than the draw. Nothing depends on the order in which groups are given.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from curate.split.parts import Member, Part
from garments.ids import ID_LENGTH, stable_id

SIZE = ""
"""Stands among the values for the number of garments."""

MOST_PASSES = 30
"""Rounds in which groups may change sides; on public sets 3 to 6 were enough."""

_LEAST = 1e-9
"""Smaller gains than this are rounding."""


@dataclass(frozen=True)
class Group:
    """Garments that stay together: how many of them have each value; under `SIZE` how many."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)


def grouped(members: Iterable[Member]) -> list[Group]:
    """Members as groups by name, counting those that count."""
    found: dict[str, Counter[str]] = {}
    for member in members:
        counts = found.setdefault(member.group, Counter())
        if member.counts:
            counts.update({SIZE, *member.values})
    # In order, or sums would differ in their last digit from run to run.
    return [Group(name, Counter(dict(sorted(found[name].items())))) for name in sorted(found)]


def choose_val(
    free: Sequence[Group], share: float, train: Mapping[str, int], val: Mapping[str, int]
) -> set[str]:
    """Names of those of the `free` groups that are val, for a `share` of all in [0, 1].

    `train` and `val` count what is placed already. Where nothing would be val, the smallest group
    is, if at least half of all remains; else none.
    """
    if not share:
        return set()
    total = added(free, Counter(train) + Counter(val))
    wanted = {value: share * count for value, count in total.items()}
    order = sorted(free, key=lambda group: (_rarest(group, total), _draw(group.name)))
    chosen = {group.name for group in order if _draw(group.name) < share}
    have = added((group for group in order if group.name in chosen), val)
    for _ in range(MOST_PASSES):
        if not _improve(order, chosen, wanted, have):
            break
    return chosen if have[SIZE] else chosen | _smallest(free, total[SIZE])


def added(groups: Iterable[Group], start: Mapping[str, int] | None = None) -> Counter[str]:
    """The counts of all groups together."""
    total = Counter(start or {})
    for group in groups:
        total.update(group.counts)
    return total


def shares(members: Iterable[Member], parts: Mapping[str, Part]) -> dict[str, tuple[int, int]]:
    """By value: how many garments in train, and how many in val; under `SIZE` all of them."""
    found: dict[Part, Counter[str]] = {Part.TRAIN: Counter(), Part.VAL: Counter()}
    for member in members:
        part = parts[member.garment_id]
        if member.counts and part in found:
            found[part].update({SIZE, *member.values})
    train, val = found[Part.TRAIN], found[Part.VAL]
    return {value: (train[value], val[value]) for value in sorted({*train, *val})}


def _rarest(group: Group, total: Mapping[str, int]) -> int:
    return min((total[value] for value in group.counts), default=0)


def _draw(name: str) -> float:
    """A number in [0, 1) that is the group's for ever."""
    return float(int(stable_id("val", name), 16) / 16**ID_LENGTH)


def _improve(
    order: Iterable[Group], chosen: set[str], wanted: Mapping[str, float], have: Counter[str]
) -> bool:
    """Let each group change sides if val comes nearer to what is `wanted`; whether any did.

    The distance of a value is squared and divided by what is wanted, as in a chi-square. Changes
    `chosen` and what val is to `have` of each value.
    """
    moved = False
    for group in order:
        sign = -1 if group.name in chosen else 1
        change = 0.0
        for value, count in group.counts.items():
            off = have[value] - wanted[value]
            change += ((off + sign * count) ** 2 - off**2) / wanted[value]
        if change < -_LEAST:
            chosen ^= {group.name}
            have.update({value: sign * count for value, count in group.counts.items()})
            moved = True
    return moved


def _smallest(free: Sequence[Group], total: int) -> set[str]:
    """The smallest group, unless it is more than half of everything."""
    able = [group for group in free if 0 < group.counts[SIZE] <= total / 2]
    able.sort(key=lambda group: (group.counts[SIZE], _draw(group.name)))
    return {group.name for group in able[:1]}
