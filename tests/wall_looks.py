"""Pictures of the wall to be looked at from across the room: PYTHONPATH=.:tests python tests/wall_looks.py FOLDER

On each screen with one face, with eight and with thirty; and without its picture.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from camera import start, wait_for_mood
from chromium import PHONE, chromium, visiting, watching
from evening import Server, write_songs
from wall_film import Scene, write_film

SCREENS = {
    "1080p": {"width": 1920, "height": 1080},
    "720p": {"width": 1280, "height": 720},
    "4K": {"width": 3840, "height": 2160},
    "phone": PHONE,
    "phone-on-its-side": {"width": PHONE["height"], "height": PHONE["width"]},
}
FACES = (1, 8, 30)
SETTLED = 6000  # milliseconds until the ribbon has a beginning, and no button is seen


def look(folder: Path) -> None:
    """Writes SCREEN-FACES.png for each, and unseen-SCREEN.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        server = Server(write_songs(Path(place) / "music", 60))
        server.start()
        try:
            for faces in FACES:
                film = write_film(Path(place) / f"{faces}.mjpeg", (Scene(faces, 10),))
                with chromium(*watching(film)) as browser, visiting(server.url) as visit:
                    for name, size in SCREENS.items():
                        take(visit(browser, size, "wall"), folder / f"{name}-{faces}.png")
                        if faces == FACES[1]:
                            take(visit(browser, size, "wall"), folder / f"unseen-{name}.png", video=False)
        finally:
            server.kill()


def take(page, path: Path, video: bool = True) -> None:
    """A picture of the wall when its mood is there."""
    if not video:
        page.click(".live summary")
        page.uncheck("input[name=video]")
    start(page)
    wait_for_mood(page, "happy")
    page.wait_for_timeout(SETTLED)
    page.screenshot(path=path)
    page.context.close()


if __name__ == "__main__":
    look(Path(sys.argv[1]))
