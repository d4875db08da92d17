"""A headless Chromium for the tests that need one."""

import os
import shutil
from contextlib import ExitStack, contextmanager

import pytest

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# Chromium's own background traffic is of no use in a test
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
THREE_CAMERAS = ("--use-fake-device-for-media-stream=device-count=3", "--use-fake-ui-for-media-stream")  # flags
REFUSED_CAMERA = ("--use-fake-device-for-media-stream",)  # flags


LISTEN = """
window.sounds = [];
const playOf = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  if (!window.sounds.includes(this)) window.sounds.push(this);
  return playOf.call(this);
};
window.sounding = () => window.sounds.filter((one) => !one.paused && !one.muted && !one.srcObject && one.volume > 0);
"""
"""For the page's head: window.sounding() tells which audio and video elements are heard, in shadow roots too."""


def watching(film):
    """Flags of a browser whose camera shows a film; nobody is asked for it."""
    fake = "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"
    return (*fake, f"--use-file-for-fake-video-capture={film}")


def binary():
    """Where the browser is; the test is skipped where there is none, and fails where `CI` is set."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "The page's tests need Chromium: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return path


@contextmanager
def launcher():
    """launch(*flags) starts a browser with FLAGS and these."""
    from playwright.sync_api import sync_playwright

    path = binary()
    with sync_playwright() as playwright, ExitStack() as stack:

        def launch(*flags):
            browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
            stack.callback(browser.close)
            return browser

        yield launch


@contextmanager
def chromium(*flags):
    """One such browser."""
    with launcher() as launch:
        yield launch(*flags)


@contextmanager
def visiting(url, but=()):
    """visit(browser, size) opens the page as a new visitor; afterwards no page may have logged an error.

    but: words of the errors that a test brings about itself.
    """
    errors = []
    with ExitStack() as stack:

        def visit(browser, size=DESKTOP, address="", **kind):
            context = browser.new_context(viewport=size, **kind)
            stack.callback(context.close)
            page = context.new_page()
            page.add_init_script(LISTEN)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda line: line.type == "error" and errors.append(line.text))
            page.goto(url + address)
            return page

        yield visit
    assert [error for error in errors if not any(words in error for words in but)] == []
