"""Fitting taggers' confidence to people's labels, and putting the better tagger in force.

What is fitted is measured on labels that it was not fitted to: by turns on a fifth of them.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from garments.answers import Answer
from garments.calibration import Calibration
from garments.fitting import fit, threshold_for
from garments.ids import stable_id
from garments.inforce import Speaker, calibrations, in_force, promotions, record_calibrations
from garments.labelled import Labels, labels_to_fit
from garments.measured import Curve, Measured, Promotion, better
from garments.proposals import Reader
from garments.reading import Bools, Floats, allowed_values, comparable, uncalibrated
from garments.references import Source
from garments.spoken import Garments, Spoken, active_garments, spoken
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from garments.dataset import Dataset
    from garments.tagger import Tagger

FEWEST = 20
"""Labels below which nothing is fitted."""

FOLDS = 5

Fitted = dict[tuple[str, str], tuple[Calibration, Mapping[str, float]]]
"""By (tagger version, attribute), with figures."""

Tell = Callable[[str], None]
"""Is told the attribute that is fitted now."""


@dataclass(frozen=True)
class Calibrated:
    """What `calibrate` found: a row a tagger and attribute, and who is newly in force."""

    measured: list[Measured]
    promoted: list[Promotion]
    labels: Labels
    wished: float


def calibrate(
    dataset: "Dataset",
    precision: float | None = None,
    dry_run: bool = False,
    tell: Tell = lambda attribute: None,
) -> Calibrated:
    """Calibrate every tagger of a data set on people's labels, and compare the taggers.

    `precision` in (0, 1) is what answers should reach where the tagger does not abstain, by
    default that of the settings. Appends to `calibrations` and `promotions` unless it is a
    `dry_run`; done again on the same labels, it adds nothing.
    """
    wished = dataset.settings.prelabel.precision if precision is None else precision
    labels = labels_to_fit(dataset)
    garments = active_garments(dataset, labels.garments)
    fitting = _Fitting(dataset.taxonomy, garments, labels, calibrations(dataset, "model"), wished)
    promoted_before = promotions(dataset)
    measured: list[Measured] = []
    promoted: list[Promotion] = []
    for attribute, proposals in spoken(dataset, garments, garments.ids):
        tell(attribute)
        before = promoted_before.get(attribute)
        current = in_force(dataset, attribute, proposals.speakers(), before)
        found = fitting.attribute(attribute, proposals, current)
        best = better(found)
        measured += found
        promoted += [best] if best else []
    if not dry_run:
        record_calibrations(dataset, "labels", _fitted(measured))
        _promote(dataset, promoted)
    return Calibrated(measured, promoted, labels, wished)


def record_model_calibrations(dataset: "Dataset", tagger: "Tagger") -> int:
    """Keep the calibrations that a tagger brings along; how many were new."""
    came: Fitted = {
        (tagger.version(attribute).id, attribute): (calibration, {})
        for attribute, calibration in tagger.calibrations.items()
        if attribute in tagger.attributes
    }
    return record_calibrations(dataset, "model", came)


class _Fitting:
    """Goes through the attributes in order: a fitted category limits the sub-categories."""

    def __init__(
        self,
        taxonomy: Taxonomy,
        garments: Garments,
        labels: Labels,
        came: Mapping[tuple[str, str], Calibration],
        wished: float,
    ) -> None:
        self._taxonomy, self._garments, self._labels = taxonomy, garments, labels
        self._wished = wished
        self._came = came
        self._calibrations = dict(came)
        # As before people spoke: their category must not help to guess the sub-category.
        self._reader = Reader(taxonomy, garments, self._calibrations)

    def attribute(self, attribute: str, proposals: Spoken, current: Speaker) -> list[Measured]:
        """Measure and fit each tagger that spoke about an attribute."""
        versions = _versions(proposals.speakers(), current)
        found = []
        for version in versions:
            one = _labelled(
                proposals.at(np.flatnonzero(proposals.tagger == version.tagger)).of(version),
                self._garments,
                self._labels.answers.get(attribute, {}),
            )
            # What a tagger learnt from says nothing about it; it has its own calibration.
            if len(one.garment) and not version.model.startswith(f"{Source.TRAINED}:"):
                found.append(self._measured(attribute, version, one, version == versions[0]))
        if self._reader.limits(attribute):
            for block, answers in self._reader.read(attribute, proposals.of(versions[0])):
                self._reader.keep(attribute, block, answers)
        return found

    def _measured(self, attribute: str, version: Speaker, said: Spoken, in_force: bool) -> Measured:
        asked = self._taxonomy.attribute(attribute)
        activation = str(said.activation[0])
        start = self._came.get((version.tagger, attribute)) or uncalibrated(asked, activation)
        start = Calibration(start.temperature, start.bias)
        truth = self._truth(attribute, said)
        answers = self._reader.answers(attribute, said, start)
        possible = answers.chosen.any(axis=1)
        correct = truth[np.arange(len(truth)), answers.probabilities.argmax(axis=1)] & possible
        before = Curve.of(answers.confidence[possible], correct[possible])
        known = (attribute, version, in_force, said.garment, correct, before)
        if len(correct) < FEWEST:
            return Measured(*known)
        confidence = self._cross_fitted(attribute, said, truth, start)
        free = ~answers.abstained  # where its category is not only a guess
        threshold = threshold_for(self._wished, confidence[free], correct[free])
        fitted = self._fit(attribute, said, truth, start)
        fitted = Calibration(fitted.temperature, fitted.bias, threshold, fitted.items)
        self._calibrations[version.tagger, attribute] = fitted
        answered = free & (confidence >= threshold)
        precision = float(correct[answered].mean()) if answered.any() else float("nan")
        after = Curve.of(confidence[possible], correct[possible])
        return Measured(*known, after, fitted, float(answered.mean()), precision)

    def _cross_fitted(
        self, attribute: str, said: Spoken, truth: Bools, start: Calibration
    ) -> Floats:
        """Confidence (N,) of each top value, calibrated on the other folds' labels."""
        ids = [self._garments.ids[place] for place in said.garment.tolist()]
        fold = np.array([int(stable_id("fold", name), 16) % FOLDS for name in ids])
        confidence = np.zeros(len(fold))
        for number in range(FOLDS):
            here, others = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
            if len(here):
                fitted = self._fit(attribute, said.at(others), truth[others], start)
                answers = self._reader.answers(attribute, said.at(here), fitted)
                confidence[here] = answers.confidence
        return confidence

    def _fit(self, attribute: str, said: Spoken, truth: Bools, start: Calibration) -> Calibration:
        """A calibration for these labels, each under the category that it belongs to."""
        asked = self._taxonomy.attribute(attribute)
        regions = [self._garments.regions[place] for place in said.garment.tolist()]
        parents = [asked.values[place].parent for place in truth.argmax(axis=1)]
        allowed = allowed_values(self._taxonomy, attribute, regions, parents)
        scores = comparable(asked, said.logits, str(said.activation[0]))
        return fit(asked, scores, truth, allowed, start)

    def _truth(self, attribute: str, said: Spoken) -> Bools:
        """(N, K): which values people gave."""
        answers, ids = self._labels.answers[attribute], self._taxonomy.values(attribute)
        given = [answers[self._garments.ids[place]] for place in said.garment.tolist()]
        return np.array([[value in answer for value in ids] for answer in given], bool)


def _versions(spoke: list[Speaker], current: Speaker) -> list[Speaker]:
    """The tagger in force, then the newest version of each model."""
    newest = {speaker.model: speaker for speaker in spoke}
    first = current if current in spoke else newest[current.model]
    return list(dict.fromkeys([first, *newest.values()]))


def _labelled(said: Spoken, garments: Garments, answers: Mapping[str, Answer]) -> Spoken:
    places = said.garment.tolist()
    return said.at(np.flatnonzero([garments.ids[place] in answers for place in places]))


def _fitted(measured: list[Measured]) -> Fitted:
    return {
        (each.speaker.tagger, each.attribute): (
            each.calibration,
            {
                "labels": each.labels,
                "accuracy": each.accuracy,
                "ece_before": each.before.error,
                "ece_after": each.after.error,
                "coverage": each.coverage,
                "precision": each.precision,
            },
        )
        for each in measured
        if each.calibration and each.after
    }


def _promote(dataset: "Dataset", promoted: list[Promotion]) -> None:
    before = promotions(dataset)
    rows = []
    for each in promoted:
        last = before.get(each.attribute, {}).get("promotion_id")
        rows.append(
            {
                "promotion_id": stable_id("tagger", each.attribute, each.speaker.tagger, last),
                "kind": "tagger",
                "attribute": each.attribute,
                "model": each.speaker.model,
                "tagger": each.speaker.tagger,
                "evidence": json.dumps(each.evidence),
                "who": "garmentloop calibrate",
            }
        )
    dataset.catalog.add("promotions", rows)
