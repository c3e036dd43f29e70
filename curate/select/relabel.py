"""Labels that are worth a second look: what speaks against them."""

from dataclasses import dataclass

import numpy as np

from curate.select.picked import Picked
from curate.select.pool import Pool
from curate.suspects import SUSPICIOUS, suspects
from garments.answers import NOT_VISIBLE, Answer, answer_of
from garments.proposals import Block, answers_in_force


@dataclass(frozen=True)
class Objection:
    """One label with what speaks against it: `score` in [0, 1], and who says what instead."""

    garment: str
    attribute: str
    score: float
    why: str


def errors(pool: Pool, budget: int) -> Picked:
    """Garments whose label the tagger in force, or all other labels, confidently contradict.

    The audit slice is never among them: the test data has ways of its own to be settled.
    """
    worst: dict[str, Objection] = {}
    for one in objections(pool):
        if one.garment not in worst or one.score > worst[one.garment].score:
            worst[one.garment] = one
    order = sorted(worst.values(), key=lambda one: (-one.score, one.garment))[:budget]
    notes = () if pool.labelled else ("no garment outside the audit slice has a label yet",)
    return Picked(
        [one.garment for one in order],
        [one.score for one in order],
        notes,
        [f"{one.attribute}: {one.why}" for one in order],
    )


def objections(pool: Pool) -> list[Objection]:
    """All of them, of the attributes that count."""
    found = [
        Objection(
            one.garment_id,
            one.attribute,
            one.score,
            f"{', '.join(one.given)}; by all other labels {one.likely}",
        )
        for one in suspects(pool.dataset, SUSPICIOUS)
        if one.garment_id in pool.labelled and one.attribute in pool.attributes
    ]
    labelled = sorted(pool.labelled)
    for block in answers_in_force(pool.dataset, pool.said, labelled):
        if block.attribute in pool.attributes:
            found += _contradicted(pool, block)
    return found


def _contradicted(pool: Pool, block: Block) -> list[Objection]:
    """Labels of which the tagger believes another value, and does not abstain."""
    name, answers = block.attribute, block.answers
    places = {value: place for place, value in enumerate(answers.attribute.ids)}
    found = []
    for row, garment in enumerate(block.ids):
        given = _given(pool, garment, name) & places.keys()
        if not given or bool(answers.abstained[row]):
            continue
        shares = answers.probabilities[row].copy()
        shares[[places[value] for value in given]] = 0.0
        top = int(np.nan_to_num(shares).argmax())
        if answers.chosen[row, top]:
            why = f"{', '.join(sorted(given))}; the tagger says {answers.attribute.ids[top]}"
            found.append(Objection(garment, name, float(shares[top]), why))
    return found


def _given(pool: Pool, garment: str, attribute: str) -> Answer:
    """Values that people hold; none where they could not tell or do not agree."""
    held = pool.said.get((garment, attribute))
    answer = answer_of(held.value) if held and held.value is not None else frozenset()
    return frozenset() if NOT_VISIBLE in answer else answer
