"""Measures and calibration against values worked out by hand or by definition."""

import numpy as np
import pytest

from femr.calibration import apply_temperature
from femr.training import calibration, metrics
from femr.training.evaluate import ferplus_majority


def rows(*tops):
    """Probabilities with the given (expression, top probability), the rest spread evenly."""
    table = np.array([[(1 - top) / 6] * 7 for _, top in tops])
    for row, (index, top) in zip(table, tops, strict=True):
        row[index] = top
    return table


THREE = rows((0, 0.9), (1, 0.6), (2, 0.4))
LABELS = np.array([0, 1, 3])


def test_accuracy_and_confusion():
    assert metrics.accuracy(THREE, LABELS) == pytest.approx(2 / 3)
    matrix = metrics.confusion_matrix(THREE, LABELS)
    assert matrix.sum() == 3
    assert matrix[3, 2] == matrix[0, 0] == matrix[1, 1] == 1
    scores = metrics.per_class(matrix)
    assert scores["angry"] == {"precision": 1, "recall": 1, "f1": 1, "images": 1}
    assert scores["fear"] == {"precision": 0, "recall": 0, "f1": 0, "images": 0}
    assert metrics.macro_f1(matrix) == pytest.approx(2 / 7)


def test_proper_scores():
    assert metrics.negative_log_likelihood(THREE, LABELS) == pytest.approx(-np.log([0.9, 0.6, 0.1]).mean())
    squares = [0.1**2 + 6 * (0.1 / 6) ** 2, 0.4**2 + 6 * (0.4 / 6) ** 2, 0.4**2 + 0.9**2 + 5 * 0.1**2]
    assert metrics.brier_score(THREE, LABELS) == pytest.approx(np.mean(squares))
    assert metrics.calibration_error(THREE, LABELS) == pytest.approx((0.1 + 0.4 + 0.4) / 3)
    assert np.isfinite(metrics.negative_log_likelihood(rows((0, 1.0)), np.array([1])))


def test_interval_holds_the_value_and_narrows():
    few, many = metrics.interval(np.arange(50) % 4 > 0), metrics.interval(np.arange(5000) % 4 > 0)
    assert few.low < few.value < few.high
    # 1.96 standard errors of a share
    assert many.high - many.low == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 5000), rel=0.1)
    assert metrics.interval(np.ones(3, bool)).as_dict() == {"value": 1, "low": 1, "high": 1}


def sample(temperature, n=20_000):
    """Probabilities whose labels are drawn from them after tempering: `temperature` is the right answer."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(7, 0.5), n)
    truth = apply_temperature(probabilities, temperature)
    labels = (truth.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return probabilities, labels


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.8])
def test_the_fitted_temperature_is_the_right_one(temperature):
    probabilities, labels = sample(temperature)
    fitted = calibration.fit_temperature(probabilities, labels)
    assert fitted == pytest.approx(temperature, rel=0.03)
    calibrated = apply_temperature(probabilities, fitted)
    assert metrics.calibration_error(calibrated, labels) < 0.015


def test_risk_coverage_keeps_the_surest_first():
    curve = calibration.risk_coverage(THREE, LABELS)
    np.testing.assert_allclose(curve[:, 0], [0.9, 0.6, 0.4])
    np.testing.assert_allclose(curve[:, 1], [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(curve[:, 2], [0, 0, 1 / 3])


def test_the_threshold_is_where_a_calibrated_model_is_right_half_the_time():
    probabilities, labels = sample(1.0)
    assert calibration.unsure_threshold(probabilities, labels) == pytest.approx(0.5, abs=0.04)


def test_ferplus_majority_in_the_order_of_emotions():
    votes = np.zeros((3, 10), np.int64)
    votes[0, 1] = 10  # happiness
    votes[1, [0, 3]] = 6, 4  # neutral before sadness
    votes[2, [4, 9]] = 5, 5  # anger and "not a face": no majority
    labels, agreed = ferplus_majority(votes)
    assert labels.tolist() == [3, 6, 0]
    assert agreed.tolist() == [True, True, False]
