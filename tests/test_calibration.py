import subprocess
import sys

import numpy as np
import pytest

from conftest import PORTRAIT
from femr.__main__ import main
from femr.calibration import TRAINING_COUNTS, adjust_prior, apply_temperature, check_prior_adjustment
from femr.emotions import EMOTIONS
from femr.errors import ModelError

PRIOR = np.array(TRAINING_COUNTS) / 28_709
ROWS = np.array([[1.0, 0, 0, 0, 0, 0, 0], [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1], PRIOR])


def test_no_faces():
    assert apply_temperature(np.empty((0, 7)), 2.0).shape == (0, 7)
    assert adjust_prior(np.empty((0, 7)), 0.6).shape == (0, 7)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_temperature_changes_how_sure_not_which(temperature):
    tempered = apply_temperature(ROWS, temperature)
    np.testing.assert_allclose(tempered.sum(axis=1), 1)
    assert (tempered.argmax(axis=1) == ROWS.argmax(axis=1)).all()
    assert np.sign(tempered[1, 0] - 0.3) == np.sign(1 - temperature) or tempered[1, 0] == pytest.approx(0.3)


def test_temperature_one_and_strength_zero_change_nothing():
    np.testing.assert_allclose(apply_temperature(ROWS, 1.0), ROWS, atol=1e-6)
    np.testing.assert_allclose(adjust_prior(ROWS, 0.0), ROWS, atol=1e-6)


def test_the_prior_itself_becomes_even():
    np.testing.assert_allclose(adjust_prior(ROWS, 1.0)[2], 1 / 7)


def test_adjustment_is_the_published_formula():
    expected = np.exp(np.log(ROWS[1]) - 0.6 * np.log(PRIOR))
    np.testing.assert_allclose(adjust_prior(ROWS, 0.6)[1], expected / expected.sum())


def test_the_rarest_gains_most_and_the_most_frequent_loses():
    even = np.full((1, 7), 1 / 7)
    gains = adjust_prior(even, 0.6)[0]
    assert EMOTIONS[gains.argmax()] == "disgust"
    assert EMOTIONS[gains.argmin()] == "happy"
    assert gains.sum() == pytest.approx(1)


@pytest.mark.parametrize("strength", [0.0, 0.6, 1.0, 3.0])
def test_strengths_that_can_be(strength):
    assert check_prior_adjustment(strength) == strength


@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf")])
def test_strengths_that_cannot_be(strength):
    with pytest.raises(ModelError, match=rf"Expected a prior adjustment from 0 .* Received: {strength}"):
        check_prior_adjustment(strength)


@pytest.mark.parametrize(
    "command",
    [["analyze", str(PORTRAIT)], ["evaluate", "custom_cnn", "--data", "nowhere.csv"]],
    ids=["analyze", "evaluate"],
)
def test_a_bad_strength_is_said_in_a_line_by_the_commands(capsys, command):
    assert main([*command, "--prior-adjustment", "nan"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == "femr: Expected a prior adjustment from 0 (off) upwards, such as 0.6. Received: nan"


def test_it_needs_no_tensorflow():
    code = "import sys, femr.calibration; print({'tensorflow', 'keras'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
