"""What a visitor does on the Photo tab, for tests in a browser."""

import cv2
import numpy as np
from axe_playwright_python.sync_playwright import Axe

PLAYING = ".player[data-state=playing]"


def upload(page, path):
    """Choose a file, as the system's dialogue does."""
    page.set_input_files(".stage .chooser", str(path))


def answered(page):
    """Waits for the answer of the picture that came last."""
    page.wait_for_selector(".stage.answered", timeout=60_000)


def ask(page, path):
    upload(page, path)
    answered(page)


def wait_until_playing(page, before=None):
    """Waits until a song sounds, another one than `before`; its title."""
    page.wait_for_function(
        "(before) => { const p = document.querySelector('.player'); return p.dataset.state === 'playing'"
        " && p.querySelector('.title').textContent !== before }",
        arg=before,
        timeout=60_000,
    )
    return page.inner_text(".player .title")


def hold_first(page, handler):
    """Keeps the page's next question to a handler from the server; the list in which it comes."""
    held = []

    def hold(route):
        if f'"{handler}"' in (route.request.post_data or "") and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/component_server/**", hold)
    return held


def let_go(page, held):
    """Lets the held question go; it is answered, and what the page does with the answer is done."""
    (route,) = held
    with page.expect_response(lambda response: response.request == route.request):
        route.continue_()
    page.wait_for_timeout(500)


def name(page):
    return page.inner_text(".told .name")


def reason(page):
    return page.inner_text(".told .reason")


def film(path, picture):
    """A film of one picture for Chromium's fake camera: raw 4:2:0 frames with a Y4M header."""
    frame = np.full((480, 640, 3), 90, np.uint8)
    frame[:, 80:560] = cv2.resize(picture, (480, 480), interpolation=cv2.INTER_AREA)
    frames = b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes()
    path.write_bytes(b"YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420jpeg\n" + 10 * frames)
    return path


def open_tab(page, tab):
    """Open a tab; on a narrow window some are in a menu."""
    page.locator("[role=tab]").first.wait_for()
    shown = page.get_by_role("tab", name=tab, exact=True).first
    if not shown.is_visible():
        page.locator(".overflow-menu > button").first.click()
        shown = page.locator(".overflow-dropdown button", has_text=tab).first
    shown.click()


STILL = """() => new Promise((still) => {
  let timer;
  const moves = (one) => one.playState === 'running' && one.effect.getComputedTiming().endTime !== Infinity;
  const rest = () => (document.getAnimations().some(moves) ? wait() : (changes.disconnect(), still()));
  const wait = () => { clearTimeout(timer); timer = setTimeout(rest, 200) };
  const changes = new MutationObserver(wait);
  changes.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
  wait();
})"""


def wait_until_still(page):
    """Waits until nothing changes or moves any more."""
    page.evaluate(STILL)


def serious(page):
    """What axe calls serious or worse: the rule and where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
