"""What annotators disagree about, and nothing else settles: one dispute a garment and question."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotate.studio.choose import excluded_garments
from annotate.studio.controls import Control, controls
from garments.agreement import annotators_answers
from garments.answers import NOT_VISIBLE, Answer, consensus, tied, value_of
from garments.ids import stable_id
from garments.said import Basis, people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset

_ABOVE = (Basis.ADJUDICATED, Basis.CURATOR)
"""Whose word goes before that of all annotators."""

Answers = Mapping[str, Mapping[str, Answer]]
"""By attribute and annotator."""


@dataclass(frozen=True)
class Dispute:
    """One question of the form about one garment, to which annotators gave different answers.

    `disputed` are those of its attributes in which they differ; `answers` has what each said.
    """

    garment_id: str
    control: Control
    disputed: tuple[str, ...]
    answers: Answers

    @property
    def asked(self) -> tuple[str, ...]:
        """All attributes of the question, which are answered together."""
        return tuple(attribute.id for attribute in self.control.attributes)

    @property
    def annotators(self) -> list[str]:
        """Who said something, in alphabetical order."""
        return sorted({who for said in self.answers.values() for who in said})

    def name(self, project_uuid: str) -> str:
        """What it is called on the server; another one as soon as somebody says something else."""
        said = sorted(
            (who, attribute, value_of(answer))
            for attribute, by_person in self.answers.items()
            for who, answer in by_person.items()
        )
        return stable_id("dispute", project_uuid, self.garment_id, self.control.name, said)

    def unnamed(self, project_uuid: str) -> list[list[str]]:
        """What is said to whoever adjudicates: titles of values, one list a person.

        The order is that of a hash over the dispute and the person, so that it is always the same,
        and A in one dispute is not A in the next.
        """
        name = self.name(project_uuid)
        people = sorted(self.annotators, key=lambda who: stable_id("letter", name, who))
        return [self._titles(who) for who in people]

    def shown(self) -> str:
        """All of it as JSON, to be kept on our side only."""
        said = {
            who: {
                attribute: value_of(by_person[who])
                for attribute, by_person in self.answers.items()
                if who in by_person
            }
            for who in self.annotators
        }
        return json.dumps({"asked": self.asked, "said": said}, ensure_ascii=False, sort_keys=True)

    def _titles(self, who: str) -> list[str]:
        found: list[str] = []
        for attribute in self.control.attributes:
            answer = self.answers.get(attribute.id, {}).get(who, frozenset())
            if answer == {NOT_VISIBLE}:
                return ["Not visible"]
            titles = {value.id: value.title for value in attribute.values}
            found += [titles.get(value, value) for value in sorted(answer)]
        return found


def find_disputes(dataset: "Dataset", everything: bool = False) -> list[Dispute]:
    """All disputes about garments that hold, question by question in the form's order.

    A dispute is settled by the word of a curator or of somebody who adjudicated, and by most of the
    annotators; with `everything` the latter count too.
    """
    columns = ["garment_id", "seq"]
    active = dataset.catalog.active_garments(columns=columns).sort_by("seq")
    out = excluded_garments(dataset)
    kept = [name for name in active.column("garment_id").to_pylist() if name not in out]
    labels = dataset.catalog.rows("labels").to_pylist()
    answers = annotators_answers(labels, set(kept), dataset.settings.simulated)
    settled = {key for key, held in people_say_in(dataset).items() if held.basis in _ABOVE}
    found = []
    for control in controls(dataset.taxonomy):
        names = [attribute.id for attribute in control.attributes]
        for garment in kept:
            said = {name: answers.get(name, {}).get(garment, {}) for name in names}
            differ = tuple(
                name
                for name in names
                if (garment, name) not in settled
                and _disputed(list(said[name].values()), everything)
            )
            if differ:
                found.append(Dispute(garment, control, differ, said))
    return found


def _disputed(answers: Sequence[Answer], everything: bool) -> bool:
    if len(set(answers)) < 2:
        return False
    return everything or consensus(answers) is None or tied(answers)


def by_attribute(disputes: Sequence[Dispute]) -> dict[str, int]:
    """How many disputes there are, by attribute."""
    found: dict[str, int] = {}
    for dispute in disputes:
        for name in dispute.disputed:
            found[name] = found.get(name, 0) + 1
    return found


def is_about(dispute: Dispute, attribute: str | None) -> bool:
    """Whether a dispute is about that attribute, or any where it is None."""
    return attribute is None or attribute in dispute.disputed
