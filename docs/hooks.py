"""What MkDocs is told beyond mkdocs.yml: pages may link to files outside docs/, as they do in the repository.

The site has these files, too, under repository/.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)[^)#\s]+")
SHOWN_AS_TEXT = {".ipynb", ".py", ""}
"""Endings of files that a browser would save instead of showing."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files of docs/ and those outside that they link to, directly or not. What is missing is MkDocs' to tell."""
    pages = [Path(str(file.abs_src_path)) for file in files.documentation_pages()]
    for page in pages:  # grows by the pages that are linked to
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            path = (page.parent / link).resolve()
            if path.is_file() and _uri(path) not in files.src_uris:
                files.append(_file(path, config))
                pages += [path] if path.suffix == ".md" else []
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with its links as the site has them."""
    folder, here = Path(str(page.file.abs_src_path)).parent, posixpath.dirname(page.file.src_uri)
    return LINK.sub(lambda link: posixpath.relpath(_uri((folder / link[0]).resolve()), here), markdown)


def _uri(path: Path) -> str:
    """Where a file lies in the site's sources."""
    inside = path.is_relative_to(DOCS)
    return path.relative_to(DOCS).as_posix() if inside else f"repository/{path.relative_to(ROOT).as_posix()}"


def _file(path: Path, config: MkDocsConfig) -> File:
    file = File.generated(config, _uri(path), abs_src_path=str(path))
    if path.suffix in SHOWN_AS_TEXT:
        file.dest_uri += ".txt"
    return file
