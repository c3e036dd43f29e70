"""What adjudication changed: what held before each verdict, and whose answer it was."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garments.agreement import annotators_answers
from garments.answers import Answer, answer_of
from garments.metrics import wilson_interval
from garments.said import Basis, Held, LabelKind, Rules, audit_slice, people_say

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Verdicts:
    """Verdicts that hold about one attribute, against what held before and would without them.

    `settled`: nothing held. `own`: no annotator had said it.
    """

    attribute: str
    kept: int = 0
    changed: int = 0
    settled: int = 0
    own: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return self.kept + self.changed + self.settled


@dataclass(frozen=True)
class Sided:
    """In how many adjudicated disputes one annotator had a say, and in how many was right."""

    annotator: str
    answers: int
    right: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share (Wilson)."""
        return wilson_interval(self.right, self.answers)


@dataclass(frozen=True)
class Adjudication:
    """All verdicts by attribute, and how annotators fared, those with most answers first."""

    verdicts: tuple[Verdicts, ...] = ()
    sided: tuple[Sided, ...] = ()


def adjudication(dataset: "Dataset") -> Adjudication:
    """What verdicts that hold now have changed."""
    labels = dataset.catalog.rows("labels").to_pylist()
    rules = Rules(simulated=dataset.settings.simulated, audit=audit_slice(dataset))
    verdicts = {
        key: answer_of(one.value)
        for key, one in people_say(labels, rules).items()
        if one.basis is Basis.ADJUDICATED and one.value is not None
    }
    if not verdicts:
        return Adjudication()
    before = people_say([row for row in labels if row["kind"] != LabelKind.ADJUDICATED], rules)
    garments = {garment for garment, _ in verdicts}
    answers = annotators_answers(labels, garments, dataset.settings.simulated)
    cases = [
        _Case(attribute, verdict, before.get((garment, attribute)), said)
        for (garment, attribute), verdict in verdicts.items()
        for said in [answers.get(attribute, {}).get(garment, {})]
    ]
    order = [attribute.id for attribute in dataset.taxonomy.attributes]
    return Adjudication(tuple(_verdicts(cases, order)), tuple(_sided(cases)))


@dataclass(frozen=True)
class _Case:
    """One verdict, what held before, and what each annotator had said."""

    attribute: str
    verdict: Answer
    before: Held | None
    said: Mapping[str, Answer]

    @property
    def became(self) -> str:
        """What the verdict did to what held."""
        if self.before is None or self.before.value is None:
            return "settled"
        return "kept" if answer_of(self.before.value) == self.verdict else "changed"


def _verdicts(cases: Sequence[_Case], order: Sequence[str]) -> Iterator[Verdicts]:
    """By attribute in that order; those that the taxonomy has no more come last."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        own = case.verdict not in case.said.values()
        counts[case.attribute].update([case.became, *(["own"] if own else [])])
    for name in dict.fromkeys([*(name for name in order if name in counts), *counts]):
        yield Verdicts(name, **counts[name])


def _sided(cases: Iterable[_Case]) -> Iterator[Sided]:
    """Of annotators who differed, how often the verdict was theirs; those with most first."""
    right: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        if len(set(case.said.values())) > 1:
            for who, answer in case.said.items():
                right[who].append(answer == case.verdict)
    for who in sorted(right, key=lambda who: (-len(right[who]), who)):
        yield Sided(who, len(right[who]), sum(right[who]))
