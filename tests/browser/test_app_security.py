"""What a stranger may send to the server, and what must not come of it."""

import io
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zlib
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

import femr
from builders import PORTRAIT, ROOT, write_wav
from damaged_pictures import good_files
from femr.output.rows import to_dict
from femr.page import html, shared, uploads
from femr.page.shared import numbered
from visitors import ask, post, served, upload


def call(server, photo, model="mobilenet_v2", mode="match"):
    """Ask for an analysis without the client's good manners: "complete" or "error", and what came with it."""
    kind, data = post(server, "analyze", [photo, model, mode, False])
    return ("error" if kind == "complete" and "error" in data[0] else kind), data


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def status(url):
    try:
        with urllib.request.urlopen(url) as response:
            return response.status
    except HTTPError as error:
        return error.code


FILE = {"_type": "gradio.FileData"}


@pytest.mark.parametrize("meta", [{"meta": FILE}, {}, {"meta": {}}, {"meta": {"_type": "x"}}])
@pytest.mark.parametrize("orig_name", ["a.jpg", "a.gif", "a.svg", None])
def test_no_file_of_the_server_can_be_named(server, meta, orig_name):
    kind, data = call(server, {"path": str(PORTRAIT), "orig_name": orig_name, **meta})
    assert kind == "error"
    assert "happy" not in json.dumps(data)
    assert str(ROOT) not in json.dumps(data)


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "/dev/zero", "", "/proc/self/environ", "."])
def test_no_path_leads_out_of_the_uploads(server, path):
    kind, data = call(server, {"path": path})
    assert kind == "error"
    assert "root:" not in json.dumps(data)


def test_a_path_that_climbs_out_of_the_uploads_is_refused(server):
    inside = Path(upload(server, "a.png", png(Image.new("RGB", (9, 9)))))
    outside = inside.parent / ".." / ".." / ".." / PORTRAIT.relative_to("/")
    climbing = "/".join([str(inside.parent), *[".."] * len(inside.parent.parts), *PORTRAIT.parts[1:]])
    for path in (str(outside), climbing):
        kind, _ = call(server, {"path": path})
        assert kind == "error"


def test_data_urls_are_refused(server):
    kind, _ = call(server, {"url": "data:image/png;base64,iVBORw0KGgo=", "path": None})
    assert kind == "error"
    kind, _ = call(server, {"url": f"file://{PORTRAIT}", "path": None})
    assert kind == "error"


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.svg", "a"])
@pytest.mark.parametrize("mode", ["P", "RGBA", "L", "I;16"])
def test_names_and_modes_do_not_change_what_is_seen(server, analyzer, portrait, name, mode):
    """gr.Image hands over GIF-named files unconverted: palette indices, alpha or 16 bits."""
    image = Image.fromarray(portrait)
    deep = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    kind, data = call(server, {"path": upload(server, name, png(deep if mode == "I;16" else image.convert(mode)))})
    assert kind == "complete"
    face = max(data[0]["faces"], key=lambda face: face["confidence"])
    assert face["expression"] == "happy"


def test_every_kind_of_picture_gets_an_answer_and_half_of_it_an_answer_or_one_sentence(server):
    for kind, data in good_files().items():
        whole, half = (
            ask(server, "read", {"path": upload(server, "photo", part), "model": "mobilenet_v2"})
            for part in (data, data[: len(data) // 2])
        )
        assert "No face" in whole["mood"]["reason"], kind
        assert "mood" in half or list(half) == ["error"], kind
        sentence = half.get("error", "")
        assert sentence.isprintable()
        assert "/" not in sentence


def bomb():
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PORTRAIT.read_bytes()[:9000], "damaged"),
        (b"", "empty"),
        (b"<html></html>", "not a picture"),
        (bomb(), "too large"),
    ],
    ids=["truncated", "empty", "html", "20000x20000"],
)
def test_bad_uploads_get_one_clear_sentence(server, data, words):
    path = upload(server, "photo.jpg", data)
    kind, (document,) = call(server, {"path": path})
    assert kind == "error"
    for sentence in (document["error"]["message"], ask(server, "read", {"path": path})["error"]):
        assert words in sentence
        assert "/" not in sentence
        assert "Traceback" not in sentence


def test_an_unknown_model_or_mode_is_refused(server):
    path = upload(server, "a.png", png(Image.new("RGB", (9, 9))))
    for arguments in ({"model": "vgg"}, {"mode": "loud"}, {"model": "../models/x"}):
        kind, data = call(server, {"path": path}, **arguments)
        assert kind == "error"
        assert "Traceback" not in json.dumps(data)


def test_too_large_an_upload_is_refused(server):
    # the server answers 413 and hangs up, and which of the two is seen first is chance
    with pytest.raises(URLError) as caught:
        upload(server, "big.mp4", bytes(130_000_000))
    assert getattr(caught.value, "code", 413) == 413
    kept = Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*")
    assert all(path.stat().st_size < 100_000_001 for path in kept if path.is_file())


def test_files_of_the_project_and_the_system_are_not_served(server):
    for path in (ROOT / "app.py", ROOT / "models" / "mobilenet_v2.json", Path("/etc/passwd")):
        assert status(f"{server}gradio_api/file={path}") == 403


@contextmanager
def page_in_a_process():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / "app.py"), "--host", "127.0.0.1", "--port", str(port)]
    # a shell starts what it runs in the background deaf to Ctrl-C, these tests and their children too
    deaf_no_more = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=deaf_no_more) as process:
        try:
            assert any("http://127.0.0.1" in line for line in process.stdout)
            yield process, f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def test_files_beside_a_song_are_not_served(monkeypatch, tmp_path):
    private = tmp_path / "music" / "happy" / "deep" / "diary.txt"
    write_wav(tmp_path / "music" / "happy" / "one.wav")
    private.parent.mkdir()
    private.write_text("mine")
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path / "music"))
    with served() as url:
        assert status(f"{url}gradio_api/file={private}") == 403


def test_nothing_is_counted_recorded_or_reachable_past_the_queue(server):
    assert status(f"{server}monitoring/summary") == 403
    config = json.load(urllib.request.urlopen(f"{server}config"))
    assert config["analytics_enabled"] is False
    assert not config.get("run_history")
    request = urllib.request.Request(
        f"{server}gradio_api/run/analyze",
        b'{"data": [null, "mobilenet_v2", "match"]}',
        {"Content-Type": "application/json"},
    )
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 404


def test_a_visitor_cannot_ask_for_another_song_of_somebody_elses_mood(server):
    assert "mood" in ask(server, "read", {"path": upload(server, "a.jpg", PORTRAIT.read_bytes())})
    assert ask(server, "songs", {"mode": "match"}) == {"error": "Find a mood first."}


def test_the_pages_script_gets_the_numbers_of_the_package_and_no_path(server, analyzer):
    path = upload(server, "<b>me</b>.jpg", PORTRAIT.read_bytes())
    answer = ask(server, "read", {"path": path, "model": "mobilenet_v2", "mode": "match", "played": [3]})
    (face,) = answer["faces"]
    (expected,) = to_dict(analyzer(PORTRAIT))["faces"]
    assert {bar["emotion"]: bar["share"] for bar in face["bars"]} == expected["scores"]
    assert [round(512 * share, 1) for share in face["box"]] == expected["box"]
    assert {song["emotion"] for song in answer["songs"]} == {"happy"}
    for told in (str(ROOT), path, os.environ["GRADIO_TEMP_DIR"], "me</b>"):
        assert told not in json.dumps(answer)


BAD_QUESTIONS = [
    *({"path": path} for path in (str(PORTRAIT), "/etc/passwd", "../../etc/passwd", "/dev/zero", "", ".")),
    *({"example": name} for name in ("page.png", "../README.md", "/etc/passwd", "")),
    {"path": "a.jpg", "model": "../models/x"},
    {"path": "a.jpg", "mode": "loud"},
    {"path": "a.jpg", "played": ["x"]},
    {"path": "a.jpg", "played": [0] * 1001},
    {"path": ["a.jpg"]},
    {"url": "http://127.0.0.1:1/a.jpg"},
    [],
    "a.jpg",
    None,
]


@pytest.mark.parametrize("handler", ["read", "show"])
@pytest.mark.parametrize("question", BAD_QUESTIONS, ids=str)
def test_the_pages_script_is_told_nothing_of_other_files(server, handler, question):
    answer = ask(server, handler, question)
    assert list(answer) == ["error"]
    assert "/" not in answer["error"]


@pytest.mark.parametrize("handler", ["picture", "find", "build", "postprocess", "__init__", "get_config"])
def test_nothing_but_its_handlers_can_be_called(server, handler):
    assert ask(server, handler, {"path": str(PORTRAIT)}) == 404


@pytest.mark.parametrize("mood", ["vgg", 3, "../sad"])
def test_songs_of_an_unknown_mood_are_refused(server, mood):
    assert list(ask(server, "songs", {"mood": mood})) == ["error"]


def test_only_the_songs_of_the_library_are_served_and_no_address_tells_where_they_lie(server, library):
    for number in numbered(library):
        assert status(f"{server}femr/song/{number}") == status(f"{server}femr/cover/{number}") == 200
    for path in ("song/0", f"song/{2**70}", "song/-1", "song/../app.py", "examples/../README.md", "../app.py", "x"):
        assert status(f"{server}femr/{path}") == 404
    assert status(f"{server}femr/examples/%2e%2e/README.md") == 404
    ranged = urllib.request.Request(f"{server}femr/song/{number}", headers={"Range": "bytes=100-199"})
    with urllib.request.urlopen(ranged) as response:
        assert (response.status, len(response.read())) == (206, 100)


def test_pictures_are_deleted_from_the_server(monkeypatch, tmp_path):
    """With the page's own sweep, only faster."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "server"))
    monkeypatch.setattr(uploads, "SWEEP_SECONDS", 1)
    monkeypatch.setattr(uploads, "KEPT_SECONDS", 4)
    shared.analyzer("mobilenet_v2")(PORTRAIT)  # loaded beforehand, or the picture is gone before the answer is there
    with served() as url:
        client = Client(url, verbose=False, download_files=str(tmp_path / "client"), analytics_enabled=False)
        client.predict(handle_file(str(PORTRAIT)), "mobilenet_v2", "match", annotated=True, api_name="/analyze")
        kept = [path.name for path in (tmp_path / "server").rglob("*.*")]
        assert PORTRAIT.name in kept
        deadline = time.monotonic() + 30
        while kept and time.monotonic() < deadline:
            time.sleep(0.5)
            kept = [path.name for path in (tmp_path / "server").rglob("*.*")]
        assert kept == []


def test_uploads_that_broke_off_are_deleted_while_others_come(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(uploads, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(uploads, "KEPT_SECONDS", 2)
    with served() as url:
        place = urlsplit(url)
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: 1000000\r\n"
        head += "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        head += '--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
        with socket.create_connection((place.hostname, place.port)) as broken:
            broken.sendall(head.encode() + PORTRAIT.read_bytes())
            deadline = time.monotonic() + 60
            while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
                time.sleep(0.05)
        for number in range(60):
            upload(url, f"{number}.txt", str(number).encode())
        while any(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert list(tmp_path.iterdir()) == []


def test_answers_that_nobody_fetches_are_not_kept(monkeypatch):
    monkeypatch.setattr(uploads, "SWEEP_SECONDS", 0.5)
    monkeypatch.setattr(uploads, "KEPT_SECONDS", 6)
    with served() as url:
        call = f"{url}gradio_api/call/analyze"
        photo = {"path": upload(url, "me.jpg", PORTRAIT.read_bytes()), "meta": {"_type": "gradio.FileData"}}
        asked = json.dumps({"data": [photo, "mobilenet_v2", "match", False]}).encode()
        answers = []
        for seconds in (1, 12):
            request = urllib.request.Request(call, asked, {"Content-Type": "application/json"})
            event = json.load(urllib.request.urlopen(request))["event_id"]
            time.sleep(seconds)
            answers.append(urllib.request.urlopen(f"{call}/{event}").read().decode())
        assert "event: complete" in answers[0]
        assert "happy" in answers[0]
        assert answers[1] == f'event: error\ndata: {{"error": "{uploads.ANSWER_GONE}"}}\n\n'


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL])
def test_however_the_page_ends_its_pictures_go(monkeypatch, tmp_path, way):
    """At once, or where it is killed with the start of the next one."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with page_in_a_process() as (process, url):
        assert Path(upload(url, "me.jpg", PORTRAIT.read_bytes())).is_relative_to(tmp_path)
        process.send_signal(way)
        process.wait(60)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert bool(files) == (way is signal.SIGKILL)
    monkeypatch.setattr(uploads, "KEPT_SECONDS", 0)
    with uploads.private_folder():
        assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_the_page_promises_no_more_than_the_sweep_keeps():
    minutes = int(re.search(r"within (\d+) minutes", html.PRIVACY)[1])
    assert 60 * minutes >= uploads.SWEEP_SECONDS + uploads.KEPT_SECONDS


def test_a_page_whose_models_are_damaged_still_opens(server, monkeypatch, tmp_path):
    (tmp_path / "mobilenet_v2.json").write_text("{")
    monkeypatch.setattr("femr.expression.weights.MODELS_DIR", tmp_path)
    assert {name for _, name in shared.MODELS} == set(femr.available_models())
    shared.loaded.cache_clear()
    answer = ask(server, "read", {"example": "group.jpg", "model": "mobilenet_v2"})
    assert "damaged" in answer["error"]
    assert str(tmp_path) not in answer["error"]
