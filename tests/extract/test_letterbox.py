import numpy as np
import pytest

from extract.letterbox import PADDING, person_crop
from garments.boxes import Box


@pytest.fixture
def photo() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (400, 300, 3)).astype(np.uint8)


def test_crop_is_square_and_padded_evenly(photo: np.ndarray) -> None:
    crop, transform = person_crop(photo, Box(100, 50, 160, 350), margin=0.0)
    assert crop.shape == (256, 256, 3)
    x1, y1, x2, y2 = transform.window
    assert (y1, y2) == (0, 256)
    assert abs((x2 - x1) - 256 * 60 / 300) <= 1
    assert abs(x1 - (256 - x2)) <= 1
    assert (crop[:, :x1] == PADDING).all()
    assert (crop[:, x2:] == PADDING).all()


def test_points_survive_the_way_there_and_back(photo: np.ndarray) -> None:
    _, transform = person_crop(photo, Box(20.5, 30.25, 211.0, 333.0))
    points = np.array([[30.0, 40.0], [200.0, 300.0]])
    assert np.allclose(transform.to_photo(transform.to_crop(points)), points, atol=1e-3)


def test_crop_shows_the_place_that_the_transform_names() -> None:
    photo = np.zeros((400, 300, 3), np.uint8)
    photo[200:210, 150:160] = 255
    crop, transform = person_crop(photo, Box(90, 100, 210, 380))
    ys, xs = np.nonzero(crop[..., 0] == 255)
    middle = transform.to_photo(np.array([[xs.mean() + 0.5, ys.mean() + 0.5]]))[0]
    assert np.allclose(middle, (155, 205), atol=1.0)


@pytest.mark.parametrize("box", [Box(-50, -50, 20, 20), Box(290, 390, 500, 700), Box(5, 5, 6, 6)])
def test_boxes_at_the_border_or_of_one_pixel_give_a_crop(photo: np.ndarray, box: Box) -> None:
    crop, transform = person_crop(photo, box)
    assert crop.shape == (256, 256, 3)
    x1, y1, x2, y2 = transform.window
    assert x2 > x1
    assert y2 > y1
