"""Bodies of requests that are too large, or come too slowly, are refused before they are all there."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 30_000_000
"""Of a body: a photo of 20 MB as base64, with room beside it."""
MOST_UPLOADED = 2_000_000_000
"""Of an upload: 200 photos of 10 MB. Single files have their own limit, Gradio's `max_file_size`."""
PATIENCE, SLOWEST = 30, 20_000
"""How long a body may take: so many seconds, and a second more for so many bytes that came."""

_UPLOAD = "/gradio_api/upload"


class Bodies:
    """Watches the bodies on their way to an app, and answers 413 or 408 in its place."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, MOST_UPLOADED if scope["path"].endswith(_UPLOAD) else MOST_BYTES)
        if int(Headers(scope=scope).get("content-length", 0)) > body.most:
            body.refuse_size()
        else:
            with suppress(ClientDisconnect):  # or it was refused
                await self._app(scope, body.receive, body.send)
        if body.refusal and not body.answered:
            await body.refusal(scope, receive, send)


class _Body:
    """A request's body. To the app it looks as if the sender had gone when it is refused; what it says then is lost."""

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive, self._send, self.most = receive, send, most
        self._begun, self._size, self._more = asyncio.get_running_loop().time(), 0, True
        self.refusal: JSONResponse | None = None
        self.answered = False

    async def receive(self) -> Message:
        """The next message; what comes after the body is no concern of ours."""
        if not self._more:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._begun + PATIENCE + self._size / SLOWEST):
                message = await self._receive()
        except TimeoutError:
            return self._refuse(408, "That came too slowly. Please try again on a better line.")
        self._size += len(message.get("body", b""))
        self._more = message.get("more_body", False)
        return self.refuse_size() if self._size > self.most else message

    async def send(self, message: Message) -> None:
        """Passes on what the app says, unless its body was refused before."""
        if self.refusal is None or self.answered:
            self.answered = True
            await self._send(message)

    def refuse_size(self) -> Message:
        """There is too much of it."""
        return self._refuse(413, f"Expected at most {self.most // 1_000_000:,} MB in a request. Received: more.")

    def _refuse(self, status: int, sentence: str) -> Message:
        self.refusal, self._more = JSONResponse({"detail": sentence}, status), False
        return {"type": "http.disconnect"}
