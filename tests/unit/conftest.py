"""These tests need no TensorFlow, no page, no browser and no network: what brings one in fails here."""

import socket
import sys

import pytest

HEAVY = frozenset({"tensorflow", "keras", "gradio", "playwright", "ray"})
_BEFORE = HEAVY & sys.modules.keys()  # where the other tests are collected in the same process


@pytest.fixture(autouse=True)
def light(monkeypatch):
    def refuse(_, address):
        pytest.fail(f"a unit test asks the network: {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
    loaded = HEAVY & sys.modules.keys() - _BEFORE
    assert not loaded, f"a unit test has loaded {', '.join(sorted(loaded))}"
