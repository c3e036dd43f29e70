import numpy as np
import pytest

from extract.letterbox import person_crop
from extract.regions import PersonMap, garment_masks, person_map
from extract.second_guess import second_guesses
from garments.boxes import Box
from garments.parts import PART_INDEX, PARTS, Region

BOX = Box(40, 20, 120, 380)


def _person(**parts: tuple[float, float, float]) -> PersonMap:
    """A person whose parts fill rows (first, last) of the box with a probability."""
    photo = np.zeros((400, 160, 3), np.uint8)
    _, transform = person_crop(photo, BOX)
    probabilities = np.zeros((len(PARTS), 128, 128), np.float32)
    for part, (first, last, probability) in parts.items():
        rows = slice(round(first * 128), round(last * 128))
        probabilities[PART_INDEX[part], rows, 54:74] = probability
    probabilities[0] = np.clip(1 - probabilities[1:].sum(axis=0), 0, 1)
    return person_map(probabilities, transform, BOX, 160, 400)


def test_a_dress_that_was_nearly_seen_is_cut_too() -> None:
    person = _person(upper=(0.2, 0.5, 0.7), lower=(0.5, 0.8, 0.7), whole=(0.2, 0.8, 0.25))
    sure = garment_masks(person)
    assert {garment.region for garment in sure} == {Region.UPPER, Region.LOWER}
    (guess,) = second_guesses(person, sure, 0.05)
    assert guess.region is Region.WHOLE
    assert guess.second_guess
    assert guess.confidence == pytest.approx(0.25, abs=0.02)
    both = sum(garment.mask.sum() for garment in sure)
    assert guess.mask.sum() == pytest.approx(both, rel=0.05)


def test_what_nobody_considered_is_not_cut() -> None:
    person = _person(upper=(0.2, 0.5, 0.97), lower=(0.5, 0.8, 0.97), whole=(0.2, 0.8, 0.01))
    sure = garment_masks(person)
    assert second_guesses(person, sure, 0.05) == []
    assert not any(garment.second_guess for garment in sure)


def test_a_share_of_one_turns_it_off() -> None:
    person = _person(upper=(0.2, 0.8, 0.55), whole=(0.2, 0.8, 0.45))
    assert second_guesses(person, garment_masks(person), 1) == []
    assert second_guesses(person, garment_masks(person), 0.4)


def test_feet_and_accessories_are_never_guessed() -> None:
    person = _person(upper=(0.2, 0.8, 0.6), accessories=(0.2, 0.8, 0.3), feet=(0.8, 0.9, 0.4))
    assert second_guesses(person, garment_masks(person), 0.05) == []


def test_a_person_without_clothes_gives_none() -> None:
    assert second_guesses(_person(skin=(0.1, 0.9, 0.9)), [], 0.05) == []
