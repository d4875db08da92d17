"""What a visitor of the page does without a browser: upload, call, and be served by a process of one's own."""

import json
import socket
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager


def post(server, endpoint, data):
    url = f"{server}gradio_api/call/{endpoint}"
    request = urllib.request.Request(url, json.dumps({"data": data}).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{url}/{event}") as response:
        lines = response.read().decode().splitlines()
    kind, data = (line.partition(": ")[2] for line in lines[-3:-1] if line)
    return kind, json.loads(data)


def ask(server, handler, question):
    """What the Photo tab's script gets for a question, or the status with which it was refused."""
    with urllib.request.urlopen(f"{server}config") as response:
        parts = json.load(response)["components"]
    (tab,) = (part["id"] for part in parts if part["props"].get("elem_id") == "photo-tab")
    body = json.dumps({"data": question, "component_id": tab, "fn_name": handler, "session_hash": "a"}).encode()
    url = f"{server}gradio_api/component_server/"
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, body, {"Content-Type": "application/json"})
        ) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return error.code


def upload(server, name, data):
    """Upload bytes under a name that the sender chose; the path that the server gave them."""
    boundary = "femr"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
    body = head.encode() + b"Content-Type: image/png\r\n\r\n" + data + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with urllib.request.urlopen(urllib.request.Request(f"{server}gradio_api/upload", body, headers)) as response:
        return json.load(response)[0]


@contextmanager
def served(*setup):
    """The address of the page, served by this process; `setup`, as femr.page.app.launch takes it."""
    from femr.page import app

    page = app.build_page(*setup[:1])
    _, url, _ = app.launch(page, *setup, prevent_thread_lock=True, quiet=True)
    try:
        yield url
    finally:
        page.close()


@contextmanager
def serving(command, folder, **where):
    """A visitor's client of the page that a command serves in a process and at a port of its own."""
    from gradio_client import Client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*command, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **where) as process:
        try:
            assert any("http://127.0.0.1" in line for line in process.stdout)
            yield Client(f"http://127.0.0.1:{port}", verbose=False, download_files=str(folder / "client"))
        finally:
            process.terminate()
