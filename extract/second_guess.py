"""Garments that the parser considered but did not choose, for a person to decide about.

Whether a man's jacket and trousers are a suit, or a skirt part of a dress, is often open, and a
crop that was never cut cannot be put right by an annotator, while a wrong one costs one key. So a
region that lost everywhere but was in the running is cut too, with its own doubt flag.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from extract.regions import GarmentMask, PersonMap, enlarged, garment_mask, without_specks
from garments.parts import PART_INDEX, Region

RIVALS = (Region.UPPER, Region.LOWER, Region.WHOLE)
"""Regions that are taken for one another; feet and accessories are what they are."""

IN_THE_RUNNING = 0.06
"""Probability from which a pixel of clothing counts for a region that did not win it."""

LEAST_AREA = 0.01
"""Share of the person's box that a second guess has at least."""


def second_guesses(
    person: PersonMap, found: Sequence[GarmentMask], share: float
) -> list[GarmentMask]:
    """Garments of regions not `found` that have `share` of the clothing's probability or more.

    The clothing is all pixels of upper, lower and whole. `share` 1 gives none.
    """
    clothing = np.isin(person.probabilities.argmax(axis=0), [PART_INDEX[r] for r in RIVALS])
    total = sum(_mass(person, region, clothing) for region in RIVALS)
    missing = [r for r in RIVALS if r not in {garment.region for garment in found}]
    return [
        guess
        for region in missing
        if share < 1 and _mass(person, region, clothing) >= share * total > 0
        if (guess := _guess(person, region)) is not None
    ]


def _mass(person: PersonMap, region: Region, clothing: NDArray[np.bool_]) -> float:
    return float(person.probabilities[PART_INDEX[region]][clothing].sum())


def _guess(person: PersonMap, region: Region) -> GarmentMask | None:
    index = PART_INDEX[region]
    likely = enlarged(person.probabilities[index], person.transform, person.window)
    pixels = np.isin(person.parts, [PART_INDEX[r] for r in RIVALS]) & (likely > IN_THE_RUNNING)
    if pixels.sum() < max(1.0, LEAST_AREA * person.box.area):
        return None
    kept, main_share = without_specks(pixels, 1)
    return garment_mask(region, index, person, kept, main_share, float(likely[kept].mean()))
