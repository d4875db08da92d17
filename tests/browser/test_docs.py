"""The documentation's site: its links hold, it asks no network, and its diagram is drawn."""

import os
import subprocess
import sys

from builders import ROOT
from chromium import DESKTOP, PHONE, chromium

DRAWN = "document.querySelector('div.mermaid')?.offsetHeight > 200"


def test_the_site_asks_no_network_and_fits_a_phone(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    asked = []
    with chromium() as browser:
        for size in (DESKTOP, PHONE):
            page = browser.new_page(viewport=size)
            page.on("request", lambda request: asked.append(request.url))
            for name in ("reference", "repository/models/index", "architecture"):
                page.goto((tmp_path / f"{name}.html").as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") == size["width"], name
            page.wait_for_function(DRAWN)
    assert [url for url in asked if not url.startswith("file:")] == []
