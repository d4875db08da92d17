"""Links from one text of the repository to another file of it, as GitHub, the Hub and the site follow them."""

import re

import pytest

from builders import ROOT

TOP = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "models/README.md", "music/README.md")
PAGES = [*TOP, *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES)
def test_links_point_at_files_that_are_there(page):
    links = LINK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).is_file()] == []
