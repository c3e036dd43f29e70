"""From probabilities to clean masks: places, contradictions, specks, contested pixels."""

import numpy as np
import pytest
from standins import PAINT, PaintParser, canvas, paint, paint_person

from extract.letterbox import person_crop
from extract.regions import garment_masks, person_map, share_pixels
from garments.boxes import Box
from garments.parts import PART_INDEX, Region


def look(pixels, box: Box, sure: float = 0.93, side: int = 256):
    """The map of one person of a painted picture."""
    crop, transform = person_crop(pixels, box, side)
    probabilities = PaintParser(sure).parse(crop[None])[0]
    return person_map(probabilities, transform, box, pixels.shape[1], pixels.shape[0])


def truth(pixels, part: str):
    return (pixels == PAINT[PART_INDEX[part]]).all(axis=2)


def by_region(pixels, box: Box):
    return {mask.region: mask for mask in garment_masks(look(pixels, box))}


def placed(mask, pixels):
    """A garment's mask over the whole picture."""
    whole = np.zeros(pixels.shape[:2], bool)
    height, width = mask.mask.shape
    whole[mask.top : mask.top + height, mask.left : mask.left + width] = mask.mask
    return whole


def test_masks_lie_there_whatever_the_side_of_the_crops():
    pixels = canvas(300, 480)
    paint_person(pixels, 33.5, 8, 460)
    box = Box(33.5, 8, 33.5 + 460 / 3, 468)
    for side in (256, 320, 512):
        for mask in garment_masks(look(pixels, box, side=side)):
            painted, found = truth(pixels, mask.region), placed(mask, pixels)
            assert (painted & found).sum() / (painted | found).sum() > 0.85, (side, mask.region)


@pytest.mark.parametrize("height", [90, 200, 460])
@pytest.mark.parametrize("left", [0.0, 33.5])
def test_masks_lie_where_the_paint_is(height, left):
    pixels = canvas(300, 480)
    paint_person(pixels, left, 8, height)
    found = by_region(pixels, Box(left, 8, left + height / 3, 8 + height))
    assert list(found) == [Region.UPPER, Region.LOWER, Region.FEET]
    for region, mask in found.items():
        true = truth(pixels, region)
        own = placed(mask, pixels)
        assert (own & true).sum() / (own | true).sum() > (0.8 if region is Region.FEET else 0.9)
        shift = [np.argwhere(m).mean(axis=0) for m in (own, true)]
        cell = height * 1.16 / 128  # of the parser, in pixels of the picture
        assert np.abs(shift[0] - shift[1]).max() < 0.5 * cell + 0.3
        assert mask.confidence > 0.8


def test_box_is_tight_around_the_mask():
    pixels = canvas()
    paint_person(pixels, 40, 10, 300)
    upper = by_region(pixels, Box(40, 10, 140, 310))[Region.UPPER]
    assert upper.box == pytest.approx((40, 70, 140, 160), abs=2)
    assert upper.mask.any(axis=0)[[0, -1]].all()
    assert upper.mask.any(axis=1)[[0, -1]].all()


def test_both_shoes_are_one_garment_and_not_fragmented():
    pixels = canvas()
    paint_person(pixels, 40, 10, 300)
    feet = by_region(pixels, Box(40, 10, 140, 310))[Region.FEET]
    assert feet.main_share == pytest.approx(1)
    assert feet.box.width > 70


def test_specks_are_dropped_and_pieces_counted():
    pixels = canvas()
    paint_person(pixels, 40, 10, 300)
    paint(pixels, "upper", 80, 200, 86, 206)  # a speck on the trousers
    paint(pixels, "lower", 60, 80, 90, 130)  # a piece as large as a quarter
    found = by_region(pixels, Box(40, 10, 140, 310))
    assert found[Region.UPPER].box.y2 < 175
    assert found[Region.UPPER].main_share == pytest.approx(1)
    assert found[Region.LOWER].main_share < 0.95


def test_a_region_of_a_few_pixels_is_no_garment():
    pixels = canvas()
    paint_person(pixels, 40, 10, 300)
    paint(pixels, "accessories", 80, 100, 84, 104)
    assert Region.ACCESSORIES not in by_region(pixels, Box(40, 10, 140, 310))


def test_bits_of_upper_and_lower_in_a_dress_are_the_dress():
    pixels = canvas()
    paint_person(pixels, 40, 10, 300, dress=True)
    paint(pixels, "upper", 60, 75, 120, 88)
    paint(pixels, "lower", 40, 210, 140, 226)
    found = by_region(pixels, Box(40, 10, 140, 310))
    assert list(found) == [Region.WHOLE, Region.FEET]
    assert found[Region.WHOLE].box == pytest.approx((40, 70, 140, 235), abs=2)


def test_a_coat_over_a_dress_stays():
    pixels = canvas()
    paint_person(pixels, 40, 10, 300, dress=True)
    paint(pixels, "upper", 40, 70, 70, 200)
    paint(pixels, "upper", 110, 70, 140, 200)
    assert list(by_region(pixels, Box(40, 10, 140, 310))) == [
        Region.UPPER,
        Region.WHOLE,
        Region.FEET,
    ]


def test_a_bit_of_dress_between_shirt_and_trousers_goes_to_them():
    pixels = canvas()
    paint_person(pixels, 40, 10, 300)
    paint(pixels, "whole", 70, 150, 110, 170)
    found = by_region(pixels, Box(40, 10, 140, 310))
    assert Region.WHOLE not in found
    assert found[Region.UPPER].mask.sum() + found[Region.LOWER].mask.sum() > 17_500


def test_a_pixel_belongs_to_one_person_only():
    pixels = canvas(400, 320)
    paint_person(pixels, 60, 10, 300)
    paint_person(pixels, 130, 10, 300)
    boxes = Box(60, 10, 160, 310), Box(130, 10, 230, 310)
    maps = share_pixels([look(pixels, boxes[0], 0.8), look(pixels, boxes[1], 0.95)])
    owned = np.zeros((2, 320, 400), bool)
    for index, person in enumerate(maps):
        x1, y1, x2, y2 = person.window
        owned[index, y1:y2, x1:x2] = person.parts > 0
    assert not owned.all(axis=0).any()
    # In the overlap of the boxes the surer one wins, elsewhere the box decides.
    assert owned[1, 100, 132:158].all()
    assert owned[0, 100, 62:128].all()
    assert owned[1, 100, 162:228].all()


def test_what_others_took_is_counted():
    pixels = canvas(400, 320)
    paint_person(pixels, 60, 10, 300)
    paint_person(pixels, 130, 10, 300)
    boxes = Box(60, 10, 190, 310), Box(130, 10, 230, 310)
    behind, before = share_pixels([look(pixels, boxes[0], 0.8), look(pixels, boxes[1], 0.95)])
    assert garment_masks(before)[0].lost_share == 0
    assert behind.lost.any()
    alone = garment_masks(look(pixels, boxes[0]))[0]
    assert alone.lost_share == 0


def test_an_empty_look_gives_no_garments():
    pixels = canvas()
    person = look(pixels, Box(40, 10, 140, 310))
    assert not person.parts.any()
    assert garment_masks(person) == []


def test_a_person_of_one_pixel_is_no_trouble():
    pixels = canvas(5, 5)
    assert garment_masks(look(pixels, Box(2, 2, 3, 3))) == []
