"""Measures and calibration against values worked out by hand or by definition."""

import numpy as np
import pytest

from femr.expression.calibration import Calibration, apply_temperature
from femr.expression.facts import ClassScores, Interval
from femr.training import data, metrics, plots


def rows(*tops):
    """Probabilities with the given (expression, top probability), the rest spread evenly."""
    table = np.array([[(1 - top) / 6] * 7 for _, top in tops])
    for row, (index, top) in zip(table, tops, strict=True):
        row[index] = top
    return table


def answered(probabilities, labels):
    """How sure each answer is, and whether it is right."""
    return probabilities.max(axis=1), metrics.hits(probabilities, labels)


THREE = rows((0, 0.9), (1, 0.6), (2, 0.4))
LABELS = np.array([0, 1, 3])


def test_a_networks_name_is_no_formula(tmp_path):
    plots.draw_confusion_matrix(np.eye(7), tmp_path / "matrix.png", "a$%$x: labels")
    assert (tmp_path / "matrix.png").read_bytes().startswith(b"\x89PNG")


def test_accuracy_and_confusion():
    assert metrics.accuracy(THREE, LABELS) == pytest.approx(2 / 3)
    matrix = metrics.confusion_matrix(THREE.argmax(axis=1), LABELS)
    assert matrix.sum() == 3
    assert matrix[3, 2] == matrix[0, 0] == matrix[1, 1] == 1
    scores = metrics.per_class(matrix)
    assert scores["angry"] == ClassScores(1, 1, 1, 1)
    assert scores["fear"] == ClassScores(0, 0, 0, 0)
    assert metrics.macro_f1(matrix) == pytest.approx(2 / 7)


def test_proper_scores():
    assert metrics.negative_log_likelihood(THREE, LABELS) == pytest.approx(-np.log([0.9, 0.6, 0.1]).mean())
    squares = [0.1**2 + 6 * (0.1 / 6) ** 2, 0.4**2 + 6 * (0.4 / 6) ** 2, 0.4**2 + 0.9**2 + 5 * 0.1**2]
    assert metrics.brier_score(THREE, LABELS) == pytest.approx(np.mean(squares))
    assert metrics.calibration_error(*answered(THREE, LABELS)) == pytest.approx((0.1 + 0.4 + 0.4) / 3)
    assert np.isfinite(metrics.negative_log_likelihood(rows((0, 1.0)), np.array([1])))


def test_interval_holds_the_value_and_narrows():
    few, many = metrics.interval(np.arange(50) % 4 > 0), metrics.interval(np.arange(5000) % 4 > 0)
    assert few.low < few.value < few.high
    # 1.96 standard errors of a share
    assert many.high - many.low == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 5000), rel=0.1)
    assert metrics.interval(np.ones(3, bool)) == Interval(1, 1, 1)
    assert metrics.interval(np.ones(0, bool)) is None


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
    fitted = metrics.fit_temperature(probabilities, np.eye(7)[labels])
    assert fitted == pytest.approx(temperature, rel=0.03)
    calibrated = apply_temperature(probabilities, fitted)
    assert metrics.calibration_error(*answered(calibrated, labels)) < 0.015


def test_risk_coverage_keeps_the_surest_first():
    curve = metrics.risk_coverage(*answered(THREE, LABELS))
    np.testing.assert_allclose(curve[:, 0], [0.9, 0.6, 0.4])
    np.testing.assert_allclose(curve[:, 1], [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(curve[:, 2], [0, 0, 1 / 3])


def test_the_threshold_is_where_a_calibrated_model_is_right_half_the_time():
    probabilities, labels = sample(1.0)
    assert metrics.abstain_threshold(*answered(probabilities, labels)) == pytest.approx(0.5, abs=0.04)


def test_majorities_in_the_order_of_emotions():
    cast = np.zeros((4, 10), np.int64)
    cast[0, 1] = 10  # happiness
    cast[1, [0, 3]] = 6, 4  # neutral before sadness
    cast[2, [4, 9]] = 5, 5  # anger and "not a face": no majority
    cast[3, [4, 0, 1, 2, 3, 5]] = 5, 1, 1, 1, 1, 1  # anger, but for single votes
    labels, agreed = data.majority(cast)
    assert labels.tolist() == [3, 6, 0, 0]
    assert agreed.tolist() == [True, True, False, False]
    assert metrics.ferplus_majority(cast)[1].tolist() == [True, True, False, True]


def test_recalls_count_those_labelled_and_missed_faces_are_wrong():
    matrix = metrics.confusion_matrix(np.array([3, 7, 6, 3]), np.array([3, 3, 6, 6]))
    assert matrix.shape == (7, 8)
    assert matrix[3, 7] == 1
    assert metrics.mean_recall(matrix) == 0.5
    happy, neutral = (metrics.NATURAL_MIX[index] for index in (3, 6))
    assert metrics.natural_mix(matrix) == pytest.approx((happy / 2 + neutral / 2) / (happy + neutral))
    assert metrics.mean_recall(np.zeros((7, 8), np.int64)) is metrics.natural_mix(np.zeros((7, 8), np.int64)) is None


def test_calibration_is_against_the_share_of_voters_who_agree():
    cast = np.zeros((100, 10), np.int64)
    cast[:, 1], cast[:, 0], cast[:, 8] = 6, 3, 1  # of nine who name one of the seven six say happy
    said = np.tile([0, 0, 0, 0.9, 0, 0, 0.1], (100, 1))
    calibrated, threshold = metrics.tune(said, cast, 0.0)
    found = metrics.measure_people(said, cast, calibrated, threshold)
    assert found.ece_before == pytest.approx(0.9 - 6 / 9)
    assert found.ece_after < 0.05  # the other five keep a little
    assert found.agreement == pytest.approx(0.6)
    assert found.cross_entropy == pytest.approx(found.cross_entropy_least, abs=0.05)
    named = metrics.measure_people(said, cast, Calibration(calibrated.temperature, 1.0), threshold)
    assert named.accuracy_unbalanced == found.accuracy
