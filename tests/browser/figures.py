"""How light, still and quick the page is beside an empty one: PYTHONPATH=.:tests python tests/browser/figures.py

Bytes and requests until two seconds after the page is there; layout shifts without those within half a second of a tap;
the slow line is Chromium's own throttle. All times are medians.
"""

import time
from statistics import median

import gradio as gr

from builders import PORTRAIT
from chromium import DESKTOP, LISTEN, PHONE, chromium
from femr.page import app, shared

RUNS = 5
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 7.5e5 / 8}
OBSERVE = """
window.shift = 0; window.largest = 0;
new PerformanceObserver((list) => list.getEntries().forEach((one) => one.hadRecentInput || (window.shift += one.value)))
  .observe({type: 'layout-shift', buffered: true});
new PerformanceObserver((list) => list.getEntries().forEach((one) => { window.largest = one.startTime }))
  .observe({type: 'largest-contentful-paint', buffered: true});
"""
HEARD = """() => new Promise((done) => {
  const heard = () => window.sounding().some((one) => one.currentTime > 0.02);
  const look = () => heard() ? done(performance.now()) : setTimeout(look, 5);
  look();
})"""


def opened(browser, url, size, slow=False):
    """A new visitor's page, what it has fetched so far, and whatever the console says."""
    context = browser.new_context(viewport=size, has_touch=size is PHONE)
    page = context.new_page()
    page.add_init_script(LISTEN + OBSERVE)
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    if slow:
        devtools.send("Network.emulateNetworkConditions", LINE)
    fetched = []
    devtools.on("Network.loadingFinished", lambda event: fetched.append(event["encodedDataLength"]))
    page.goto(url, timeout=60_000)
    return page, fetched


def first_view(browser, url, size):
    """Requests, bytes, layout shift."""
    page, fetched = opened(browser, url, size)
    page.wait_for_selector("footer", state="attached", timeout=30_000)
    page.wait_for_timeout(2000)
    figures = len(fetched), sum(fetched), page.evaluate("window.shift")
    page.context.close()
    return figures


def largest_paint(browser, url, size):
    """Seconds until the largest part of the page is painted, on the slow line."""
    page, _ = opened(browser, url, size, slow=True)
    page.wait_for_selector("footer", state="attached", timeout=60_000)
    page.wait_for_timeout(1500)
    seconds = page.evaluate("window.largest") / 1000
    page.context.close()
    return seconds


def example_to_song(browser, url, size, slow=False):
    """Seconds from the tap on an example to the mood and to the first sound, and the layout shift meanwhile."""
    page, _ = opened(browser, url, size, slow)
    page.wait_for_selector(".stage .selfie", timeout=60_000)
    page.wait_for_timeout(6000 if slow else 1000)
    page.evaluate("""() => document.addEventListener('click', () => { window.tapped = performance.now() }, true)""")
    page.evaluate("""() => new MutationObserver(() => {
      if (!window.told && document.querySelector('.stage.answered')) window.told = performance.now();
    }).observe(document.querySelector('.stage'), {attributes: true})""")
    page.click("[data-example='group.jpg']")
    sound = page.evaluate(HEARD)
    tapped, told = page.evaluate("[window.tapped, window.told]")
    page.wait_for_timeout(1000)
    shift = page.evaluate("window.shift")
    page.context.close()
    return (told - tapped) / 1000, (sound - tapped) / 1000, shift


def main():
    """Prints the figures."""
    shared.analyzer("ensemble")(PORTRAIT)
    with gr.Blocks(analytics_enabled=False) as empty:
        pass
    options = {"prevent_thread_lock": True, "quiet": True}
    _, bare, _ = empty.launch(ssr_mode=False, **options)
    _, url, _ = app.launch(app.build_page(), **options)
    with chromium() as browser:
        for name, size in (("phone", PHONE), ("desktop", DESKTOP)):
            pairs = [(first_view(browser, bare, size), first_view(browser, url, size)) for _ in range(RUNS)]
            plain, ours = ([median(values) for values in zip(*side, strict=True)] for side in zip(*pairs, strict=True))
            print(f"{name}: requests {ours[0]} ({ours[0] / plain[0]:.2f} x the empty page's {plain[0]}), kB", end=" ")
            print(
                f"{ours[1] / 1000:.0f} ({ours[1] / plain[1]:.2f} x {plain[1] / 1000:.0f}), layout shift {ours[2]:.3f}"
            )
            paints = [(largest_paint(browser, bare, size), largest_paint(browser, url, size)) for _ in range(RUNS)]
            plain, ours = (median(side) for side in zip(*paints, strict=True))
            print(
                f"{name}: largest paint at 1.6 Mbit/s {ours:.2f} s ({ours / plain:.2f} x the empty page's {plain:.2f})"
            )
            for line, slow in (("local", False), ("1.6 Mbit/s", True)):
                told, sound, shift = zip(*(example_to_song(browser, url, size, slow) for _ in range(RUNS)), strict=True)
                after = [one - other for one, other in zip(sound, told, strict=True)]
                print(f"{name}, {line}: tap to mood {median(told):.2f} s, to song {median(sound):.2f} s", end=" ")
                print(f"({median(after):.2f} after the mood, at most {max(after):.2f}), layout shift {max(shift):.3f}")
    app.gr.close_all()


if __name__ == "__main__":
    start = time.monotonic()
    main()
    print(f"{time.monotonic() - start:.0f} s in all")
