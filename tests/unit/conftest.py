"""These tests need no TensorFlow, no page, no browser and no network: what brings one in fails here."""

import socket
import sys

import pytest

HEAVY = frozenset({"tensorflow", "keras", "gradio", "playwright", "ray"})


def loaded():
    return {name for name in HEAVY if name in sys.modules}


@pytest.fixture(scope="session")
def alone(request):
    """Whether no other tests run in this process."""
    return all("unit" in item.path.parts for item in request.session.items)


@pytest.fixture(autouse=True)
def light(monkeypatch, alone):
    def refuse(_, address):
        pytest.fail(f"a unit test asks the network: {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    # among other tests in one process, only what a test itself brings in can be told
    before = set() if alone else loaded()
    yield
    new = loaded() - before
    assert not new, f"a unit test has loaded {', '.join(sorted(new))}"
