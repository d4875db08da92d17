"""One commit up to the Hub. Every failure is a ModelError of one sentence."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from femr.errors import ModelError
from femr.expression.weights import hub_failure

_NAME = re.compile(r"(?!.*(--|\.\.|\.git$))[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


def upload(
    repo: str, kind: Literal["model", "space"], files: Mapping[str, Path | bytes], message: str, private: bool = False
) -> str:
    """The address of one new commit with `files`, path in the repository → content; the repository is made if need be.

    Raises: ModelError, and then nothing was committed. Files that are there already and not named stay as they are.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, get_token

    _check_name(repo)
    if get_token() is None:
        raise ModelError("You are not logged in to the Hub: run `hf auth login` first, or set HF_TOKEN.")
    api = HfApi()
    sdk = "gradio" if kind == "space" else None
    with _clear_upload_errors(repo):
        # private=None leaves the Hub's own default, and an existing repository, as they are
        api.create_repo(repo, repo_type=kind, private=private or None, exist_ok=True, space_sdk=sdk)
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        return api.create_commit(repo, operations, commit_message=message, repo_type=kind).commit_url


def _check_name(repo: str) -> None:
    # the Hub would take a bare name for one of its own old repositories
    if not _NAME.fullmatch(repo):
        raise ModelError(f"Expected a Hub repository such as user/name. Received: {repo}")


@contextmanager
def _clear_upload_errors(repo: str) -> Iterator[None]:
    """Turns a failed upload into one clear sentence."""
    import httpx2

    try:
        yield
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:
        raise ModelError(f"Nothing was uploaded to {repo}: {hub_failure(error)}.") from error
