"""What a curator should know about a split: what leaks, what is missing, what was left out."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from curate.split.evidence import Evidence
from curate.split.parts import STRENGTH, Member, Part
from curate.split.record import Earlier
from curate.split.stated import Stated
from curate.split.stratify import SIZE, shares

LARGE = 0.25
"""A group with a larger share of the garments than this is told: it may be tied by mistake."""

MOST_NAMED = 6
"""Values named in one note at most."""


def notes(
    evidence: Evidence,
    stated: Stated,
    parts: Mapping[str, Part],
    earlier: Earlier,
    val: float,
) -> Iterator[str]:
    """Sentences, the most important first; none where there is nothing to say."""
    members = [member for member in evidence.members if member.garment_id in evidence.split]
    if not any(parts[member.garment_id] is Part.TEST for member in members):
        yield (
            "there is no test part: it comes from garments that were annotated blind (`garmentloop "
            "annotate push --audit 5%`) and from the held-out part of imported sets"
        )
    if evidence.divided:
        yield (
            f"@{evidence.divided} was the only handle, so its photos are split one by one: "
            "the same people may be in train and test"
        )
    yield from _left_out(evidence.members, members, parts, earlier)
    yield from _large(members)
    yield from _missing(shares(members, parts), val)
    if stated.unknown:
        words = _list(f"{word} ({count:,})" for word, count in stated.unknown.most_common())
        yield f"parts of imported sets that mean nothing here, by photos: {words}"


def _left_out(
    everybody: Sequence[Member],
    members: Sequence[Member],
    parts: Mapping[str, Part],
    earlier: Earlier,
) -> Iterator[str]:
    """How many are in quarantine, and why."""
    stands: dict[str, set[Part | None]] = defaultdict(set)
    for member in everybody:
        stands[member.group].add(member.stand)
    out = [member for member in members if parts[member.garment_id] is Part.QUARANTINE]
    reasons = Counter(_reason(member, stands[member.group]) for member in out)
    fresh = sum(
        member.home is not None and earlier.newest[member.garment_id].part is not Part.QUARANTINE
        for member in out
    )
    if reasons:
        told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
        since = f" ({fresh:,} of them taken out by this split)" if fresh else ""
        yield f"in quarantine: {told}{since}"


def _reason(member: Member, stands: Collection[Part | None]) -> str:
    if member.spoilt:
        return f"from {member.home} that should be test now"
    return f"hang together with {next(part for part in STRENGTH if part in stands)}"


def _large(members: Sequence[Member]) -> Iterator[str]:
    sizes = Counter(member.group for member in members)
    name, size = sizes.most_common(1)[0]
    if size > LARGE * len(members) and len(sizes) > 1:
        yield (
            f"one group ({name}) has {size:,} of {len(members):,} garments; its photos share a "
            "handle or are copies of each other"
        )


def _missing(found: Mapping[str, tuple[int, int]], share: float) -> Iterator[str]:
    """Where groups kept val from having its share."""
    train, val = found.get(SIZE, (0, 0))
    if share and train + val and abs(val / (train + val) - share) > max(0.01, share / 5):
        yield f"val has {val / (train + val):.1%} of train and val together, not {share:.1%}"
    lacking = [
        value for value, (in_train, in_val) in found.items() if not in_val and share * in_train >= 1
    ]
    if val and lacking:
        yield f"values that val has none of, since they are in groups of train: {_list(lacking)}"


def _list(names: Iterable[str]) -> str:
    """Names in words, the first few of many."""
    every = list(names)
    shown = ", ".join(every[:MOST_NAMED])
    return shown if len(every) <= MOST_NAMED else f"{shown} and {len(every) - MOST_NAMED} more"
