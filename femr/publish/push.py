"""Uploads: each network with its model card to a Hub repository of its own, and the app itself to a Space.

A network's repository is in Keras' own layout, so that `keras.saving.load_model("hf://user/name")` reads it and the Hub
counts its downloads; what femr reads lies beside it, see `femr.expression.weights`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import PAYMENT_REQUIRED
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from femr.engine import choose
from femr.errors import ModelError, plural
from femr.expression import weights
from femr.expression.facts import ModelFacts
from femr.expression.networks import NETWORKS
from femr.expression.weights import FACTS, MODEL_NAMES, MODELS_DIR, hub_failure, read_facts, verify
from femr.publish.card import card_of, network_card, pictures, reference_runs

if TYPE_CHECKING:  # loads TensorFlow
    import keras

Content: TypeAlias = Path | bytes
Hardware: TypeAlias = Literal["zero-a10g", "cpu-basic"]
FREE: Hardware = "zero-a10g"
"""ZeroGPU: what the Hub lends without a paid plan. femr computes on its processor and asks for no GPU."""
HARDWARE: tuple[Hardware, ...] = get_args(Hardware)

ROOT = Path(__file__).parents[2]
SPACE_FILES = (
    "app.py",
    "README.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "Containerfile",
    "LICENSE",
    "Makefile",
    "mkdocs.yml",
    "pyproject.toml",
    "requirements.txt",
    "benchmarks/**/*.py",
    "benchmarks/adapters/*.cjs",
    "docs/*.*",
    "docs/decisions/*.md",
    "femr/**/*.py",
    "femr/**/*.html",
    "femr/**/*.md",
    "femr/page/**/*.css",
    "femr/page/**/*.js",
    "femr/page/**/*.svg",
    "femr/**/*.npz",
    "femr/py.typed",
    "examples/*",
    "models/mtcnn.json",
    "models/?net.onnx",
    "music/README.md",
    "music/library.json",
    "music/**/*.py",
    "music/*/*.mp3",
    "notebooks/*.ipynb",
)
"""What a Space holds besides the models: all of a clone but the tests, so that who clones the Space can install femr,
train it and follow README's links. Scratch files stay at home.
"""

WEIGHTS = "model.weights.h5"
"""Where Keras looks for a network's weights."""
THUMBNAIL = "examples/page.png"
"""What a link to the Space shows elsewhere."""
QUICKSTART = "notebooks/00_quickstart.ipynb"
"""What opens in Colab; there it installs femr from the Space that it names."""


@dataclass(frozen=True)
class Upload:
    """One commit that is ready to be made. files: path in the repository → file, or content where it is made here."""

    repo: str
    kind: Literal["model", "space"]
    files: Mapping[str, Content]
    message: str

    def __str__(self) -> str:
        size = sum(len(one) if isinstance(one, bytes) else one.stat().st_size for one in self.files.values())
        return f"{self.kind} {self.repo}: {plural(len(self.files), 'file')}, {size / 1e6:.1f} MB"


def repositories(repo: str) -> dict[str, str]:
    """Network → its repository: user/name-mobilenet-v2 and user/name-custom-cnn of user/name."""
    return {name: f"{repo}-{name.replace('_', '-')}" for name in NETWORKS}


def model_uploads(repo: str, space: str | None = None) -> list[Upload]:
    """Each network with its card, to `repositories(repo)`.

    Args:
        space: The Space that the cards name.

    Raises:
        ModelError: A file is missing or damaged, Keras is not installed, or nobody is logged in: hf auth login.
    """
    _check_ready(repo)
    return [
        Upload(there, "model", network_files(name, there, space), f"Upload femr's {NETWORKS[name].title}")
        for name, there in repositories(repo).items()
    ]


def space_upload(space: str, repo: str | None = None) -> Upload:
    """The app, the package, models, music and documents; its README has a badge that opens its quickstart in Colab.

    Args:
        repo: As for `model_uploads`; the Space then names its repositories.

    Raises:
        ModelError: A part is missing or damaged, or nobody is logged in.
    """
    _check_ready(space)
    files = space_files(ROOT)
    models = list(repositories(repo).values()) if repo else []
    told = {"README.md": _linked(_text("README.md"), space, models), QUICKSTART: _naming(_text(QUICKSTART), space)}
    return Upload(space, "space", {**files, **{path: text.encode() for path, text in told.items()}}, "Upload femr")


def network_files(name: str, repo: str, space: str | None = None) -> dict[str, Content]:
    """Everything that a network's repository holds. Raises ModelError."""
    choose("keras")
    folder, facts = weights.locate(name, "openvino")
    made = {**_keras_layout(weights.load_network(name)[1], name), f"{name}.onnx": _in_one_file(folder, facts)}
    told = {key: value for key, value in facts.document.items() if key != "hub"}
    for key, file in (("files", WEIGHTS), ("onnx", f"{name}.onnx")):
        told[key] = {file: hashlib.sha256(made[file]).hexdigest()}
    shown = [path for path in pictures(MODELS_DIR) if path.startswith(f"pictures/{name}/")]
    shown += [path.relative_to(MODELS_DIR).as_posix() for path in reference_runs(MODELS_DIR) if path.stem == name]
    return {
        "README.md": network_card(MODELS_DIR, name, repo, space).encode(),
        FACTS: json.dumps(told, indent=2, ensure_ascii=False).encode(),
        **made,
        **{path: MODELS_DIR / path for path in shown},
    }


def _keras_layout(network: "keras.Model", name: str) -> dict[str, bytes]:
    """The files of a network as Keras saves it in a folder: computing in full precision, its weights kept in half."""
    with TemporaryDirectory() as place:
        folder = Path(place, name)
        network.save(folder, zipped=False)
        weights.in_half_precision(network, name).save_weights(folder / WEIGHTS, overwrite=True)
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _in_one_file(folder: Path, facts: ModelFacts) -> bytes:
    """A network for the fast engine, which reads no weights beside it where they are links, as in the Hub's cache."""
    try:
        import onnx
    except ImportError as error:
        raise ModelError("Uploading networks needs onnx: pip install onnx.") from error
    if not facts.onnx:
        raise ModelError(f"{facts.title} has no file for the engine openvino: publish it anew.")
    content: bytes = onnx.load(folder / next(iter(facts.onnx))).SerializeToString()
    return content


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _linked(readme: str, space: str, models: Sequence[str]) -> str:
    """README: in its front matter the Space's thumbnail and its models, before its first badge one that opens Colab."""
    here = f"huggingface.co/spaces/{space}"
    front = [f"thumbnail: https://{here}/resolve/main/{THUMBNAIL}", *(["models:"] if models else [])]
    front += [f"  - {repo}" for repo in models]
    colab = f"https://colab.research.google.com/#fileId=https%3A//{here}/blob/main/{QUICKSTART}"
    badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})"
    return readme.replace("\n---\n", "\n".join(["", *front, "---", ""]), 1).replace("\n![", f"\n{badge} ![", 1)


def _naming(notebook: str, space: str) -> str:
    """The quickstart, its first cell with the Space's name; it is JSON, and quotes in it are escaped."""
    return notebook.replace(r"SPACE = \"\"", rf"SPACE = \"{space}\"", 1)


def _check_ready(repo: str) -> None:
    """Return if a repository can be so named, and somebody is logged in. Raises: ModelError."""
    from huggingface_hub import get_token

    # the Hub would take a bare name for one of its own old repositories
    if not weights.REPOSITORY.fullmatch(repo):
        raise ModelError(f"Expected a Hub repository such as user/name. Received: {repo}")
    if get_token() is None:
        raise ModelError("You are not logged in to the Hub: run `hf auth login` first, or set HF_TOKEN.")


def model_files(folder: Path) -> dict[str, Content]:
    """What models/ holds of the networks, and a card: name → file, or content. Raises ModelError."""
    facts = [read_facts(folder / f"{name}.json") for name in MODEL_NAMES]
    names = [f"{one.name}.json" for one in facts] + [file for one in facts for file in (*one.files, *one.onnx)]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"Nothing was uploaded: models/ lacks {', '.join(missing)}.")
    for one in facts:
        verify(folder, one, {**one.files, **one.onnx})
    names += [*pictures(folder), *(path.relative_to(folder).as_posix() for path in reference_runs(folder))]
    return {"README.md": card_of(folder).encode(), **{name: folder / name for name in names}}


def space_files(root: Path) -> dict[str, Content]:
    """All that a Space holds, with the networks of MODELS_DIR: path → file. Raises ModelError if a part is missing."""
    found = {pattern: _visible(root, pattern) for pattern in SPACE_FILES}
    missing = [pattern for pattern, paths in found.items() if not paths]
    if missing:
        raise ModelError(f"Nothing was uploaded: the app lacks {', '.join(missing)}.")
    app: dict[str, Content] = {path.relative_to(root).as_posix(): path for paths in found.values() for path in paths}
    # of ZeroGPU's package the Hub has its own version, which a pin could contradict
    app["requirements.txt"] = (root / "requirements.txt").read_bytes() + b"spaces\n"
    return app | {f"models/{name}": content for name, content in model_files(MODELS_DIR).items()}


def upload(one: Upload, private: bool = False, hardware: Hardware | None = None) -> str:
    """The address of one new commit; the repository is made if need be.

    Files that are there already and not named stay as they are.

    Args:
        hardware: What a Space runs on; None leaves it as it is, a new one on the Hub's default.

    Raises:
        ModelError: When the Hub refuses or cannot be reached, and then nothing was committed.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, SpaceHardware, constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    api, repo, kind = HfApi(), one.repo, one.kind
    sdk = "gradio" if kind == "space" else None
    with _clear_errors(repo, paid=kind == "space" and hardware != FREE):
        new = False
        try:
            # the first question has a limit: the client's others would wait for ever for a Hub that hangs
            api.repo_info(repo, repo_type=kind, timeout=constants.HF_HUB_ETAG_TIMEOUT)
        except GatedRepoError:
            pass
        except RepositoryNotFoundError:
            new = True
        # private=None leaves the Hub's own default, and an existing repository, as they are
        wish: Any = {"private": private or None, "space_sdk": sdk, "space_hardware": hardware}
        api.create_repo(repo, repo_type=kind, exist_ok=True, **wish)
        if hardware and not new:
            api.request_space_hardware(repo, SpaceHardware(hardware))
        operations = [CommitOperationAdd(path, content) for path, content in one.files.items()]
        return api.create_commit(repo, operations, commit_message=one.message, repo_type=kind).commit_url


@contextmanager
def _clear_errors(repo: str, paid: bool) -> Iterator[None]:
    """Turns a failed upload into one clear sentence. paid: whether there is a way that needs no paid plan."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except (OSError, ValueError, RuntimeError, ImportError, httpx2.HTTPError) as error:
        refused = isinstance(error, HfHubHTTPError) and error.response.status_code == PAYMENT_REQUIRED
        hint = f"; with --hardware {FREE} it needs none" if refused and paid else ""
        raise ModelError(
            f"Nothing was uploaded to {repo}: {hub_failure(error, 'your token may not write there')}{hint}."
        ) from error


def _visible(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if path.is_file() and not path.name.startswith("."))
