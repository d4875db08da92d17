"""The API for programs: what each client of docs/api.md gets, and what a stranger gets who asks for too much."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

import femr
from builders import HOPPER, PORTRAIT, ROOT
from femr.output.rows import to_dict
from femr.page import app
from visitors import post, upload

QUICK = {"model": "mobilenet_v2"}
BASE64 = base64.b64encode(PORTRAIT.read_bytes()).decode()
DOCS = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    return Client(server, verbose=False, download_files=str(tmp_path_factory.mktemp("client")), analytics_enabled=False)


def analyze(client, photo, **wish):
    return client.predict(photo, api_name="/analyze", **QUICK | wish)


def code(document):
    assert set(document["error"]) == {"code", "message"}
    sentence = document["error"]["message"]
    assert len(sentence) > 20
    assert "Traceback" not in sentence
    assert str(ROOT) not in sentence
    assert os.environ["GRADIO_TEMP_DIR"] not in sentence
    return document["error"]["code"]


def fetched(url):
    with urllib.request.urlopen(url) as response:
        return response.read()


def test_the_document_has_the_numbers_of_the_package(client, analyzer):
    found, expected = analyze(client, handle_file(str(PORTRAIT))), to_dict(analyzer(PORTRAIT))
    assert found["version"] == femr.__version__
    assert found["model"] == "mobilenet_v2"
    assert found["size"] == {"width": 512, "height": 512}
    assert (found["faces"], found["mood"]) == (expected["faces"], expected["mood"])
    assert found["song"]["emotion"] == "happy"
    assert found["song"]["licence"] == "CC0-1.0"
    assert found["annotated"] is None
    assert set(found["timings"]) == {"read", "faces"}


def test_song_and_annotated_picture_are_at_their_addresses(client, library):
    found = analyze(client, handle_file(str(PORTRAIT)), annotated=True)
    (song,) = [song for song in library.songs if song.title == found["song"]["title"]]
    assert len(fetched(found["song"]["url"])) > 100_000
    assert song.path.read_bytes().endswith(fetched(found["song"]["url"]))  # without its tag
    assert fetched(found["annotated"]).startswith(b"\xff\xd8")


def test_base64_and_data_addresses_are_photos_too(client):
    faces = [
        analyze(client, photo)["faces"]
        for photo in (handle_file(str(PORTRAIT)), BASE64, f"data:image/jpeg;base64,{BASE64}")
    ]
    assert faces[0] == faces[1] == faces[2] != []


def test_a_picture_without_a_face_has_no_song(client):
    blank = base64.b64encode(b"P6 64 48 255 " + bytes(64 * 48 * 3)).decode()
    found = analyze(client, blank)
    assert found["size"] == {"width": 64, "height": 48}
    assert (found["faces"], found["song"], found["mood"]["emotion"]) == ([], None, None)


def test_many_photos_in_one_call(client, analyzer):
    photos = [handle_file(str(PORTRAIT)), "AAAA", handle_file(str(HOPPER)), *[BASE64] * 29]
    found = client.predict(photos, api_name="/analyze_batch", **QUICK)["photos"]
    assert len(found) == 32
    assert code(found[1]) == "not_a_picture"
    assert [found[n]["faces"] for n in (0, 2)] == [to_dict(analyzer(path))["faces"] for path in (PORTRAIT, HOPPER)]
    assert all(one["mood"]["emotion"] == "happy" for one in found[3:])


@pytest.mark.parametrize("photos", [[], [BASE64] * 33, BASE64, None, {"path": "x"}], ids=[*"01", "str", "none", "dict"])
def test_too_many_photos_or_none_are_refused(client, photos):
    assert code(client.predict(photos, api_name="/analyze_batch")) == "bad_request"


def test_songs_and_health(client, library):
    songs = client.predict(api_name="/songs")["songs"]
    assert [song["title"] for song in songs] == [song.title for song in library.songs]
    assert library.songs[-1].path.read_bytes().endswith(fetched(songs[-1]["url"]))
    assert str(ROOT) not in json.dumps(songs)
    assert "path" not in songs[0]
    health = client.predict(api_name="/health")
    assert (health["status"], health["version"]) == ("ok", femr.__version__)
    assert health["songs"] == len(songs)
    assert set(health["models"]) == set(femr.available_models())


def test_the_endpoints_are_documented_and_the_pages_own_are_not(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert list(endpoints) == ["/analyze", "/analyze_batch", "/songs", "/health"]
    assert "one JSON document" in endpoints["/analyze"]["description"]
    names = [one["parameter_name"] for one in endpoints["/analyze"]["parameters"]]
    assert names == ["photo", "model", "mode", "annotated"]


@pytest.mark.parametrize(
    ("photo", "wish", "expected"),
    [
        (None, {}, "bad_request"),
        ("", {}, "bad_request"),
        (7, {}, "bad_request"),
        (BASE64, {"model": "vgg"}, "bad_request"),
        (BASE64, {"model": "../models/x"}, "bad_request"),
        (BASE64, {"mode": "loud"}, "bad_request"),
        (BASE64, {"mode": None}, "bad_request"),
        ("http://127.0.0.1/a.jpg", {}, "address_refused"),
        ("HTTPS://example.com/a.jpg", {}, "address_refused"),
        ("file:///etc/passwd", {}, "address_refused"),
        ({"path": "http://127.0.0.1/a.jpg"}, {}, "address_refused"),
        ({"path": str(PORTRAIT)}, {}, "file_gone"),
        ({"path": "/etc/passwd"}, {}, "file_gone"),
        ({"path": ".."}, {}, "file_gone"),
        ({"path": "a\0b"}, {}, "file_gone"),
        ({"path": None, "url": f"file://{PORTRAIT}"}, {}, "file_gone"),
        ({}, {}, "file_gone"),
        (str(PORTRAIT), {}, "bad_request"),
        ("/etc/passwd", {}, "not_a_picture"),
        (BASE64[:8000], {}, "not_a_picture"),
        ("data:text/html,<p>", {}, "not_a_picture"),
        ("日本語", {}, "not_a_picture"),
    ],
    ids=str,
)
def test_what_cannot_be_answered_has_a_code_and_a_sentence(server, photo, wish, expected):
    kind, (document,) = post(
        server, "analyze", [photo, *({"model": "mobilenet_v2", "mode": "match"} | wish).values(), False]
    )
    assert kind == "complete"
    assert code(document) == expected


def test_a_file_that_was_deleted_is_gone(server):
    path = upload(server, "a.jpg", PORTRAIT.read_bytes())
    Path(path).unlink()
    _, (document,) = post(
        server, "analyze", [{"path": path, "meta": {"_type": "gradio.FileData"}}, *QUICK.values(), "match", False]
    )
    assert code(document) == "file_gone"


def test_a_file_of_the_server_is_refused_in_gradios_own_form_as_well(server):
    kind, data = post(
        server,
        "analyze",
        [{"path": str(PORTRAIT), "meta": {"_type": "gradio.FileData"}}, "mobilenet_v2", "match", False],
    )
    assert kind == "error"
    assert str(ROOT) not in json.dumps(data)


@pytest.fixture
def neighbour():
    """A server in the same network, and the paths that it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/a.jpg", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("endpoint", ["analyze", "analyze_many"])
def test_no_address_is_opened_whatever_form_it_comes_in(server, neighbour, endpoint, monkeypatch):
    """Gradio itself would fetch any public address that stands in a file's place: here this one counts as public."""
    monkeypatch.setattr("gradio.processing_utils.PUBLIC_HOSTNAME_WHITELIST", ["localhost"])
    address, asked = neighbour
    rest = ["mobilenet_v2", "match", False] if endpoint == "analyze" else ["mobilenet_v2", False]
    for photo in ({"path": address, "meta": {"_type": "gradio.FileData"}}, {"path": address}, {"url": address}):
        kind, data = post(server, endpoint, [photo if endpoint == "analyze" else [photo], *rest])
        assert kind == "error" or "error" in data[0]
    assert asked == []


def test_a_photo_is_not_kept_in_the_memory_of_a_session(tmp_path, monkeypatch):
    """Gradio keeps the last inputs of ten thousand sessions."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    page = app.build_page()
    _, url, _ = app.launch(page, prevent_thread_lock=True, quiet=True)
    try:
        client = Client(url, verbose=False, analytics_enabled=False)
        assert analyze(client, BASE64)["faces"]
        assert client.predict([BASE64], api_name="/analyze_batch", **QUICK)["photos"]
        kept = [json.dumps(one.config_values, default=str) for one in page.state_holder.session_data.values()]
        assert kept
        assert BASE64[:100] not in "".join(kept)
    finally:
        page.close()


def test_visitors_at_once_get_their_own_faces(client):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda path: analyze(client, handle_file(str(path))), [PORTRAIT, HOPPER] * 4))
    assert [one["size"]["height"] for one in found] == [512, 600] * 4
    for one in found:
        assert one["faces"] == found[one["size"]["height"] == 600]["faces"]


@pytest.mark.parametrize("language", ["bash", "python", "javascript"])
def test_the_examples_of_the_docs_work_word_for_word(server, tmp_path, language):
    if language == "javascript":
        assert NODE, "Expected node."
    shutil.copy(PORTRAIT, tmp_path / "party.jpg")
    blocks = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    command = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
    run = command.get(language, [NODE, "--input-type=module", "-e"])
    assert blocks
    for block in blocks:
        code = block.replace("http://127.0.0.1:7860", server.rstrip("/"))
        done = subprocess.run([*run, code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert ("The face looks happy" in done.stdout) or ('"status":"ok"' in done.stdout)
