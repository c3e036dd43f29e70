"""What a push would do, and how far it has come, in figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from annotate.studio.choose import BEYOND


@dataclass(frozen=True)
class PushPlan:
    """What a push would do, in tasks. Of `created`, `blind` are those in the audit slice, `shared`
    those that several people answer besides, `gold` those whose answer is known, and `again` those
    that ask once more, because a migration split what was answered.

    `left` are tasks that stay as they are; `deleted` were deleted in Label Studio and stay away;
    `unshown` are garments that cannot be sent, and `reasons` says of how many what holds;
    `lacking_gold` is how many gold tasks fewer there are than were asked for.
    """

    round: str
    created: int
    blind: int
    updated: int
    left: int
    deleted: int
    unshown: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    shared: int = 0
    gold: int = 0
    lacking_gold: int = 0
    again: int = 0

    @property
    def beside(self) -> str:
        """What is told of new tasks beside how many are blind."""
        text = f", {self.shared} for several people" if self.shared else ""
        text += f", {self.gold} gold" if self.gold else ""
        return text + (f", {self.again} asked again after a migration" if self.again else "")

    @property
    def full(self) -> bool:
        """Whether nothing was sent because the round has all the tasks that it may have."""
        return not self.created and bool(self.reasons.get(BEYOND))

    def __str__(self) -> str:
        return (
            f"{self.round}: {self.created} tasks to create ({self.blind} of them blind"
            f"{self.beside}), {self.updated} to update, {self.left} left as "
            f"they are, {self.deleted} deleted in Label Studio"
        )


@dataclass(frozen=True)
class PushProgress:
    """How far a push has come, in tasks; `total` counts those to create and to update.

    `blind` are those of `created` in the audit slice. `spared` were to be updated, but somebody
    began with them meanwhile. `removed` were on the server twice, `withdrawn` are needed no more.
    """

    plan: PushPlan
    total: int | None = None
    created: int = 0
    blind: int = 0
    updated: int = 0
    spared: int = 0
    removed: int = 0
    withdrawn: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        text = (
            f"{self.plan.round}: {self.created} tasks created ({self.blind} of them blind"
            f"{self.plan.beside}), {self.updated} updated, "
            f"{self.plan.left + self.spared} left as they are"
        )
        if self.plan.deleted:
            text += f", {self.plan.deleted} deleted in Label Studio"
        return text + (f", {self.removed} doubles removed" if self.removed else "")

    @property
    def done(self) -> int:
        """Tasks that are dealt with."""
        return self.created + self.updated + self.spared
