"""What visitors send, as files: in a folder of this page's own, and deleted after a while; answers of the API, too.

Gradio's own sweep (6.31) ends for good where a file comes while it looks, and passes over uploads that broke off. An
answer that nobody fetches it keeps until 2,000 others have come.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from gradio.server_messages import ProcessCompletedMessage
from gradio.utils import get_upload_folder

SWEEP_SECONDS, KEPT_SECONDS = 300, 1500  # together: no picture stays longer than the 30 minutes that the page promises
ANSWER_GONE = "The answer is deleted again. Please ask anew."
_PREFIX = "femr-"


@contextmanager
def private_folder() -> Iterator[None]:
    """Has Gradio keep files in a folder that goes with this process; what killed ones left behind is swept."""
    base = Path(get_upload_folder())
    base.mkdir(parents=True, exist_ok=True)
    for left in base.glob(f"{_PREFIX}*"):
        sweep(left)
    with (
        TemporaryDirectory(prefix=_PREFIX, dir=base, ignore_cleanup_errors=True) as folder,
        patch.dict(os.environ, GRADIO_TEMP_DIR=folder),
    ):
        yield


@asynccontextmanager
async def swept(app: Any) -> AsyncIterator[None]:
    """While the page's server runs: its folder, and answers that wait, are swept every SWEEP_SECONDS."""
    tasks = [asyncio.create_task(sweep_on(app)) for sweep_on in (_sweep_files, _sweep_answers)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _sweep_files(app: Any) -> None:
    while True:
        await asyncio.to_thread(sweep, Path(app.uploaded_file_dir))
        for names in app.get_blocks().temp_file_sets:  # those of Gradio's sweep: they would only grow
            names.clear()
        await asyncio.sleep(SWEEP_SECONDS)


async def _sweep_answers(app: Any) -> None:
    since: dict[str, float] = {}  # seconds, of each event that was answered and not read at the last sweep
    while True:
        now, before, since = time.monotonic(), since, {}
        for messages in app.get_blocks()._queue.pending_messages_per_session.values():
            for message in [messages.get_nowait() for _ in range(messages.qsize())]:
                kept = message
                if isinstance(message, ProcessCompletedMessage):
                    event = message.event_id or ""
                    since[event] = before.get(event, now)
                    if now - since[event] >= KEPT_SECONDS - SWEEP_SECONDS:
                        kept = message.model_copy(update={"success": False, "output": {"error": ANSWER_GONE}})
                messages.put_nowait(kept)
        await asyncio.sleep(SWEEP_SECONDS)


def sweep(folder: Path) -> None:
    """Deletes what has lain below a folder for KEPT_SECONDS; folders too, for their names are made of pictures."""
    for place, folders, files in os.walk(folder, topdown=False):
        for path in (Path(place, name) for name in (*files, *folders)):
            with suppress(OSError):  # gone already, or a folder with newer files in it
                if time.time() - path.lstat().st_ctime > KEPT_SECONDS:
                    path.unlink() if not path.is_dir() or path.is_symlink() else path.rmdir()
