import numpy as np
import pytest

from garments.metrics import (
    ImageBoxes,
    accuracy,
    average_precision,
    bootstrap_interval,
    confusion_matrix,
    expected_calibration_error,
    f1_per_class,
    iou_per_class,
    macro_f1,
    reliability,
    weighted_f1,
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


def test_f1_of_labels_as_scikit_learn_has_it() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    source = np.random.default_rng(0)
    truth = source.choice(list("aabbc"), 200)
    predicted = np.where(source.random(200) < 0.6, truth, source.choice(list("abd"), 200))
    for average, own in (("weighted", weighted_f1), ("macro", macro_f1)):
        theirs = metrics.f1_score(truth, predicted, average=average, zero_division=0)
        assert own(truth, predicted) == pytest.approx(theirs)
    assert accuracy(truth, predicted) == pytest.approx(metrics.accuracy_score(truth, predicted))


def test_f1_of_labels_by_hand() -> None:
    assert weighted_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 / 3)
    assert macro_f1(["a", "a"], ["a", "c"]) == pytest.approx(1 / 3)
    assert weighted_f1(["a", "a"], ["a", "c"]) == pytest.approx(2 / 3)
    assert all(np.isnan(own([], [])) for own in (accuracy, macro_f1, weighted_f1))


def test_calibration_error_by_hand() -> None:
    confidence = [0.95, 0.96, 0.97, 0.98, 0.05]
    correct = [True, True, False, False, False]
    expected = (4 * (0.965 - 0.5) + 0.05) / 5
    assert expected_calibration_error(confidence, correct) == pytest.approx(expected)
    assert expected_calibration_error([0.0, 1.0], [False, True]) == 0.0
    assert np.isnan(expected_calibration_error([], []))


def test_reliability_bins_share_the_unit_interval() -> None:
    found = reliability([0.0, 0.5, 0.500001, 1.0], [1, 0, 1, 1], bins=2)
    assert [(each.low, each.high, each.count) for each in found] == [(0, 0.5, 2), (0.5, 1, 2)]
    assert found[0].accuracy == 0.5
    assert np.isnan(reliability([0.9], [1], bins=2)[0].confidence)


def test_a_bootstrap_interval_covers_the_mean_and_narrows() -> None:
    source = np.random.default_rng(1)
    few, many = source.random(50), source.random(5000)
    intervals = [bootstrap_interval(lambda drawn: float(drawn.mean()), x) for x in (few, many)]
    assert all(low < 0.5 < high for low, high in intervals)
    assert intervals[1][1] - intervals[1][0] < intervals[0][1] - intervals[0][0]
    assert intervals[0] == bootstrap_interval(lambda drawn: float(drawn.mean()), few)
    together = bootstrap_interval(lambda a, b: float((a - b).mean()), few, few)
    assert together == (0.0, 0.0), "columns are drawn together"
    assert np.isnan(bootstrap_interval(lambda drawn: 0.0, [])).all()
