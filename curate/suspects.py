"""Labels by people that are probably wrong: what all other labels make of the same picture.

`curate.believed` says what the others would call each crop, `curate.noise` how probably its label
is wrong. That probability is the score: it means the same for every attribute, so that one ranking
holds them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from curate.believed import ENOUGH_OF_VALUE, Answers, Lessons, believed, lessons
from curate.duplicates import duplicate_groups
from curate.noise import wrongness
from curate.vectors import CropVectors, crop_vectors
from garments.answers import NOT_VISIBLE, answer_of
from garments.extras import expect_installed
from garments.said import people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset

SUSPICIOUS = 0.6
"""Score from which a label is worth a second look: rather wrong than right."""

ENOUGH_LABELS = 30
"""Labels of an attribute below which none is judged."""

Scored = dict[str, dict[str, "Suspect"]]
"""Attribute -> garment -> its label and how suspicious that is."""


@dataclass(frozen=True)
class Suspect:
    """One label with what speaks against it: `score` in [0, 1] is how probably it is wrong.

    `given` are its values, `likely` the most probable value that is not among them.
    """

    garment_id: str
    attribute: str
    given: tuple[str, ...]
    likely: str
    score: float


@dataclass(frozen=True)
class Judgement:
    """Every label that could be judged, and why others could not.

    `labels` counts those that people gave by attribute; `unjudged` says of an attribute why none of
    them is judged.
    """

    scored: Scored = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    unjudged: Mapping[str, str] = field(default_factory=dict)

    @property
    def ranked(self) -> list[Suspect]:
        """All labels of all attributes, the most suspicious first."""
        found = [one for by_garment in self.scored.values() for one in by_garment.values()]
        return sorted(found, key=lambda one: (-one.score, one.garment_id, one.attribute))


def suspects(dataset: "Dataset", least: float = SUSPICIOUS) -> list[Suspect]:
    """Labels with a score of at least `least`, the most suspicious first."""
    return [one for one in judge(dataset).ranked if one.score >= least]


def scored_labels(
    dataset: "Dataset",
    vectors: CropVectors | None = None,
    copies: Mapping[str, str] | None = None,
) -> Scored:
    """How suspicious each label by people is, as `judge` says."""
    return judge(dataset, vectors, copies).scored


def judge(
    dataset: "Dataset",
    vectors: CropVectors | None = None,
    copies: Mapping[str, str] | None = None,
) -> Judgement:
    """What is to be thought of each label by people.

    Only of active garments with an embedding, and only where there is enough to learn from.
    `vectors` and `copies` (`duplicate_groups`) may be given where they are known already. Raises
    `ModelError` where cleanlab is not installed.
    """
    answers = answers_of(dataset)
    labels = {attribute: len(some) for attribute, some in answers.items()}
    if not any(count >= ENOUGH_LABELS for count in labels.values()):
        return Judgement({}, labels, {name: _too_few(count) for name, count in labels.items()})
    vectors = vectors or crop_vectors(dataset)
    groups = together(dataset, copies)
    scored: Scored = {}
    unjudged: dict[str, str] = {}
    for attribute, some in answers.items():
        taught = lessons(some, vectors, groups)
        scored[attribute] = {} if (why := _why_not(some, taught)) else _score(attribute, taught)
        if not scored[attribute]:
            del scored[attribute]
            unjudged[attribute] = why or _TOGETHER
    return Judgement(scored, labels, unjudged)


def score_answers(
    attribute: str, answers: Answers, vectors: CropVectors, groups: Mapping[str, str]
) -> dict[str, Suspect]:
    """Each answer to one attribute's question judged by the others; `groups` stay together."""
    taught = lessons(answers, vectors, groups)
    return {} if _why_not(answers, taught) else _score(attribute, taught)


def _score(attribute: str, taught: Lessons) -> dict[str, Suspect]:
    expect_installed("judging labels", "curate", "cleanlab")
    shares = believed(taught)
    scores = wrongness(taught.given, shares)
    found = {}
    for garment, given, row, score in zip(taught.ids, taught.given, shares, scores, strict=True):
        if np.isnan(score):  # no other label to learn that value from
            continue
        others = np.where(np.isnan(row), -1.0, row)
        others[list(given)] = -1.0
        values = tuple(taught.names[place] for place in given)
        likely = taught.names[int(others.argmax())]
        found[garment] = Suspect(garment, attribute, values, likely, float(score))
    return found


_TOGETHER = "all of them hang together by photos or copies, so that none can vouch for another"


def _why_not(answers: Answers, taught: Lessons) -> str:
    """Why none of these labels can be judged, empty where that is possible."""
    if len(answers) < ENOUGH_LABELS:
        return _too_few(len(answers))
    if not taught.names:
        return (
            f"no value has {ENOUGH_OF_VALUE} labels whose crop has an embedding; "
            "`garmentloop prelabel` makes them"
        )
    if len(taught.names) < 2:
        return f"only {taught.names[0]} has at least {ENOUGH_OF_VALUE} labels to learn from"
    if len(taught.ids) < ENOUGH_LABELS:
        return (
            f"{len(taught.ids)} of {len(answers)} labels have an embedding and no rare value, and "
            f"{ENOUGH_LABELS} are needed"
        )
    return ""


def _too_few(count: int) -> str:
    return f"{count or 'no'} labels by people, and {ENOUGH_LABELS} are needed"


def answers_of(dataset: "Dataset") -> dict[str, dict[str, tuple[str, ...]]]:
    """What people said that names values of the taxonomy: attribute -> garment -> values."""
    known = {attribute.id: set(attribute.ids) for attribute in dataset.taxonomy.attributes}
    found: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in known}
    for (garment, name), held in people_say_in(dataset).items():
        answer = answer_of(held.value) if held.value is not None else frozenset()
        if name in known and answer and NOT_VISIBLE not in answer and answer <= known[name]:
            found[name][garment] = tuple(sorted(answer))
    return found


def together(dataset: "Dataset", copies: Mapping[str, str] | None = None) -> dict[str, str]:
    """What garments must not vouch for each other: those of one photo, and `copies`."""
    copies = duplicate_groups(dataset) if copies is None else copies
    rows = dataset.catalog.active_garments(columns=["garment_id", "photo_id"])
    columns = (rows.column(name).to_pylist() for name in rows.column_names)
    pairs: list[tuple[str, str]] = list(zip(*columns, strict=True))
    by_photo: dict[str, str] = {}
    for garment, photo in pairs:
        if garment in copies:
            by_photo[photo] = copies[garment]
    return {garment: by_photo.get(photo, photo) for garment, photo in pairs}
