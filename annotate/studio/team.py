"""All that is known of how well a team answers: agreement, gold scores, disputes and verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from annotate.studio.agreement import AttributeAgreement, agreements
from annotate.studio.disputes import by_attribute, find_disputes
from annotate.studio.scores import Score, scores
from annotate.studio.verdicts import Adjudication, adjudication

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Team:
    """Figures of a team; `disputes` counts by attribute those that nobody has settled."""

    agreements: tuple[AttributeAgreement, ...] = ()
    scores: tuple[Score, ...] = ()
    disputes: Mapping[str, int] = field(default_factory=dict)
    adjudication: Adjudication = field(default_factory=Adjudication)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.agreements or self.scores or self.disputes or self.adjudication.verdicts)


def team(dataset: "Dataset") -> Team:
    """How well people answer, from what was pulled."""
    return Team(
        tuple(agreements(dataset)),
        tuple(scores(dataset)),
        by_attribute(find_disputes(dataset)),
        adjudication(dataset),
    )
