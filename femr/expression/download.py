"""One file from the Hub. Every failure is a ModelError of one sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from femr.errors import ModelError

COMMIT = re.compile(r"[0-9a-f]{40}")
"""A full commit: it can never move, so a cached file of it needs no question to the Hub."""

REPOSITORY = re.compile(r"(?!.*(--|\.\.|\.git$))[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_REFUSALS = {
    401: "the Hub does not accept your token; run `hf auth login` again",
    402: "the Hub asks for a paid plan to create it",
    403: "your token may not write there",
}


def download(repo: str, revision: str, file: str, force: bool = False) -> Path:
    """One file of a model repository in the Hub's cache: …/snapshots/<full commit>/<file>.

    A full commit comes from the cache if it is there; a branch or tag is asked for each time, and comes from the cache
    only while the Hub cannot be reached. `force` fetches it again. Raises: ModelError.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    with _clear_errors(repo, revision, file):
        cached = None if force else _cached(repo, revision, file)
        if cached and COMMIT.fullmatch(revision):
            return cached
        try:
            # one quick question: hf_hub_download would wait 23 s for a Hub that is down, minutes for one that hangs
            get_hf_file_metadata(hf_hub_url(repo, file, revision=revision))
        except Exception as error:
            if cached and _out_of_reach(error):
                return cached
            raise
        return Path(hf_hub_download(repo, file, revision=revision, force_download=force))


def _cached(repo: str, revision: str, file: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(repo, file, revision=revision)
    return Path(path) if isinstance(path, str) else None


def _out_of_reach(error: Exception) -> bool:
    """Whether the Hub gave no answer of its own: no network, a timeout, offline mode or a fault of the server."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code >= 500
    return isinstance(error, (OSError, httpx2.HTTPError))


@contextmanager
def _clear_errors(repo: str, revision: str, file: str) -> Iterator[None]:
    """Turns a failed download into one clear sentence."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError:
        raise ModelError(f"Expected a Hub repository such as user/name. Received: {repo}") from None
    except errors.RevisionNotFoundError:
        raise ModelError(f"There is no revision {revision} of {repo} on the Hub.") from None
    except errors.RepositoryNotFoundError:
        raise ModelError(f"There is no repository {repo} on the Hub, or it is private.") from None
    except errors.RemoteEntryNotFoundError:
        raise ModelError(f"There is no file {file} in {repo} on the Hub.") from None
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:
        raise ModelError(f"{file} of {repo} could not be fetched: {reason(error)}.") from error


def reason(error: Exception) -> str:
    """Why the Hub or the way to it failed, in a few words without a path."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        answer = f"the Hub answered {status} {error.server_message or ''}"
        return _REFUSALS.get(status) or answer.splitlines()[0].strip()
    if isinstance(error, httpx2.TimeoutException):
        return "the Hub does not answer"
    if isinstance(error, (httpx2.ConnectError, ConnectionError, LocalEntryNotFoundError)):
        return "the Hub cannot be reached"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, ValueError):
        return str(error).splitlines()[0].rstrip(".")
    return "the connection broke off"
