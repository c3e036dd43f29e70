"""Which of people's labels may be fitted to: never those of the test split or the audit slice."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garments.answers import NOT_VISIBLE, Answer, answer_of
from garments.ids import stable_id
from garments.said import Held, audit_slice, people_say_in
from garments.taxonomy import Attribute

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Labels:
    """People's answers to fit to: attribute -> garment -> its values, at least one.

    `test` and `audit` count the garments with labels that are kept out.
    """

    answers: dict[str, dict[str, Answer]] = field(default_factory=dict)
    test: int = 0
    audit: int = 0

    @property
    def garments(self) -> set[str]:
        """All garments that have an answer."""
        return {garment for answers in self.answers.values() for garment in answers}

    def hash(self, attribute: str) -> str:
        """Hash of all answers about one attribute."""
        answers = self.answers.get(attribute, {})
        return stable_id(*(f"{name}:{sorted(answers[name])}" for name in sorted(answers)))


def labels_to_fit(dataset: "Dataset") -> Labels:
    """What people said, as it holds now, about garments outside the test split and the audit slice.

    Nor are quarantined garments fitted to, which are linked with what is tested on, nor those that
    their source holds out for the test, before there is a split.
    Simulated answers count in a rehearsal only. Left out are answers that name no value, or none
    of the present taxonomy, and what is disputed.
    """
    said = people_say_in(dataset)
    labelled = {garment for garment, _ in said}
    test = (of_test_split(dataset) | held_out_by_source(dataset)) & labelled
    audit = audit_slice(dataset) & labelled
    quarantined = in_split(dataset, "quarantine")  # too like what is tested on
    asked = {attribute.id: attribute for attribute in dataset.taxonomy.attributes}
    answers: dict[str, dict[str, Answer]] = defaultdict(dict)
    kept_out = test | audit | quarantined
    for (garment, name), held in said.items():
        if garment in kept_out or name not in asked:
            continue
        answer = _usable(asked[name], held)
        if answer:
            answers[name][garment] = answer
    return Labels(dict(answers), len(test), len(audit))


def of_test_split(dataset: "Dataset") -> set[str]:
    """Garments whose newest split is test."""
    return in_split(dataset, "test")


def held_out_by_source(dataset: "Dataset") -> set[str]:
    """Garments of photos that a source calls `test`, which they stay in every split."""
    held_out = dataset.catalog.rows("sources", ["photo_id"], "split = 'test'").column(0)
    photos = set(held_out.to_pylist())
    if not photos:
        return set()
    rows = dataset.catalog.active_garments(columns=["garment_id", "photo_id"])
    pairs = zip(*(rows.column(name).to_pylist() for name in rows.column_names), strict=True)
    return {garment for garment, photo in pairs if photo in photos}


def in_split(dataset: "Dataset", name: str) -> set[str]:
    """Garments whose newest split is that one."""
    rows = dataset.catalog.rows("splits", ["garment_id", "split", "seq"]).to_pylist()
    newest = {row["garment_id"]: row["split"] for row in sorted(rows, key=lambda row: row["seq"])}
    return {garment for garment, split in newest.items() if split == name}


def _usable(attribute: Attribute, held: Held) -> Answer | None:
    answer = answer_of(held.value) if held.value is not None else frozenset()
    if not answer or NOT_VISIBLE in answer or not answer <= set(attribute.ids):
        return None
    return answer if attribute.multiple or len(answer) == 1 else None
