"""What every tagger says about some garments, beside the logits that it is read from."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.fiftyone.standing import Standing
from garments.inforce import Speaker
from garments.proposals import Reader
from garments.said import Held, Key
from garments.spoken import Garments, Spoken, active_garments, spoken

_LEAST = 1e-6
"""Probability of a value that is not possible, so that its logarithm is a number."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """What one model says about one attribute of one garment.

    `values` are the most probable first, none where nothing is possible; where `abstained` they
    are what it would have guessed. `logits` (K,) are the logarithms of the calibrated
    probabilities of all values, in the taxonomy's order.
    """

    model: str
    tagger: str
    values: tuple[str, ...]
    confidence: float
    abstained: bool
    logits: NDArray[np.float32]
    in_force: bool


Proposals = dict[str, dict[str, list[Proposal]]]
"""garment -> attribute -> what each model says."""


def proposals(standing: Standing, said: dict[Key, Held], garment_ids: Sequence[str]) -> Proposals:
    """Of each model its newest word about each active garment of `garment_ids`.

    Read as `garments.proposals` reads them, under what people `said`; who is in force is decided
    on the whole data set, so that the part that is looked at does not matter.
    """
    dataset = standing.dataset
    garments = active_garments(dataset, garment_ids)
    reader = Reader(dataset.taxonomy, garments, standing.calibrations, said)
    found: Proposals = defaultdict(lambda: defaultdict(list))
    for attribute, block in spoken(dataset, garments, garment_ids):
        speaker, models = standing.speakers[attribute]
        if reader.limits(attribute):
            for part, answers in reader.read(attribute, block.of(speaker)):
                reader.keep(attribute, part, answers)
        for model in models:
            mine = speaker if model == speaker.model else Speaker(model)
            for garment, proposal in _read(reader, garments, attribute, block.of(mine), speaker):
                found[garment][attribute].append(proposal)
    return found


def _read(
    reader: Reader, garments: Garments, attribute: str, block: Spoken, in_force: Speaker
) -> Iterator[tuple[str, Proposal]]:
    for part, answers in reader.read(attribute, block):
        logits = np.log(np.maximum(answers.probabilities, _LEAST)).astype(np.float32)
        said = zip(answers.values(), answers.confidence, answers.abstained, logits, strict=True)
        models, taggers = part.model.tolist(), part.tagger.tolist()
        for at, (values, confidence, abstained, row) in enumerate(said):
            yield (
                garments.ids[part.garment[at]],
                Proposal(
                    models[at],
                    taggers[at],
                    values,
                    float(confidence),
                    bool(abstained),
                    row,
                    models[at] == in_force.model,
                ),
            )
