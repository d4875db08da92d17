"""Bodies that are too large or come too slowly, sent over real connections, and those that are welcome."""

import base64
import json
import os
import socket
import time
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from select import select
from urllib.parse import urlsplit

import pytest

from builders import PORTRAIT
from femr.page import agents, bodies
from femr.page.live import Setup
from femr.page.remote import Door
from visitors import post, served, upload

CALL, UPLOAD = "/gradio_api/call/v2/analyze", "/gradio_api/upload"
PLACES = [CALL, "/gradio_api/queue/join", "/gradio_api/run/health", "/gradio_api/component_server/", agents.PATH]


def answer(server, path, pieces, length=None):
    """Status and text of what the server says to a request that was begun, whether or not all of it is sent."""
    address = urlsplit(server)
    kind = "multipart/form-data; boundary=b" if path == UPLOAD else "application/json"
    how = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {kind}\r\nAccept: */*\r\n{how}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=60) as line:
        line.sendall(head.encode())
        with suppress(ConnectionError):  # the answer may be there already
            for piece in pieces:
                line.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if length is None else piece)
                if select([line], [], [], 0)[0]:
                    break
        with HTTPResponse(line) as response:
            response.begin()
            return response.status, response.read().decode()


@pytest.mark.parametrize("path", PLACES)
def test_a_body_that_says_it_is_too_large_is_not_waited_for(server, path):
    status, said = answer(server, path, [b"{"], length=1_000_000_000)
    assert status == 413
    assert json.loads(said) == {"detail": "Expected at most 30 MB in a request. Received: more."}


@pytest.mark.parametrize("path", PLACES)
def test_a_body_that_does_not_say_so_is_refused_on_the_way(server, path):
    status, said = answer(server, path, [b'{"data": ["', *[b"A" * 1_000_000] * 40])
    assert status == 413
    assert "30 MB" in said


@pytest.mark.parametrize("path", [*PLACES, UPLOAD])
def test_a_body_that_stops_coming_is_given_up(server, path, monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE", 0.3)
    status, said = answer(server, path, [b"--b\r\n" if path == UPLOAD else b'{"data": ['], length=1000)
    assert status == 408
    assert "slowly" in said


@pytest.mark.parametrize(("path", "kind"), [("/live/frame", "image/jpeg"), ("/wall/remote", "application/json")])
def test_who_hangs_up_amid_a_body_leaves_no_fault_behind(path, kind, capfd):
    with served(Setup(wall=True), Door()) as url:
        address = urlsplit(url)
        asked = f"POST {path}?visit={'a' * 32} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {kind}\r\n"
        for _ in range(3):
            with socket.create_connection((address.hostname, address.port), timeout=60) as line:
                line.sendall(f"{asked}Content-Length: 100\r\n\r\n{{".encode())
                time.sleep(0.2)
        assert post(url, "health", [])[0] == "complete"
    assert "Traceback" not in capfd.readouterr().err


def test_a_body_that_drips_is_given_up(server, monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE", 0.3)

    def drops():
        while True:
            yield b" "
            time.sleep(0.01)

    status, _ = answer(server, CALL, drops(), length=1_000_000)
    assert status == 408


def test_a_slow_line_that_brings_something_is_waited_for(server, monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE", 0.3)
    pieces = [*[b" " * 20_000] * 5, b'{"data": []}']
    body = (time.sleep(0.2) or piece for piece in pieces)
    status, said = answer(server, "/gradio_api/run/health", body, length=sum(map(len, pieces)))
    assert status == 200
    assert json.loads(said)["data"][0]["status"] == "ok"


def test_uploads_may_be_larger_and_single_files_have_their_limit(server):
    video = os.urandom(40_000_000)
    assert Path(upload(server, "clip.mp4", video)).stat().st_size == len(video)
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="clip.mp4"\r\n\r\n'
    status, said = answer(server, UPLOAD, [head, *[b"A" * 1_000_000] * 110])
    assert status == 413
    assert "maximum allowed size" in said
    status, said = answer(server, UPLOAD, [head], length=10_000_000_000)
    assert status == 413
    assert "2,000 MB" in said


def test_the_largest_photo_goes_through_as_base64(server):
    photo = PORTRAIT.read_bytes() + bytes(19_000_000)
    kind, (found,) = post(server, "analyze", [base64.b64encode(photo).decode(), "mobilenet_v2", "match", False])
    assert kind == "complete"
    assert found["mood"]["emotion"] == "happy"
