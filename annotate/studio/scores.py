"""How well each annotator answers gold tasks, of which the answer is known."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotate.studio.gold import gold_answers
from annotate.studio.intake import GOLD_BAD_CROP_KIND
from annotate.studio.tasks import GOLD
from annotate.studio.vocabularies import Vocabularies
from garments.answers import Answer, answer_of
from garments.metrics import wilson_interval
from garments.said import LabelKind

if TYPE_CHECKING:
    from garments.dataset import Dataset

ALL = "all"
"""Stands for all attributes together."""

Row = Mapping[str, Any]
Visit = tuple[str, str]
"""(task_id, annotator)"""


@dataclass(frozen=True)
class Score:
    """One annotator's answers about one attribute (or `ALL`) of so many gold garments.

    `right` ones are what holds; of the others, `missing` were left open, or the crop turned down.
    """

    annotator: str
    attribute: str
    garments: int
    answers: int
    right: int
    missing: int = 0

    @property
    def accuracy(self) -> float:
        """Right of all, in [0, 1]; there is at least one."""
        return self.right / self.answers

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `accuracy` (Wilson); answers about one garment count as one."""
        return wilson_interval(round(self.accuracy * self.garments), self.garments)


def scores(dataset: "Dataset") -> list[Score]:
    """By annotator in alphabetical order, first over all attributes, then by each in its order."""
    known = gold_answers(dataset)
    checks = {
        row["task_id"]: row
        for row in dataset.catalog.rows("checks").to_pylist()
        if row["purpose"] == GOLD and row["garment_id"] in known
    }
    tasks = {task: row["garment_id"] for task, row in checks.items()}
    asked = _Asked(dataset)
    order = [attribute.id for attribute in dataset.taxonomy.attributes]
    judged: dict[tuple[str, str], list[tuple[bool, bool]]] = defaultdict(list)
    visits: dict[str, set[str]] = defaultdict(set)
    for (task, who), given in _given(dataset, tasks).items():
        visits[who].add(task)
        for attribute, wanted in known[tasks[task]].items():
            said = given.get(attribute)
            if attribute in order and (said is not None or asked.of(checks[task], who, attribute)):
                for name in (ALL, attribute):
                    judged[who, name].append((said == wanted, said is None))
    return [
        Score(
            who,
            name,
            len(visits[who]) if name == ALL else len(found),
            len(found),
            sum(right for right, _ in found),
            sum(missing for _, missing in found),
        )
        for who in sorted(visits)
        for name in (ALL, *order)
        if (found := judged.get((who, name)))
    ]


class _Asked:
    """What gold tasks asked: a migration may have brought other questions since, or taken answers
    back, and nobody is to blame for not having answered these.
    """

    def __init__(self, dataset: "Dataset") -> None:
        self._vocabularies = Vocabularies(dataset)
        self._now = self._vocabularies.history.attribute
        labels = dataset.catalog.rows("labels", where=f"kind = '{LabelKind.GOLD}'").to_pylist()
        self._lost = {
            (row["task_id"], row["annotator"] or "", self._now(row["attribute"]))
            for row in labels
            if row["withdraws"] and row["migrated_from"]
        }
        self._asked: dict[str, set[str | None]] = {}

    def of(self, check: Row, who: str, attribute: str) -> bool:
        """Whether somebody was asked about an attribute, and no answer of theirs was taken back."""
        form = str(check["vocabulary_hash"])
        if form not in self._asked:
            self._asked[form] = {self._now(name) for name in self._vocabularies[form].attributes}
        lost = (check["task_id"], who, attribute) in self._lost
        return attribute in self._asked[form] and not lost


def _given(dataset: "Dataset", tasks: Mapping[str, str]) -> dict[Visit, dict[str, Answer]]:
    """What everybody says now in gold tasks, by attribute; nothing where they turned it down."""
    labels = _latest(
        dataset.catalog.rows("labels", where=f"kind = '{LabelKind.GOLD}'").to_pylist(),
        "label_id",
        "annotator",
        "attribute",
    )
    found: dict[Visit, dict[str, Answer]] = defaultdict(dict)
    for (task, who, attribute), row in labels.items():
        if task in tasks:
            found[task, who][attribute] = answer_of(row["value"])
    where = f"kind = '{GOLD_BAD_CROP_KIND}'"
    decisions = dataset.catalog.rows("decisions", where=where).to_pylist()
    for task, who, _ in _latest(decisions, "decision_id", "who", "kind"):
        if task in tasks:
            found[task, who] = {}
    return found


def _latest(rows: Iterable[Row], name: str, who: str, slot: str) -> dict[tuple[str, str, str], Row]:
    """By task, person and slot the newest row, where it was not withdrawn."""
    ordered = sorted(rows, key=lambda row: int(row["seq"]))
    withdrawn = {row["withdraws"] for row in ordered if row["withdraws"]}
    found = {
        (row["task_id"] or "", row[who] or "", row[slot]): row
        for row in ordered
        if not row["withdraws"]
    }
    return {key: row for key, row in found.items() if row[name] not in withdrawn}
