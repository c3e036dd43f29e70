import numpy as np
import pytest

from garments.boxes import Box, iou, iou_matrix
from garments.errors import BadInput
from garments.ids import content_id, garment_id, person_id
from garments.masks import RunLengthMask, mask_box


@pytest.mark.parametrize("seed", range(8))
def test_masks_survive_encoding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((rng.integers(1, 40), rng.integers(1, 40))) < rng.random()
    encoded = RunLengthMask.encode(mask)
    assert (encoded.decode() == mask).all()
    assert encoded.area == mask.sum()
    again = RunLengthMask.from_bytes(*mask.shape, encoded.to_bytes())
    assert again == encoded


def test_counts_are_column_by_column_background_first() -> None:
    mask = np.array([[1, 0], [1, 1]], bool)
    assert RunLengthMask.encode(mask).counts == (0, 2, 1, 1)


def test_wrong_counts_are_refused() -> None:
    with pytest.raises(BadInput, match="add up"):
        RunLengthMask(2, 2, (1, 1))
    with pytest.raises(BadInput, match="shape"):
        RunLengthMask.encode(np.zeros((2, 2, 3), bool))


def test_mask_box_is_tight() -> None:
    mask = np.zeros((10, 20), bool)
    assert mask_box(mask) is None
    mask[3:5, 7:12] = True
    assert mask_box(mask) == Box(7, 3, 12, 5)


def test_iou_by_hand() -> None:
    assert iou(Box(0, 0, 2, 2), Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert iou(Box(0, 0, 1, 1), Box(2, 2, 3, 3)) == 0
    assert iou_matrix(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)


def test_empty_boxes_are_refused() -> None:
    for box in (Box(1, 1, 1, 5), Box(2, 2, 1, 3), Box(0, 0, float("nan"), 1)):
        with pytest.raises(BadInput, match="expected a box"):
            box.checked()


def test_ids_are_the_same_everywhere() -> None:
    assert content_id(b"photo") == "55c64d0fcd6f9d5f"
    person = person_id("abc", (12.0, 20.0, 112.0, 220.0))
    assert person == person_id("abc", (12.4, 19.7, 111.0, 220.9))
    garment = garment_id("abc", person, "upper", (10, 20, 30, 40))
    assert garment != garment_id("abc", person, "lower", (10, 20, 30, 40))
    assert garment != garment_id("abc", None, "upper", (10, 20, 30, 40))
