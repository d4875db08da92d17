"""A headless Chromium that is asked over its DevTools, and keeps nothing for them.

Playwright has it keep what pages send and get, up to 200 MB, which is more than what a test of its memory looks for.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from chromium import FLAGS, binary


class Tab:
    """The one tab of a browser that is asked through a pipe. errors: what its page has thrown."""

    def __init__(self, to: IO[bytes], back: IO[bytes]) -> None:
        self._to, self._back, self._asked = to, back, 0
        self._session: dict[str, str] = {}
        self.errors: list[str] = []
        targets = self.send("Target.getTargets")["targetInfos"]
        tab = next(one["targetId"] for one in targets if one["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=tab, flatten=True)
        for domain in ("Runtime", "Page"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Any:
        """The result of a method of the DevTools protocol."""
        self._asked += 1
        asked = {"id": self._asked, "method": method, "params": parameters, **self._session}
        self._to.write(json.dumps(asked).encode() + b"\0")
        self._to.flush()
        while (answer := self._read()).get("id") != self._asked:
            if answer.get("method") == "Runtime.exceptionThrown":
                thrown = answer["params"]["exceptionDetails"]
                self.errors.append(thrown.get("exception", {}).get("description", thrown["text"]))
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self._back.read(1)) != b"\0":
            if not byte:
                raise EOFError("The browser is gone.")
            message += byte
        return dict(json.loads(message))

    def run(self, expression: str) -> Any:
        """The value of an expression, which may be a promise; it counts as a press by somebody."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = self.send("Runtime.evaluate", **asked)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = 60.0) -> None:
        """Waits until an expression is true."""
        until = time.monotonic() + seconds
        while not self.run(expression):
            if time.monotonic() > until:
                raise TimeoutError(f"It never came true: {expression}")
            time.sleep(0.1)


@contextmanager
def browsing(folder: Path, size: tuple[int, int], *flags: str) -> Iterator[Tab]:
    """A browser whose files lie in the folder, with a tab of so many pixels."""
    own = [f"--user-data-dir={folder / 'chromium'}", "--headless=new", "--remote-debugging-pipe"]
    command = [binary(), *FLAGS, *flags, *own, "about:blank"]
    (read, to), (back, write) = os.pipe(), os.pipe()
    # Chromium reads what it is asked at 3 and answers at 4; the plain shell knows no numbers of two digits
    shell = ["bash", "-c", f'exec "$@" 3<&{read} 4>&{write}', "femr", *command]
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(shell, pass_fds=(read, write), **quiet) as process:
        os.close(read)
        os.close(write)
        try:
            with os.fdopen(to, "wb") as asking, os.fdopen(back, "rb") as answering:
                tab = Tab(asking, answering)
                shown = dict(zip(("width", "height"), size, strict=True))
                tab.send("Emulation.setDeviceMetricsOverride", **shown, deviceScaleFactor=1, mobile=False)
                yield tab
        finally:
            process.terminate()
