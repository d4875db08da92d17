"""What the page's tests share: the page with its networks loaded, a browser a module, and visitors."""

from functools import cache

import pytest

from builders import PORTRAIT
from chromium import DESKTOP, launcher, visiting, watching


@pytest.fixture(scope="module")
def url(server):
    """The page's address; its default network is loaded beforehand, as app.py does."""
    from femr.page import shared

    shared.analyzer("ensemble")(PORTRAIT)
    return server


@pytest.fixture(scope="module")
def launch():
    """Starts browsers: launch(*flags)."""
    with launcher() as launch:
        yield launch


@pytest.fixture(scope="module")
def browser(launch):
    return launch()


@pytest.fixture(scope="module")
def watcher(launch):
    """The browser whose camera shows a film, one for each: watcher(film)."""
    return cache(lambda film: launch(*watching(film)))


@pytest.fixture
def visit(request, browser, url):
    """Opens the page as a new visitor. Its parameter: words of the errors that a test brings about itself."""
    with visiting(url, getattr(request, "param", ())) as open_page:

        def visit(size=DESKTOP, address="", **kind):
            page = open_page(kind.pop("browser", browser), size, address, **kind)
            page.wait_for_selector(".stage .selfie", state="attached")
            return page

        yield visit
