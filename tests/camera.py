"""What a camera of the tests sees: films for Chromium's fake camera, made of the portrait."""

import cv2
import numpy as np

RATE = 5  # pictures a second
SIZE = (320, 240)


def smile(portrait):
    """The head of the portrait."""
    return cv2.resize(portrait[10:235, 72:372], SIZE)


def astonished(portrait):
    """The same head, astonished."""
    return smile(with_round_mouth(portrait))


def with_round_mouth(portrait):
    """The portrait with a small round mouth painted where hers is: both networks read surprise, clearly."""
    mouth = np.zeros(portrait.shape[:2], np.uint8)
    cv2.ellipse(mouth, (223, 140), (30, 19), 0, 0, 360, 255, -1)
    shown = cv2.inpaint(portrait, mouth, 5, cv2.INPAINT_TELEA)
    for radius, color in ((11, (150, 80, 75)), (8, (45, 20, 20))):  # lips, and the dark between them
        cv2.circle(shown, (223, 150), radius, color, -1)
    return cv2.GaussianBlur(shown, (0, 0), 0.8)


def nobody():
    """A wall."""
    return np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)


def crowd_of(portrait, faces):
    """So many of her heads side by side in rows of six, (480, 1440, 3)."""
    head = cv2.resize(portrait[0:240, 100:340], (240, 240))
    shown = np.full((480, 1440, 3), 90, np.uint8)
    for number in range(faces):
        top, left = 240 * (number // 6), 240 * (number % 6)
        shown[top : top + 240, left : left + 240] = head
    return shown


def film(path, *scenes, rate=RATE):
    """(picture, seconds) each as raw 4:2:0 frames with a Y4M header: what the fake camera plays, over and over.

    rate: pictures a second.
    """
    height, width = scenes[0][0].shape[:2]
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n" % (width, height, rate))
        for picture, seconds in scenes:
            frame = b"FRAME\n" + cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2YUV_I420).tobytes()
            file.write(round(seconds * rate) * frame)
    return path


# the page keeps a diary: [seconds, mood, song, the volumes that are heard] at each change of the first two
DIARY = """() => {
  window.diary = [];
  window.volumes = [];
  const text = (selector) => document.querySelector(selector)?.textContent.trim() || '';
  setInterval(() => {
    const now = performance.now() / 1000;
    const entry = [text('.live .name'), text('.live .song .title')];
    const last = window.diary.at(-1);
    if (!last || last[1] !== entry[0] || last[2] !== entry[1]) window.diary.push([now, ...entry]);
    window.volumes.push([now, window.sounding().map((one) => one.volume)]);
  }, 50);
}"""


def start(page):
    """The one press; the page's seconds at that moment."""
    page.locator(".live[data-ready]").wait_for()
    page.evaluate(DIARY)
    page.get_by_role("button", name="Start", exact=True).click()
    return page.evaluate("performance.now() / 1000")


def wait_for_mood(page, word, seconds=60):
    page.wait_for_function(
        "(word) => document.querySelector('.live .name').textContent === word", arg=word, timeout=1000 * seconds
    )


def wait_for_songs(page, count, seconds=60):
    songs = "n => new Set(window.diary.map((entry) => entry[2]).filter(Boolean)).size >= n"
    page.wait_for_function(songs, arg=count, timeout=1000 * seconds)


def wait_for_fade(page):
    """Waits until one song has faded into another: both were heard, and one is."""
    both = "window.volumes.some(([, heard]) => heard.length === 2)"
    page.wait_for_function(f"() => {both} && window.sounding().length === 1", timeout=60_000)


def wait_for_word(page, words, seconds=60):
    """Waits until the stage says what it waits for."""
    page.locator(".live .waits").get_by_text(words).wait_for(timeout=1000 * seconds)
