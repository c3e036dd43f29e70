"""Crops from the photo, masks over the whole photo, doubts."""

import numpy as np
import pytest

from extract.crops import doubts, garment_crop, photo_box, photo_mask
from extract.regions import GarmentMask
from garments.boxes import Box
from garments.masks import mask_box
from garments.parts import Region
from garments.records import Doubt
from garments.settings import CropSettings


def garment(left: int, top: int, mask, confidence=0.9, main_share=1.0, lost_share=0.0):
    mask = np.asarray(mask, bool)
    return GarmentMask(Region.UPPER, left, top, mask, confidence, main_share, lost_share)


def noise(height: int, width: int):
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def test_small_garments_are_not_enlarged():
    pixels = noise(300, 200)
    crop = garment_crop(pixels, garment(50, 60, np.ones((100, 40))), CropSettings(margin=0.1))
    assert crop.shape == (120, 48, 3)
    np.testing.assert_array_equal(crop, pixels[50:170, 46:94])


def test_large_garments_come_down_to_the_longer_side():
    pixels = noise(1500, 900)
    crop = garment_crop(pixels, garment(100, 100, np.ones((1200, 600))), CropSettings())
    assert max(crop.shape) == 256
    assert crop.shape[0] / crop.shape[1] == pytest.approx(2, abs=0.02)


def test_the_margin_ends_at_the_photo():
    pixels = noise(100, 80)
    crop = garment_crop(pixels, garment(0, 0, np.ones((100, 80))), CropSettings(margin=0.5))
    np.testing.assert_array_equal(crop, pixels)


@pytest.mark.parametrize("background", ["white", "blur"])
def test_the_background_goes_and_the_garment_stays(background):
    pixels = noise(200, 200)
    mask = np.zeros((100, 100), bool)
    mask[:, 30:70] = True
    settings = CropSettings(background=background, margin=0.2)
    crop = garment_crop(pixels, garment(50, 50, mask), settings)
    assert crop.shape == (140, 140, 3)
    np.testing.assert_array_equal(crop[40:100, 55:85], pixels[70:130, 85:115])
    corner = crop[:15, :15].astype(float)
    assert (corner == 255).all() if background == "white" else corner.std() < 30


@pytest.mark.parametrize(
    ("left", "top", "size"),
    [(0, 0, (7, 5)), (3, 2, (4, 6)), (13, 13, (7, 7)), (0, 0, (20, 20)), (0, 15, (5, 20))],
)
def test_the_mask_lies_in_the_photo(left, top, size):
    mask = np.random.default_rng(1).random(size) > 0.4
    whole = np.zeros((20, 20), bool)
    whole[top : top + size[0], left : left + size[1]] = mask
    encoded = photo_mask(garment(left, top, mask), 1, 20, 20)
    np.testing.assert_array_equal(encoded.decode(), whole)
    assert encoded.area == whole.sum()
    assert len(encoded.counts) == 1 or min(encoded.counts[1:]) > 0


def test_a_reduced_picture_gives_boxes_and_masks_of_the_photo():
    small = garment(10, 20, np.ones((30, 25)))
    box = photo_box(small, 0.25, 401, 399)
    assert box == Box(40, 80, 140, 200)
    assert mask_box(photo_mask(small, 0.25, 401, 399).decode()) == box


def test_a_box_at_the_edge_of_a_reduced_picture_ends_at_the_photo():
    box = photo_box(garment(70, 70, np.ones((30, 30))), 0.25, 399, 398)
    assert box == Box(280, 280, 399, 398)


@pytest.mark.parametrize(
    ("changes", "box", "expected"),
    [
        ({}, Box(50, 50, 150, 150), ()),
        ({}, Box(50, 50, 80, 110), (Doubt.TINY,)),
        ({"main_share": 0.5}, Box(50, 50, 150, 150), (Doubt.FRAGMENTED,)),
        ({}, Box(1, 50, 150, 150), (Doubt.BORDER,)),
        ({}, Box(50, 50, 150, 299), (Doubt.BORDER,)),
        ({"confidence": 0.4}, Box(50, 50, 150, 150), (Doubt.LOW_CONFIDENCE,)),
        ({"lost_share": 0.3}, Box(50, 50, 150, 150), (Doubt.OCCLUDED,)),
        ({"lost_share": 0.3, "confidence": 0.1}, Box(0, 0, 9, 9), None),
    ],
)
def test_doubts(changes, box, expected):
    found = doubts(garment(0, 0, np.ones((5, 5)), **changes), box, 300, 300)
    assert found == expected if expected is not None else len(found) == 4
