"""A garment's mask lies on its crop: whatever the photo's size, the margin and the settings."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from annotate.crops import CropLoader
from extract.crops import garment_crop, photo_box, photo_mask
from extract.files import Writer
from extract.provenance import Provenance, write_provenance
from extract.regions import GarmentMask
from garments.catalog.rows import garment_row
from garments.dataset import Dataset
from garments.errors import BadInput
from garments.ids import content_id
from garments.images import encode_jpeg
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.records import Garment
from garments.settings import CropSettings

RED, GREY = np.array([210, 30, 30], np.uint8), np.array([128, 128, 128], np.uint8)


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def painted(width: int, height: int, box: tuple[int, int, int, int]) -> GarmentMask:
    """A lopsided polygon that fills `box` (xyxy), as the garment of a picture of this size."""
    x1, y1, x2, y2 = box
    corners = np.array([(x1, y1), (x2 - 1, y1 + (y2 - y1) // 3), (x1 + (x2 - x1) // 4, y2 - 1)])
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [corners], 1)
    return GarmentMask(Region.UPPER, x1, y1, canvas[y1:y2, x1:x2] > 0, 0.9, 1.0, 0.0)


def kept(dataset, found: GarmentMask, size, scale: float = 1.0, margin: float = 0.05, config=""):
    """The row of a garment that was cut from a picture of `size` (width, height) / `scale`."""
    width, height = size
    picture = np.tile(GREY, (height, width, 1))
    top, left = found.top, found.left
    inner = picture[top : top + found.mask.shape[0], left : left + found.mask.shape[1]]
    inner[found.mask] = RED
    data = encode_jpeg(garment_crop(picture, found, CropSettings(margin=margin)), 95)
    path = dataset.crop_path(content_id(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    photo = (round(width / scale), round(height / scale))
    mask = photo_mask(found, scale, *photo)
    box = photo_box(found, scale, *photo)
    garment = Garment("g", "p", "q", found.region, box, mask, mask.area, content_id(data))
    return garment_row(garment, config)


def overlap(crop) -> float:
    """Intersection over union of the mask and what is red on the crop."""
    red = np.abs(crop.pixels.astype(int) - RED).max(axis=2) < 60
    return float((red & crop.mask).sum() / (red | crop.mask).sum())


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((240, 320), (60, 40, 180, 300)),  # as it is
        ((900, 1201), (101, 77, 700, 1003)),  # made smaller
        ((240, 320), (0, 0, 240, 320)),  # the whole picture
        ((240, 320), (150, 200, 240, 320)),  # in a corner
    ],
)
def test_the_mask_lies_on_the_garment(dataset, size, box):
    crop = CropLoader(dataset).load(kept(dataset, painted(*size, box), size))
    assert crop.region is Region.UPPER
    assert crop.mask.shape == crop.pixels.shape[:2]
    assert overlap(crop) > 0.96


def test_a_photo_that_was_reduced_while_it_was_worked_on(dataset):
    row = kept(dataset, painted(600, 800, (100, 100, 400, 700)), (600, 800), scale=0.37)
    assert overlap(CropLoader(dataset).load(row)) > 0.96


def test_the_margin_is_the_one_that_the_crop_was_cut_with(dataset):
    found = painted(600, 800, (150, 200, 400, 600))
    row = kept(dataset, found, (600, 800), margin=0.5, config="wide")
    assert overlap(CropLoader(dataset).load(row)) < 0.9, "nothing is known of that configuration"
    write_provenance(
        dataset, Provenance("wide", crops={"margin": 0.5}), Writer(dataset.run / "scratch")
    )
    assert overlap(CropLoader(dataset).load(row)) > 0.96


def test_a_product_shot_has_no_mask(dataset):
    row = kept(dataset, painted(240, 320, (60, 40, 180, 300)), (240, 320))
    shot = {**row, "mask": None, "mask_height": None, "mask_width": None, "region": "unknown"}
    crop = CropLoader(dataset).load(shot)
    assert crop.mask is None and crop.region is Region.UNKNOWN


def test_the_thinnest_garment_keeps_some_mask(dataset):
    thread = GarmentMask(Region.ACCESSORIES, 100, 50, np.zeros((900, 900), bool), 0.9, 1.0, 0.0)
    thread.mask[np.arange(900), np.arange(900)] = True
    crop = CropLoader(dataset).load(kept(dataset, thread, (1200, 1000)))
    assert max(crop.mask.shape) <= 256
    assert crop.mask.any() and crop.mask.mean() < 0.1


@pytest.mark.parametrize("area", ["none", "elsewhere"])
def test_a_mask_without_a_pixel_is_refused(dataset, area):
    row = kept(dataset, painted(240, 320, (60, 40, 180, 300)), (240, 320))
    mask = np.zeros((320, 240), bool)
    mask[:5, :5] = area == "elsewhere"
    with pytest.raises(BadInput, match=r"mask.*extract the photo again"):
        CropLoader(dataset).load({**row, "mask": RunLengthMask.encode(mask).to_bytes()})


def test_a_missing_crop_is_named(dataset):
    row = kept(dataset, painted(240, 320, (60, 40, 180, 300)), (240, 320))
    with pytest.raises(BadInput, match=r"abcd\.jpg"):
        CropLoader(dataset).load({**row, "crop_sha": "abcd"})


def test_columns_are_those_of_the_whole_mask():
    random = np.random.default_rng(0)
    mask = random.random((17, 23)) < 0.4
    encoded = RunLengthMask.encode(mask)
    for first, end in ((0, 23), (0, 1), (22, 23), (5, 5), (3, 19)):
        assert np.array_equal(encoded.columns(first, end), mask[:, first:end])
    full = replace(encoded, counts=(0, 17 * 23))
    assert full.columns(4, 9).all() and full.columns(4, 9).shape == (17, 5)
