"""Which garments are sent to annotators next, and which of them blind."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.studio.audit import AuditSlice
from garments.errors import BadInput, BadSetting
from garments.files import MAX_FILE_BYTES, read_bytes
from garments.ids import stable_id

if TYPE_CHECKING:
    from garments.dataset import Dataset

NEW, RANDOM = "new", "random"
BEYOND = "beyond --limit"
FIRST_ROUND = "round-1"

MOST_PEOPLE = 100
"""Who answer one task, at most."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PushOptions:
    """What is pushed.

    `select` is `new` (in the order in which garments were cut out), `random` or a file with a
    garment_id a line. `limit` is how many tasks `round` may have in all, so that the same command
    again adds none; the round is the newest where it is None. `audit` is the share of groups that
    are annotated blind, in [0, 1]. A form that was edited in the browser is replaced with
    `reset_form` only. Of all new tasks the share `overlap_share`, drawn by a hash, is answered by
    `overlap` people. `gold` is how many garments whose answer is known are mixed in again, as a
    share of the pre-filled tasks.
    """

    select: str = NEW
    limit: int | None = None
    round: str | None = None
    audit: float = 0.05
    reset_form: bool = False
    overlap: int = 1
    overlap_share: float = 0.2
    gold: float = 0.0

    def __post_init__(self) -> None:
        shares = {"audit": self.audit, "overlap": self.overlap_share, "gold": self.gold}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise BadSetting(f"expected a share from 0 to 1 for {name}, but got {share}")
        if not 1 <= self.overlap <= MOST_PEOPLE:
            raise BadSetting(
                f"expected an overlap of 1 to {MOST_PEOPLE} people, but got {self.overlap}"
            )
        if self.limit is not None and self.limit < 1:
            raise BadSetting(f"expected a limit of at least 1, but got {self.limit}")


@dataclass(frozen=True)
class Choice:
    """Garments to send, in order: to be shown pre-filled, and blind; why others are not sent."""

    round: str
    main: list[str] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Known:
    """What choosing depends on.

    `garments` are ids of active ones in the order in which they were cut out; `sent` has those
    that were sent before, with whether blind; `rows` are all rows of `tasks`; `excluded` are
    garments that a person turned down.
    """

    garments: Sequence[str]
    sent: Mapping[str, bool]
    rows: Sequence[Row]
    excluded: frozenset[str]


def choose(options: PushOptions, known: Known, audit: AuditSlice) -> Choice:
    """What to send next; blind ones by the slice's own order, whatever is selected."""
    named = options.select not in (NEW, RANDOM)
    round_ = options.round or newest_round(known.rows)
    choice = Choice(round_)
    free = _free(_wanted(options, known, round_), known, choice.left)
    main = [garment for garment in free if garment not in audit]
    if named and len(free) > len(main):
        choice.left["of the audit slice, which has its own turns"] = len(free) - len(main)
    pool = [g for g in audit.garments if g not in known.sent and g not in known.excluded]
    in_round = sum(row["round"] == round_ for row in known.rows)
    room = None if options.limit is None else max(0, options.limit - in_round)
    quota = _quota(options, known, len(main) + (0 if named else len(pool)), room)
    quota = min(quota, len(pool)) if named or room is not None else len(pool)
    if room is not None:
        dropped = max(0, len(main) - (room - quota))
        main = main[: max(0, room - quota)]
        if not named:
            quota = min(len(pool), room - len(main))
        if dropped:
            choice.left[BEYOND] = dropped
    choice.main.extend(main)
    choice.audit.extend(pool[:quota])
    return choice


def newest_round(rows: Sequence[Row]) -> str:
    """The round that was pushed to last, `round-1` before the first."""
    last = max(rows, key=lambda row: int(row["seq"]), default=None)
    return str(last["round"] or FIRST_ROUND) if last else FIRST_ROUND


def excluded_garments(dataset: "Dataset") -> frozenset[str]:
    """Garments that a person turned down as a bad crop, or excluded."""
    rows = dataset.catalog.rows("decisions").to_pylist()
    withdrawn = {row["withdraws"] for row in rows if row["withdraws"]}
    return frozenset(
        row["garment_id"]
        for row in rows
        if row["kind"] in ("bad_crop", "excluded")
        and not row["withdraws"]
        and row["decision_id"] not in withdrawn
    )


def _quota(options: PushOptions, known: Known, candidates: int, room: int | None) -> int:
    """How many blind tasks keep their share of all that were ever sent."""
    size = candidates if room is None else min(room, candidates)
    wanted = round(options.audit * (len(known.sent) + size))
    return max(0, min(wanted - sum(known.sent.values()), size))


def _wanted(options: PushOptions, known: Known, round_: str) -> Sequence[str]:
    if options.select == NEW:
        return known.garments
    if options.select == RANDOM:
        return sorted(known.garments, key=lambda garment: stable_id("random", round_, garment))
    return named_garments(Path(options.select))


def _free(wanted: Sequence[str], known: Known, left: Counter[str]) -> list[str]:
    """Those that may be sent; the others are counted in `left` by the reason."""
    active, found = frozenset(known.garments), []
    for garment in wanted:
        if garment in known.sent:
            left["sent before"] += 1
        elif garment in known.excluded:
            left["turned down by a person"] += 1
        elif garment not in active:
            left["not among the data set's garments"] += 1
        else:
            found.append(garment)
    return found


def named_garments(path: Path) -> list[str]:
    """The garment ids in a file, one a line; blank lines and those that begin with # are skipped.

    Each once, in order. Raises `BadInput` where a line is no id.
    """
    if not path.exists():
        raise BadInput(
            f"expected `new`, `random` or a file of garment ids to select, but got {str(path)!r}, "
            "and there is no such file; check the name"
        )
    try:
        text = read_bytes(path, MAX_FILE_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"expected garment ids in UTF-8 in {path}, but {error}") from error
    found: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        if len(name) != 16 or not set(name) <= set("0123456789abcdef"):
            raise BadInput(
                f"expected a garment id of 16 hex digits in line {number} of {path}, but got "
                f"{name[:60]!r}; `new` and `random` are the other things to select"
            )
        found[name] = None
    return list(found)
