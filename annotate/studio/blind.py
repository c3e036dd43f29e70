"""What blind tasks would have shown: the tagger's own word, kept from what people say."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from annotate.studio.form import form
from garments.answers import Answer
from garments.inforce import Speaker, calibrations, in_force, promotions
from garments.proposals import Reader
from garments.reading import Reading
from garments.spoken import Spoken, active_garments, spoken

if TYPE_CHECKING:
    from garments.dataset import Dataset

Shown = Mapping[str, tuple[Answer, str]]
"""By attribute: the values in the form, and the tagger version that proposed them."""

Row = Mapping[str, Any]


def would_have_shown(
    dataset: "Dataset", tasks: Sequence[Row], versions: Mapping[str, Mapping[str, str]]
) -> dict[str, Shown]:
    """By task_id what those rows of `tasks` would have shown with a pre-fill.

    `versions` has the tagger version of each round by attribute; where it has none, the tagger
    in force speaks. Calibrations are those of today. People's answers, which otherwise say under
    which category a sub-category is looked for, have no say here.
    """
    asked = form(dataset.taxonomy)
    by_round: dict[str, dict[str, str]] = defaultdict(dict)
    for task in tasks:
        by_round[task["round"] or ""][task["garment_id"]] = task["task_id"]
    found: dict[str, Shown] = {}
    for round_, garments in by_round.items():
        said = own_readings(dataset, list(garments), versions.get(round_, {}))
        for garment, readings in said.items():
            held = asked.answers(asked.prefill(readings)).values
            found[garments[garment]] = {
                name: (frozenset(held.get(name, ())), reading.tagger)
                for name, reading in readings.items()
            }
    return found


def own_readings(
    dataset: "Dataset", garment_ids: Sequence[str], versions: Mapping[str, str]
) -> dict[str, dict[str, Reading]]:
    """What these versions say, by garment and attribute, whatever people say."""
    garments = active_garments(dataset, garment_ids)
    reader = Reader(dataset.taxonomy, garments, calibrations(dataset))
    promoted = promotions(dataset)
    found: dict[str, dict[str, Reading]] = defaultdict(dict)
    for attribute, proposals in spoken(dataset, garments, garment_ids):
        speaker = _version(proposals, versions.get(attribute)) or in_force(
            dataset, attribute, proposals.speakers(), promoted.get(attribute)
        )
        for place, reading in _read(reader, attribute, proposals.of(speaker)):
            found[garments.ids[place]][attribute] = reading
    return found


def _version(proposals: Spoken, tagger: str | None) -> Speaker | None:
    return next((one for one in proposals.speakers() if one.tagger == tagger), None)


def _read(reader: Reader, attribute: str, proposals: Spoken) -> Iterator[tuple[int, Reading]]:
    for block, answers in reader.read(attribute, proposals):
        if reader.limits(attribute):
            reader.keep(attribute, block, answers)
        said = answers.readings(block.tagger.tolist(), block.proposal_id.tolist())
        yield from zip(block.garment.tolist(), said, strict=True)
