"""The ranked list of suspect labels, with who gave them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.state import GarmentState, garment_rows
from curate.suspects import SUSPICIOUS, Suspect, judge
from garments.said import people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset

COLUMNS = ("garment_id", "attribute", "said", "likely", "score", "who", "why", "photo_id", "crop")
"""Of the file: `crop` is a path inside the data set's folder, `why` the basis on which it holds."""


@dataclass(frozen=True)
class Listed:
    """A suspect label, `who` gave it on which `basis`, and where its crop is."""

    suspect: Suspect
    who: str
    basis: str
    photo_id: str
    crop_sha: str


@dataclass(frozen=True)
class Suspects:
    """The most suspicious labels first; `judged` and `labels` count by attribute.

    `unjudged` says of attributes why none of their labels is judged.
    """

    listed: Sequence[Listed]
    judged: Mapping[str, int]
    labels: Mapping[str, int]
    unjudged: Mapping[str, str]


def list_suspects(
    dataset: "Dataset", attribute: str | None = None, least: float = SUSPICIOUS
) -> Suspects:
    """The labels with a score of at least `least`, of one attribute or of all in one ranking.

    Garments that a person turned down are left out. Raises `BadTaxonomy` for an unknown attribute,
    `ModelError` where cleanlab is not installed.
    """
    if attribute is not None:
        dataset.taxonomy.attribute(attribute)
    found = judge(dataset)
    rows = {row.garment_id: row for row in garment_rows(dataset)}
    said = people_say_in(dataset)
    listed = []
    for one in found.ranked:
        row = rows[one.garment_id]
        wanted = attribute in (None, one.attribute) and row.state is GarmentState.ACTIVE
        if wanted and one.score >= least:
            held = said[one.garment_id, one.attribute]
            listed.append(Listed(one, held.who, str(held.basis), row.photo_id, row.crop_sha))
    mine = [attribute] if attribute else list(found.labels)
    return Suspects(
        listed,
        {name: len(found.scored.get(name, ())) for name in mine},
        {name: found.labels[name] for name in mine},
        {name: why for name, why in found.unjudged.items() if name in mine},
    )


def rows(found: Sequence[Listed]) -> list[tuple[str, ...]]:
    """Rows of the file, as in `COLUMNS`."""
    from garments.dataset import crop_name

    return [
        (
            one.suspect.garment_id,
            one.suspect.attribute,
            " + ".join(one.suspect.given),
            one.suspect.likely,
            f"{one.suspect.score:.4f}",
            one.who,
            one.basis,
            one.photo_id,
            crop_name(one.crop_sha),
        )
        for one in found
    ]
