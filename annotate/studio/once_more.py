"""Adds to a push the garments that are to be asked once more, each where it was asked before."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from annotate.studio.again import Asks
from annotate.studio.project import Kind
from annotate.studio.side import CREATED, DONE, Side, name_of
from annotate.studio.survey import Row, Survey


def ask_once_more(survey: Survey, asks: Asks, away: Collection[str], limit: int | None) -> int:
    """Add to `create` of the sides what is to be asked again; how many had no room.

    At most `limit` tasks go into the round of a migration, those of earlier pushes included. A
    garment that still has a task that nobody has touched is asked there; one that somebody skipped,
    or that is `away` (turned down), is left alone. One that was never sent waits for its turn.
    """
    sides, dropped = list(survey.sides.values()), 0
    in_round = Counter(
        str(round_) for side in sides for round_ in [*_rounds(side), *side.create.values()]
    )
    for side in sides:
        own = _by_garment(side)
        for garment in asks.garments:
            again = asks.open(garment, side.kind is Kind.AUDIT)
            if not again or garment in away or not _was_answered(side, own[garment], again):
                continue
            round_ = asks.rounds[again]
            if limit is not None and in_round[round_] >= limit:
                dropped += 1
            else:
                side.create[survey.add_again(garment, again)] = round_
                in_round[round_] += 1
    return dropped


def _rounds(side: Side) -> list[str]:
    """Rounds of tasks that were sent before; what a killed push still has to send is new."""
    return [str(row["round"]) for name, row in side.rows.items() if name not in side.create]


def _by_garment(side: Side) -> Mapping[str, list[Row]]:
    """Rows of labelling: what is asked to check people is no answer about the garment."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in side.rows.values():
        if not row.get("purpose"):
            found[row["garment_id"]].append(row)
    return found


def _was_answered(side: Side, own: Sequence[Row], again: str) -> bool:
    """Whether a garment was dealt with, and not asked again because of that migration yet."""
    if not own or any(row["again"] == again for row in own):
        return False
    return all(row["state"] == DONE or _is_begun(side, row) for row in own)


def _is_begun(side: Side, row: Row) -> bool:
    """Whether somebody has begun with a task that waits on the server."""
    listed = side.there.get(name_of(row))
    return row["state"] == CREATED and listed is not None and listed.touched
