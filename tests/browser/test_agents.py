"""The tools for agents, asked by a real client: the page's server's over HTTP, those of `femr mcp` over stdio."""

import base64
import os
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import anyio
import pytest
from mcp import Client, StdioServerParameters

from builders import PORTRAIT, ROOT
from femr.errors import ImageError
from femr.page import agents, api

BASE64 = base64.b64encode(PORTRAIT.read_bytes()).decode()
TOOLS = ["read_photo_mood", "list_songs", "pick_song"]


def over(transport, server):
    """Where a client finds the tools."""
    if transport == "http":
        return f"{server.rstrip('/')}{agents.PATH}"
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    return StdioServerParameters(command=sys.executable, args=["-m", "femr", "mcp"], env=own)


def ask(target, *calls):
    """The tools, and the results of calls, in order."""

    async def asked():
        async with Client(target) as client:
            tools = (await client.list_tools()).tools
            return tools, [await client.call_tool(name, arguments) for name, arguments in calls]

    return anyio.run(asked)


@pytest.fixture(params=["http", "stdio"])
def target(request, server):
    return over(request.param, server)


def test_an_agent_reads_a_photo_and_finds_songs(target, library):
    tools, (read, songs, sad, picked, by_path) = ask(
        target,
        ("read_photo_mood", {"photo": BASE64}),
        ("list_songs", {}),
        ("list_songs", {"mood": "sad"}),
        ("pick_song", {"mood": "sad", "mode": "lift"}),
        ("read_photo_mood", {"photo": str(PORTRAIT)}),
    )
    assert [tool.name for tool in tools] == TOOLS
    assert all(len(tool.description) > 200 for tool in tools)
    assert tools[0].input_schema["required"] == ["photo"]
    found = read.structured_content
    assert found["mood"]["reason"] == "The face looks happy"
    assert found["faces"][0]["expression"] == found["song"]["emotion"] == "happy"
    assert len(songs.structured_content["songs"]) == len(library.songs)
    assert {song["emotion"] for song in sad.structured_content["songs"]} == {"sad"}
    assert picked.structured_content["song"]["emotion"] in ("neutral", "happy")
    assert by_path.is_error is isinstance(target, str)  # only on one's own machine a path is a photo


def test_what_cannot_be_answered_is_a_tools_error_with_a_sentence(target):
    _, results = ask(
        target,
        ("read_photo_mood", {"photo": "http://127.0.0.1/a.jpg"}),
        ("read_photo_mood", {"photo": "HTTP://127.0.0.1/a.jpg"}),
        ("read_photo_mood", {"photo": "file:///etc/passwd"}),
        ("read_photo_mood", {"photo": "/etc/passwd"}),
        ("read_photo_mood", {"photo": BASE64[:9000]}),
        ("read_photo_mood", {"photo": ""}),
        ("read_photo_mood", {"photo": BASE64, "mode": "loud"}),
        ("pick_song", {"mood": "bored"}),
    )
    told = [result.content[0].text for result in results]
    assert all(result.is_error for result in results)
    assert all("opens no addresses" in text for text in told[:2])
    assert not any("Traceback" in text or "root:" in text or str(ROOT) in text for text in told)


def test_songs_are_where_the_answer_says(server, library):
    _, (result,) = ask(over("http", server), ("pick_song", {"mood": "happy"}))
    song = result.structured_content["song"]
    with urllib.request.urlopen(song["url"]) as response:
        sound = response.read()
    assert any(one.path.read_bytes().endswith(sound) for one in library.songs if one.title == song["title"])


def test_however_many_agents_wait_others_get_songs_and_scripts(server, monkeypatch):
    begun, opened = Event(), Event()

    def document(*_):
        begun.set()
        assert opened.wait(240)
        raise ImageError("Not now.")

    monkeypatch.setattr(api, "document", document)
    calls = [("read_photo_mood", {"photo": BASE64})]
    with ThreadPoolExecutor(45) as others:
        answers = [others.submit(ask, over("http", server), *calls) for _ in range(45)]
        try:
            assert begun.wait(120)
            sleep(5)  # until the others wait
            with urllib.request.urlopen(f"{server}femr/player.js", timeout=30) as script:
                assert script.read()
        finally:
            opened.set()
        assert all(answer.result()[1][0].content[0].text.endswith("Not now.") for answer in answers)


def test_without_its_package_the_command_says_what_to_install():
    code = "import sys; sys.modules['mcp'] = None\nfrom femr.__main__ import main\nsys.exit(main(['mcp']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == 'femr: The tools for agents need mcp 2: pip install "mcp>=2.3,<3".\n'


def test_without_its_package_the_page_is_served_all_the_same(monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    assert agents.routes() == {}
