"""What taggers propose for the garments of a data set, as it is to be read now.

For each attribute the tagger in force speaks, calibrated, within what the garment's region and
its category allow; a category that a person gave goes before the tagger's own.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from garments.answers import answer_of
from garments.calibration import Calibration
from garments.inforce import Speaker, calibrations, in_force, promotions
from garments.reading import Answers, Parent, Reading, read
from garments.said import Held, Key, people_say_in
from garments.spoken import Garments, Spoken, active_garments, spoken
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from garments.dataset import Dataset

__all__ = [
    "Block",
    "Reading",
    "all_readings",
    "answers_in_force",
    "read_proposals",
    "readings",
    "uncertainty",
]


def readings(
    dataset: "Dataset", garment_ids: Collection[str] | None = None
) -> dict[str, dict[str, Reading]]:
    """What the taggers in force say: garment -> attribute -> reading, of active garments.

    Only attributes that are asked about the garment's region, and only where something was
    proposed; so a garment may be missing. Raises `CatalogError` for proposals that are damaged.
    """
    return read_proposals(dataset, people_say_in(dataset), garment_ids)


def all_readings(
    dataset: "Dataset", garment_ids: Collection[str] | None = None
) -> dict[str, dict[str, dict[str, Reading]]]:
    """What every tagger says: garment -> attribute -> model reference -> reading.

    As `readings`, with each model's newest version; all under the category that is in force.
    """
    said = people_say_in(dataset)
    found: dict[str, dict[str, dict[str, Reading]]] = {}
    for voices in _voices(dataset, said, garment_ids):
        for model in dict.fromkeys(speaker.model for speaker in voices.spoken.speakers()):
            pinned = voices.in_force if voices.in_force.model == model else Speaker(model)
            for garment, reading in voices.readings(pinned):
                found.setdefault(garment, {}).setdefault(voices.attribute, {})[model] = reading
    return found


def read_proposals(
    dataset: "Dataset",
    said: Mapping[Key, Held],
    garment_ids: Collection[str] | None = None,
) -> dict[str, dict[str, Reading]]:
    """As `readings`, where what people said is known already: `said` by (garment, attribute)."""
    found: dict[str, dict[str, Reading]] = {}
    for voices in _voices(dataset, said, garment_ids):
        for garment, reading in voices.readings(voices.in_force):
            found.setdefault(garment, {})[voices.attribute] = reading
    return found


@dataclass(frozen=True, eq=False)
class Block:
    """Answers about one attribute of N garments, which have these `places` (N,) in `garments`."""

    attribute: str
    garments: list[str]
    places: NDArray[np.int64]
    answers: Answers

    @property
    def ids(self) -> list[str]:
        """The N garments."""
        return [self.garments[place] for place in self.places.tolist()]


def answers_in_force(
    dataset: "Dataset",
    said: Mapping[Key, Held],
    garment_ids: Collection[str] | None = None,
) -> Iterator[Block]:
    """As `read_proposals`, as arrays; an attribute comes in several blocks where there are many.

    `garments` are the same in all blocks.
    """
    for voices in _voices(dataset, said, garment_ids):
        proposals = voices.spoken.of(voices.in_force)
        for block, answers in voices.reader.read(voices.attribute, proposals):
            yield Block(voices.attribute, voices.garments.ids, block.garment, answers)


def uncertainty(readings: Mapping[str, Reading]) -> float:
    """How unsure the readings of one garment (by attribute) are: 1 - their mean confidence.

    In [0, 1]; 1 for a garment of which nothing is proposed. An attribute without possible values
    (a category that has no sub-categories) asks nothing and does not count.
    """
    sure = [reading.confidence for reading in readings.values() if reading.values]
    return 1 - sum(sure) / len(sure) if sure else 1.0


class Reader:
    """Reads the proposals about one attribute after the other, in the taxonomy's order.

    It keeps what it read of parent attributes, since that limits their children; what people
    `said` about these goes first.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        garments: Garments,
        calibrations: Mapping[tuple[str, str], Calibration],
        said: Mapping[Key, Held] | None = None,
    ) -> None:
        self._taxonomy, self._garments, self._calibrations = taxonomy, garments, calibrations
        self._regions = np.array(garments.regions, object)
        self._parents = {
            attribute.parent: _said_values(taxonomy, attribute.parent, garments, said or {})
            for attribute in taxonomy.attributes
            if attribute.parent
        }

    def read(self, attribute: str, proposals: Spoken) -> Iterator[tuple[Spoken, Answers]]:
        """Answers in `proposals`, in blocks of one tagger version each."""
        for block in proposals.by_version():
            yield block, self.answers(attribute, block)

    def limits(self, attribute: str) -> bool:
        """Whether other attributes' values stand under those of `attribute`."""
        return attribute in self._parents

    def keep(self, attribute: str, proposals: Spoken, answers: Answers) -> None:
        """Let these answers limit the children of `attribute`, but where people spoke."""
        known = self._parents[attribute]
        free = np.flatnonzero(~known.fixed[proposals.garment])
        places = proposals.garment[free]
        known.values[places] = np.array(answers.best, object)[free]
        known.confidence[places] = answers.confidence[free]
        known.abstained[places] = answers.abstained[free]

    def answers(
        self, attribute: str, block: Spoken, calibration: Calibration | None = None
    ) -> Answers:
        """Answers in proposals of one version, by that calibration instead of the one in force."""
        parent = self._parents.get(self._taxonomy.attribute(attribute).parent or "")
        return read(
            self._taxonomy,
            attribute,
            block.logits,
            block.activation[0],
            calibration or self._calibrations.get((block.tagger[0], attribute)),
            self._regions[block.garment].tolist(),
            parent.at(block.garment) if parent else None,
        )


@dataclass(frozen=True, eq=False)
class _Known:
    """The values of a parent attribute for all garments; `fixed` where a person decided."""

    values: NDArray[np.object_]
    confidence: NDArray[np.float64]
    abstained: NDArray[np.bool_]
    fixed: NDArray[np.bool_]

    def at(self, places: NDArray[np.int64]) -> Parent:
        """What is known of the garments at these places."""
        values = self.values[places].tolist()
        return Parent(values, self.confidence[places], self.abstained[places])


def _said_values(
    taxonomy: Taxonomy, attribute: str, garments: Garments, said: Mapping[Key, Held]
) -> _Known:
    """What people said about a parent attribute, with room for what a tagger says."""
    count = len(garments.ids)
    known = _Known(
        np.full(count, None, object), np.zeros(count), np.ones(count, bool), np.zeros(count, bool)
    )
    for place, garment in enumerate(garments.ids):
        held = said.get((garment, attribute))
        if held is None:
            continue
        known.fixed[place] = True
        answer = answer_of(held.value) if held.value is not None else frozenset()
        if len(answer) == 1 and answer <= set(taxonomy.values(attribute)):
            known.values[place] = next(iter(answer))
            known.confidence[place], known.abstained[place] = 1.0, False
    return known


@dataclass(frozen=True, eq=False)
class _Voices:
    """All that was proposed about one attribute, and who is in force for it."""

    attribute: str
    garments: Garments
    spoken: Spoken
    in_force: Speaker
    reader: Reader

    def readings(self, speaker: Speaker) -> Iterator[tuple[str, Reading]]:
        """What that tagger says, by garment."""
        for block, answers in self.reader.read(self.attribute, self.spoken.of(speaker)):
            ids = [self.garments.ids[place] for place in block.garment.tolist()]
            said = answers.readings(block.tagger.tolist(), block.proposal_id.tolist())
            yield from zip(ids, said, strict=True)


def _voices(
    dataset: "Dataset", said: Mapping[Key, Held], garment_ids: Collection[str] | None
) -> Iterator[_Voices]:
    garments = active_garments(dataset, garment_ids)
    reader = Reader(dataset.taxonomy, garments, calibrations(dataset), said)
    promoted = promotions(dataset)
    for attribute, proposals in spoken(dataset, garments, garment_ids):
        speaker = in_force(dataset, attribute, proposals.speakers(), promoted.get(attribute))
        if reader.limits(attribute):
            for block, answers in reader.read(attribute, proposals.of(speaker)):
                reader.keep(attribute, block, answers)
        yield _Voices(attribute, garments, proposals, speaker, reader)
