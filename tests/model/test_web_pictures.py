"""Pictures by their web addresses, from a server on loopback."""

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from femr.batch.inputs import find
from femr.errors import FemrError
from femr.images import load_image

_FILE = io.BytesIO()
Image.new("L", (48, 48)).save(_FILE, "PNG")
PICTURE = _FILE.getvalue()


class Web(BaseHTTPRequestHandler):
    """A picture, one behind a redirection, one that never ends, one that is not there."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        code = {"/moved": 302, "/gone.jpg": 404}.get(path, 200)
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/a.jpg")
        self.end_headers()
        try:
            if path == "/endless.jpg":
                while True:
                    self.wfile.write(bytes(1 << 20))
            self.wfile.write(PICTURE)
        except OSError:
            return

    def log_message(self, *_):
        return


@pytest.fixture(scope="module")
def web():
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("path", ["a.jpg", "a.jpg?size=1&b=[2]", "photo", "moved"])
def test_pictures_of_the_web(web, path):
    assert load_image(f"{web}/{path}").shape == (48, 48, 3)
    (each,) = find([f"{web}/{path}"])
    assert (each.name, each.picture().size) == (f"{web}/{path}", (48, 48))


def test_the_address_is_kept_as_the_file(web, analyzer):
    assert analyzer(f"{web}/a.jpg").file == f"{web}/a.jpg"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("{web}/gone.jpg", "gone.jpg cannot be fetched: .*404"),
        ("{web}/endless.jpg", "larger than 20 MB"),
        ("http://127.0.0.1:1/a.jpg", "cannot be fetched"),
        ("http://", "cannot be reached"),
        ("http://[/a.jpg", "cannot be fetched"),
        ("http://a b/\x00.jpg", "cannot be fetched"),
        ("https://127.0.0.1:1/" + "x" * 3000 + ".jpg", "cannot be fetched"),
    ],
)
def test_what_is_not_to_be_had_of_the_web_is_told(web, path, words):
    path = path.replace("{web}", web)
    for read in (load_image, lambda path: find([path])[0].picture()):
        with pytest.raises(FemrError, match=words if "127" in path else "cannot be (fetched|reached)") as caught:
            read(path)
        assert len(str(caught.value)) < 400
        assert str(caught.value).isprintable()
