"""Links from one text of the repository to another file of it, as GitHub, the Hub and the site follow them."""

import pytest

from builders import ROOT, dead_links

TOP = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "models/README.md", "music/README.md")
PAGES = [*TOP, *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_links_point_at_files_that_are_there(page):
    assert dead_links(ROOT / page) == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
