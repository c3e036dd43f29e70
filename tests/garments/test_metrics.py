import numpy as np
import pytest

from garments.metrics import (
    ImageBoxes,
    average_precision,
    confusion_matrix,
    f1_per_class,
    iou_per_class,
    wilson_interval,
)

NONE = np.zeros((0, 4), np.float32)


def _boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_confusion_leaves_out_ignored_pixels() -> None:
    truth = np.array([[0, 1], [1, 255]], np.uint8)
    predicted = np.array([[0, 1], [0, 1]], np.uint8)
    assert confusion_matrix(truth, predicted, 2).tolist() == [[1, 0], [1, 1]]


def test_iou_and_f1_by_hand() -> None:
    confusion = np.array([[6, 2], [1, 3]])
    assert np.allclose(iou_per_class(confusion), [6 / 9, 3 / 6])
    assert np.allclose(f1_per_class(confusion), [12 / 15, 6 / 9])
    assert np.isnan(iou_per_class(np.array([[5, 0], [0, 0]]))[1])


def test_perfect_detections_have_full_precision() -> None:
    truth = _boxes((0, 0, 10, 10), (20, 20, 40, 60))
    image = ImageBoxes(truth, np.array([0.9, 0.8], np.float32), truth, NONE)
    assert average_precision([image]) == pytest.approx(1.0)


def test_a_second_box_on_one_person_is_wrong() -> None:
    truth = _boxes((0, 0, 10, 10))
    twice = _boxes((0, 0, 10, 10), (0, 0, 10, 9.9))
    scores = np.array([0.5, 0.9], np.float32)
    assert average_precision([ImageBoxes(twice, scores, truth, NONE)]) == pytest.approx(1.0)
    other = ImageBoxes(NONE, np.zeros(0, np.float32), truth, NONE)
    # half the people found; the double comes after the hit and costs nothing
    assert average_precision([ImageBoxes(twice, scores, truth, NONE), other]) == pytest.approx(0.5)


def test_precision_recall_area_by_hand() -> None:
    truth = _boxes((0, 0, 10, 10), (50, 50, 60, 60))
    predicted = _boxes((0, 0, 10, 10), (100, 100, 110, 110), (50, 50, 60, 60))
    image = ImageBoxes(predicted, np.array([0.9, 0.8, 0.7], np.float32), truth, NONE)
    assert average_precision([image]) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_ignored_people_count_neither_way() -> None:
    truth = _boxes((0, 0, 10, 10))
    predicted = _boxes((30, 30, 40, 40), (0, 0, 10, 10))
    scores = np.array([0.9, 0.8], np.float32)
    ignored = _boxes((28, 28, 42, 42))
    assert average_precision([ImageBoxes(predicted, scores, truth, ignored)]) == pytest.approx(1.0)
    assert average_precision([ImageBoxes(predicted, scores, truth, NONE)]) == pytest.approx(0.5)


def test_nothing_predicted_scores_nothing() -> None:
    image = ImageBoxes(NONE, np.zeros(0, np.float32), _boxes((0, 0, 1, 1)), NONE)
    assert average_precision([image]) == 0.0
    assert average_precision([]) == 0.0


def test_wilson_interval_holds_the_share() -> None:
    low, high = wilson_interval(8, 10)
    assert low < 0.8 < high
    assert (low, high) == pytest.approx((0.490, 0.943), abs=1e-3)
    assert wilson_interval(0, 0) == (0.0, 1.0)
