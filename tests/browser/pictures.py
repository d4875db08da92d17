"""README's pictures, made anew from the page as it is: PYTHONPATH=.:tests python tests/browser/pictures.py

docs/femr.webp moves: an example is tapped, its answer comes, then one of its faces, then a face is told what it shows.
examples/page.png stands still, and goes with links to the page.
"""

import io
from itertools import pairwise

from PIL import Image, ImageDraw

from builders import PORTRAIT, ROOT
from chromium import LISTEN, chromium
from femr.page import app, shared
from photo_tab import answered, wait_until_playing

SIZE, SCALE, WIDTH = {"width": 960, "height": 640}, 1.5, 720
STEPS, STEP = 8, 45  # of a way, milliseconds each
TAP = (14, 20)  # radius of the mark on its way and at a tap, in the page's pixels
READ = "**/component_server/**"
STILL = {"width": 1180, "height": 720}


class Recorder:
    """Gathers frames of a page, with a mark where it is tapped."""

    def __init__(self, page):
        self._page = page
        self._place = (SIZE["width"] * 0.62, SIZE["height"] * 0.9)
        self.frames, self.times = [], []

    def keep(self, milliseconds, radius=TAP[0]):
        """The page as it is now, with the mark, for so long."""
        self._add(self._shot(), self._place, milliseconds, radius)

    def tap(self, selector):
        """Moves the mark to a part of the page, and taps it."""
        shot, start = self._shot(), self._place
        box = self._page.locator(selector).bounding_box()
        end = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for step in range(1, STEPS + 1):
            share = (1 - (1 - step / STEPS) ** 2,) * 2  # slower and slower
            self._place = tuple(a + (b - a) * part for a, b, part in zip(start, end, share, strict=True))
            self._add(shot, self._place, STEP, TAP[0])
        self.keep(260, TAP[1])
        self._page.click(selector)

    def _shot(self):
        return Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")

    def _add(self, shot, place, milliseconds, radius):
        layer = Image.new("RGBA", shot.size)
        x, y = (value * SCALE for value in place)
        ring = [x - radius * SCALE, y - radius * SCALE, x + radius * SCALE, y + radius * SCALE]
        ImageDraw.Draw(layer).ellipse(ring, (31, 41, 55, 90), (255, 255, 255, 230), width=4)
        frame = Image.alpha_composite(shot.convert("RGBA"), layer).convert("RGB")
        self.frames.append(frame.resize((WIDTH, WIDTH * SIZE["height"] // SIZE["width"]), Image.Resampling.LANCZOS))
        self.times.append(milliseconds)


def opened(browser, url, size, scale):
    """A new visitor's page."""
    page = browser.new_context(viewport=size, device_scale_factor=scale).new_page()
    page.add_init_script(LISTEN)
    page.goto(url)
    page.wait_for_selector(".stage .selfie")
    page.wait_for_timeout(1000)
    return page


def moving(page):
    """The frames from the first tap on, and the milliseconds that each is shown."""
    film = Recorder(page)
    film.keep(900)
    held = []  # an answer is quicker than a screenshot: it waits for one
    page.route(READ, lambda one: held.append(one) if '"read"' in one.request.post_data else one.continue_())
    film.tap("[data-example='group.jpg']")
    page.get_by_text("Looking for faces").wait_for()
    page.wait_for_timeout(300)
    film.keep(500)
    held.pop().continue_()
    page.unroute(READ)
    answered(page)
    wait_until_playing(page)
    page.wait_for_timeout(300)
    film.keep(1800)
    film.tap(".box >> nth=0")
    page.wait_for_selector(".face:visible")
    film.keep(1700)
    film.tap(".face [title=sad]")
    page.wait_for_selector(".face [title=sad][aria-pressed=true]")
    film.keep(1800)
    return film.frames, film.times


def main():
    """Writes both pictures."""
    shared.analyzer("ensemble")(PORTRAIT)
    _, url, _ = app.launch(app.build_page(), prevent_thread_lock=True, quiet=True)
    with chromium() as browser:
        frames, times = moving(opened(browser, url, SIZE, SCALE))
        assert all(one.size == other.size for one, other in pairwise(frames))
        more = {"append_images": frames[1:], "duration": times, "loop": 0, "quality": 82, "method": 6}
        frames[0].save(ROOT / "docs" / "femr.webp", save_all=True, **more)
        page = opened(browser, url, STILL, 1)
        page.click("[data-example='group.jpg']")
        answered(page)
        wait_until_playing(page)
        page.click(".box >> nth=1")
        page.wait_for_timeout(500)
        page.screenshot(path=ROOT / "examples" / "page.png")
    app.gr.close_all()


if __name__ == "__main__":
    main()
