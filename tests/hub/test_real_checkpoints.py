"""The real checkpoints, fetched from the hub and run on one picture: `make test-hub`.

The other tests run the same code on small random weights. Where no hub answers, every test here
is skipped and says why; they need some 3 GB of downloads.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from extract.look import dress, look
from extract.models import load_detector, load_parser
from garmentloop.choice import REAL_MODELS
from garmentloop.doctor import HUB_SECONDS, check_hub
from garmentloop.machine import hub_answers
from garments.masks import mask_box
from garments.parts import GARMENT_REGIONS, PARTS, Region
from garments.settings import FramingLimits
from garments.synthetic.scene import draw_street
from garments.tagger import Crop
from garments.taxonomy import Taxonomy

pytestmark = pytest.mark.hub

REAL = {model.role: model.reference for model in REAL_MODELS}
TAGGERS = (
    REAL["tagger"],
    "openclip:hf-hub:Marqo/marqo-fashionSigLIP",
    "openclip:hf-hub:Marqo/marqo-fashionCLIP",
)


class Picture(NamedTuple):
    """A synthetic street of one person: pixels, and a true garment cut out."""

    pixels: np.ndarray
    crop: Crop


@pytest.fixture(scope="module", autouse=True)
def hub() -> Iterator[str]:
    found = check_hub(lambda: hub_answers(HUB_SECONDS / 2))
    if found.level != "ok":
        pytest.skip(f"model hub {found.found}")
    yield found.found


@pytest.fixture(scope="module")
def picture() -> Picture:
    for seed in range(100):
        street = draw_street(seed, "train")
        accepted = [person for person in street.people if person.framing == "accepted"]
        upper = street.labels == PARTS.index("upper")
        box = mask_box(upper)
        if len(street.people) == len(accepted) == 1 and box is not None and upper.sum() > 500:
            x1, y1, x2, y2 = map(int, box)
            crop = Crop(
                street.pixels[y1:y2, x1:x2].copy(), upper[y1:y2, x1:x2].copy(), Region.UPPER
            )
            return Picture(street.pixels, crop)
    raise AssertionError("expected one person alone in 100 streets")


def test_detector(picture: Picture) -> None:
    height, width = picture.pixels.shape[:2]
    (found,) = load_detector(REAL["detector"]).detect([picture.pixels])
    assert found.boxes.shape == (len(found.scores), 4)
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert (found.boxes >= -1).all()
    assert (found.boxes <= max(width, height) + 1).all()


def test_detector_and_parser_together(picture: Picture) -> None:
    limits = FramingLimits()
    (seen,) = look(
        [picture.pixels], load_detector(REAL["detector"]), load_parser(REAL["parser"]), limits
    )
    for probabilities, _ in seen.parsed:
        assert probabilities.shape[0] == len(PARTS)
        np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-3)
    for person in dress(seen, limits, second_guess=1):
        assert {garment.region for garment in person.garments} <= set(GARMENT_REGIONS)


@pytest.mark.parametrize("reference", TAGGERS)
def test_tagger(picture: Picture, reference: str) -> None:
    from annotate.taggers import load_tagger

    taxonomy = Taxonomy.default()
    tagger = load_tagger(reference, taxonomy)
    tags = tagger.tag([picture.crop, picture.crop])
    for attribute in tagger.attributes:
        found = tags.probabilities(attribute)
        assert found.shape == (2, len(taxonomy.values(attribute)))
        np.testing.assert_allclose(found[0], found[1], atol=1e-4)
    assert tags.embeddings is not None
    np.testing.assert_allclose(np.linalg.norm(tags.embeddings, axis=1), 1, atol=1e-3)
