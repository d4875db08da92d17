from dataclasses import replace

import numpy as np
import pytest

from femr.errors import ModelError
from femr.expression.calibration import VOTE_SHARES, Calibration
from femr.results import EMOTIONS

ROWS = np.array([[1.0, 0, 0, 0, 0, 0, 0], [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1], VOTE_SHARES])


def test_no_faces():
    assert Calibration(2.0, 0.6).apply(np.empty((0, 7))).shape == (0, 7)


def test_by_itself_it_changes_nothing():
    np.testing.assert_allclose(Calibration().apply(ROWS), ROWS, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_temperature_changes_how_sure_not_which(temperature):
    tempered = Calibration(temperature).apply(ROWS)
    np.testing.assert_allclose(tempered.sum(axis=1), 1)
    assert (tempered.argmax(axis=1) == ROWS.argmax(axis=1)).all()
    assert np.sign(tempered[1, 0] - 0.3) == np.sign(1 - temperature) or tempered[1, 0] == pytest.approx(0.3)


def test_the_vote_shares_sum_to_one_and_at_balance_one_become_even():
    assert sum(VOTE_SHARES) == pytest.approx(1)
    np.testing.assert_allclose(Calibration(balance=1.0).apply(ROWS)[2], 1 / 7)


def test_temperature_first_then_balance():
    expected = np.exp(np.log(ROWS[1]) / 2 - 0.6 * np.log(VOTE_SHARES))
    np.testing.assert_allclose(Calibration(2.0, 0.6).apply(ROWS)[1], expected / expected.sum())


def test_the_rarest_gains_most_and_the_most_frequent_loses():
    gains = Calibration(balance=0.6).apply(np.full((1, 7), 1 / 7))[0]
    assert EMOTIONS[gains.argmax()] == "disgust"
    assert EMOTIONS[gains.argmin()] == "neutral"
    assert gains.sum() == pytest.approx(1)


@pytest.mark.parametrize("balance", [0, 0.0, 0.5, 1, 1.0])
def test_balances_that_can_be(balance):
    assert replace(Calibration(1.2), balance=balance) == Calibration(1.2, balance)


@pytest.mark.parametrize("balance", [-0.1, 1.01, float("nan"), float("inf")])
def test_balances_that_cannot_be(balance):
    with pytest.raises(ModelError) as caught:
        Calibration(balance=balance)
    assert str(caught.value) == f"Expected a balance from 0 (off) to 1. Received: {balance}"


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan"), float("inf")])
def test_temperatures_that_cannot_be(temperature):
    with pytest.raises(ModelError) as caught:
        Calibration(temperature)
    assert str(caught.value) == f"Expected a temperature over 0, such as 1. Received: {temperature}"


def test_sharp_temperatures_of_even_answers_do_not_overflow():
    np.testing.assert_allclose(Calibration(1e-3).apply(np.full((1, 7), 1 / 7)), 1 / 7)
    np.testing.assert_allclose(Calibration(1e-3).apply(ROWS[:1])[0], [1, 0, 0, 0, 0, 0, 0])
