"""The wall on its own for three minutes, with all that goes wrong in an evening. tests/evening.py tells how."""

import pytest

import evening


@pytest.mark.timeout(600)
def test_the_wall_gets_over_whatever_fails_and_the_music_goes_on():
    found = evening.main(3)
    assert found["faults"] == []
    assert found["minutes"] >= 3
    assert len(found["seconds_to_recover"]) == 7
    assert found["songs"] >= evening.FEW
