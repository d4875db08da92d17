"""A stand-in for the Hub on loopback: models and Spaces in memory, down over `resolve`, up over commits and LFS.

It answers what the real huggingface_hub client asks, so that the client itself runs in the tests: in their own process
with `ask_here`, in a new Python with `run_client`, as the client reads its settings when it is imported. Binary files
are LFS objects as on the Hub: they lie at another origin, which refuses requests that bring the Hub's token along.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

TOKEN = "hf_stand-in"
READ_ONLY_TOKEN = "hf_read-only"
NOWHERE = "http://127.0.0.1:9"
"""An endpoint at which nobody listens."""
ROOT = Path(__file__).parent.parent


def run_client(
    home: Path, endpoint: str, *arguments: str, code: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A Python process that finished with the exit code `code`, its Hub at `endpoint` and the Hub's files in `home`.

    It sees none of the user's own Hub settings.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING", "FEMR_", "XDG_"))}
    settings = {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",  # its storage cannot be stood in for; LFS does the same
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_ETAG_TIMEOUT": "1",
        "HF_HUB_DOWNLOAD_TIMEOUT": "1",
    }
    done = subprocess.run(
        [sys.executable, *arguments], env=kept | settings | environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return done


def ask_here(patch: pytest.MonkeyPatch, home: Path, endpoint: str, token: str | None = None) -> None:
    """Until `patch` is undone this process's client has its Hub at `endpoint` and the Hub's files in `home`."""
    from huggingface_hub import constants, file_download

    for name in [name for name in os.environ if name.startswith(("HF_", "HUGGING"))]:
        patch.delenv(name)
    if token:
        patch.setenv("HF_TOKEN", token)
    places = {"HF_HUB_CACHE": home / "hub", "HF_TOKEN_PATH": home / "token", "HF_STORED_TOKENS_PATH": home / "tokens"}
    settings: dict[str, Any] = {name: str(place) for name, place in places.items()}
    settings |= {"ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": True}
    settings["HUGGINGFACE_CO_URL_TEMPLATE"] = f"{endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    settings |= {"HF_HUB_ETAG_TIMEOUT": 0.5, "HF_HUB_DOWNLOAD_TIMEOUT": 0.5}
    for name, value in settings.items():
        patch.setattr(constants, name, value)
    patch.setattr(file_download, "time", SimpleNamespace(sleep=lambda _: None))  # between its tries
    patch.setattr(import_module("huggingface_hub.utils.tqdm"), "HF_HUB_DISABLE_PROGRESS_BARS", True)


@dataclass
class Repository:
    """Commits, oldest first (commit → path → content); `refs` names some of them."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, bytes]:
        """What is in the newest commit."""
        return self.commits[self.refs["main"]]

    def commit(self, files: Mapping[str, bytes]) -> str:
        """A new commit on main with these files on top of the previous ones. Returns: its 40 digits."""
        before = self.files if "main" in self.refs else {}
        digest = hashlib.sha1(repr((len(self.commits), sorted(files))).encode()).hexdigest()
        self.commits[digest] = before | dict(files)
        self.refs["main"] = digest
        return digest


@dataclass
class Faults:
    """What goes wrong with the bodies of downloads, by file name."""

    truncated: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    stalled: set[str] = field(default_factory=set)
    silent: bool = False  # accepts every request, and does not answer
    status: int = 0  # answers every request with it
    unpaid: bool = False  # makes no Space but on ZeroGPU


class HubServer(ThreadingHTTPServer):
    """Use it in a `with` block. `requests` lists what was asked: "HEAD /user/name/resolve/main/a.json"."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}  # "models/user/name" or "spaces/user/name"
        self.objects: dict[str, bytes] = {}  # LFS: SHA-256 → content
        self.requests: list[str] = []
        self.created: list[dict[str, Any]] = []
        self.hardware: dict[str, str] = {}  # "user/name" of a Space → what was asked for
        self.faults = Faults()
        self.closing = Event()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def storage_url(self) -> str:
        """Where LFS objects lie: the same server under another name, hence another origin to the client."""
        return f"http://localhost:{self.server_address[1]}/storage"

    def __enter__(self) -> "HubServer":
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing when the client hung up, which is what impatient clients do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def add(self, repo: str, files: Mapping[str, bytes]) -> str:
        """Put files into a model repository, which is made if need be. Returns: the commit."""
        return self.repositories.setdefault(f"models/{repo}", Repository()).commit(files)


def is_binary(content: bytes) -> bool:
    """Whether the Hub keeps a file in LFS: too large for git, or not text."""
    return len(content) > 10 * 2**20 or b"\0" in content


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HubServer

    def log_message(self, *_: Any) -> None:
        """Nothing: the server keeps its own list."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append(f"{self.command} {path}")
        if self.server.faults.silent:
            self.server.closing.wait()
            self.close_connection = True
            return
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if self.server.faults.status:
            self._send(self.server.faults.status)
        elif parts[0] == "storage":
            self._storage(parts[1], body)
        elif "resolve" in parts:
            self._resolve(parts)
        elif path.endswith(".git/info/lfs/objects/batch"):
            self._lfs_batch(json.loads(body))
        elif parts[0] == "api":
            self._api(parts[1:], body)
        else:
            self._send(404)

    # down

    def _resolve(self, parts: list[str]) -> None:
        at = parts.index("resolve")
        repo = "/".join(parts[:at])
        found = self.server.repositories.get(repo if parts[0] == "spaces" else f"models/{repo}")
        if found is None:
            return self._send(401, {"X-Error-Code": "RepoNotFound"})
        commit = found.refs.get(parts[at + 1], parts[at + 1])
        if commit not in found.commits:
            return self._send(404, {"X-Error-Code": "RevisionNotFound"})
        name = "/".join(parts[at + 2 :])
        headers = {"X-Repo-Commit": commit}
        if name not in found.commits[commit]:
            return self._send(404, headers | {"X-Error-Code": "EntryNotFound"})
        content = found.commits[commit][name]
        digest = hashlib.sha256(content).hexdigest()
        if not is_binary(content):
            return self._send_file(name, content, headers | {"ETag": f'"{digest[:40]}"'})
        self.server.objects[digest] = content
        headers |= {"X-Linked-ETag": f'"{digest}"', "X-Linked-Size": str(len(content))}
        return self._send(302, headers | {"Location": f"{self.server.storage_url}/{digest}/{name}"})

    def _send_file(self, name: str, content: bytes, headers: dict[str, str]) -> None:
        faults = self.server.faults
        size = len(content)
        if name in faults.changed:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if name in faults.truncated and self.command == "GET":
            content = content[: size // 2]
        self.send_response(200)
        for key, value in (headers | {"Content-Length": str(size)}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if name in faults.stalled:
            self.wfile.write(content[:10])
            self.server.closing.wait()
        self.wfile.write(content)
        self.close_connection = len(content) < size

    def _list(self, key: str, form: str, revision: str) -> None:
        found = self.server.repositories.get(key)
        if found is None:
            return self._send(401, {"X-Error-Code": "RepoNotFound"})
        commit = found.refs.get(revision, revision)
        if commit not in found.commits:
            return self._send(404, {"X-Error-Code": "RevisionNotFound"})
        files = found.commits[commit]
        if form == "revision":
            return self._send_json({"id": key.partition("/")[2], "sha": commit, "siblings": []})
        return self._send_json(
            [{"type": "file", "path": path, "size": len(files[path]), "oid": "0" * 40} for path in files]
        )

    # up

    def _api(self, parts: list[str], body: bytes) -> None:
        if parts[3:4] in (["revision"], ["tree"]):
            return self._list("/".join(parts[:3]), parts[3], "/".join(parts[4:]))
        if self.headers.get("Authorization") == f"Bearer {READ_ONLY_TOKEN}":
            return self._send(403, {"X-Error-Message": "You don't have the rights to create a model here"})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._send(401, {"X-Error-Message": "Invalid credentials in Authorization header"})
        if parts == ["validate-yaml"]:
            return self._send_json({"errors": [], "warnings": []})
        if parts == ["repos", "create"]:
            return self._create(json.loads(body))
        kind, owner, name, action = (*parts, "info")[:4]
        repository = self.server.repositories.get(f"{kind}/{owner}/{name}")
        if repository is None:
            return self._send(404, {"X-Error-Code": "RepoNotFound"})
        if action == "info":
            return self._send_json({"id": f"{owner}/{name}"})
        if action == "hardware":
            return self._request_hardware(f"{owner}/{name}", json.loads(body)["flavor"])
        if action == "preupload":
            return self._preupload(json.loads(body)["files"])
        return self._commit(repository, f"{owner}/{name}", [json.loads(line) for line in body.splitlines()])

    def _create(self, wish: dict[str, Any]) -> None:
        key = f"{wish['type']}s/{wish['organization']}/{wish['name']}"
        self.server.created.append(wish)
        new = key not in self.server.repositories
        if new and self.server.faults.unpaid and wish.get("hardware") != "zero-a10g":
            return self._send(402, {"X-Error-Message": "Payment required"})
        if new:
            self.server.repositories[key] = Repository()
            self.server.repositories[key].commit({".gitattributes": b"*.h5 filter=lfs\n"})
        return self._send_json({"url": f"{self.server.url}/{key.removeprefix('models/')}"}, 200 if new else 409)

    def _request_hardware(self, space: str, flavor: str) -> None:
        self.server.hardware[space] = flavor
        self._send_json({"stage": "RUNNING", "hardware": {"current": None, "requested": flavor}})

    def _preupload(self, files: list[dict[str, Any]]) -> None:
        def mode(file: dict[str, Any]) -> str:
            return "lfs" if file["size"] > 10 * 2**20 or b"\0" in base64.b64decode(file["sample"]) else "regular"

        answers = [{"path": file["path"], "uploadMode": mode(file), "shouldIgnore": False} for file in files]
        self._send_json({"files": answers})

    def _lfs_batch(self, wish: dict[str, Any]) -> None:
        def action(digest: str) -> dict[str, Any]:
            return {"actions": {"upload": {"href": f"{self.server.storage_url}/{digest}"}}}

        objects = [one | action(one["oid"]) for one in wish["objects"]]
        self._send_json({"transfer": "basic", "objects": objects})

    def _storage(self, digest: str, body: bytes) -> None:
        if "Authorization" in self.headers:
            return self._send(400)
        if self.command != "PUT":
            return self._send_file(self.path.rpartition("/")[2], self.server.objects[digest], {})
        if hashlib.sha256(body).hexdigest() != digest:
            return self._send(400)
        self.server.objects[digest] = body
        return self._send(200)

    def _commit(self, repository: Repository, name: str, lines: list[dict[str, Any]]) -> None:
        files = {}
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.objects[value["oid"]]
        commit = repository.commit(files)
        self._send_json({"commitUrl": f"{self.server.url}/{name}/commit/{commit}", "commitOid": commit})

    # both

    def _send_json(self, document: Any, status: int = 200) -> None:
        self._send(status, {"Content-Type": "application/json"}, json.dumps(document).encode())

    def _send(self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for key, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)
