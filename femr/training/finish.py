"""The finish: a chosen network also learns from PublicTest, and what is measured there was measured before.

After it PublicTest tells nothing any more: a network is right and sure on faces it learned from. So whatever PublicTest
decides (is the model better than the published one, its temperatures, its threshold for "unsure") is taken from the
weights that the finish started from. What those say of PublicTest stays in models/<name>.public_test.npz, so that the
ensemble, too, can be tuned without faces that a member learned from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from femr.errors import DataError, ModelError
from femr.expression import weights
from femr.training import answers
from femr.training import record as records
from femr.training.answers import Looks
from femr.training.data import PUBLIC_TEST, FaceData

BEFORE = "before"
"""The key of a model's facts under which the weights before the finish are named."""


@dataclass(frozen=True, eq=False, slots=True)
class Remembered:
    """What weights that are gone said of one set of faces."""

    looks: Looks

    def look(self, faces: FaceData) -> Looks:
        """The same, for those very faces. Raises: ModelError for a different number of faces."""
        known = len(self.looks.plain.labels)
        if len(faces) != known:
            raise ModelError(f"Expected the {known} faces that were looked at. Received: {len(faces)}")
        return self.looks


def started_from(record: records.Record, before: Sequence[Path]) -> Path | None:
    """The file that a finishing run started from; None if `record` is of no finishing run.

    Args: `before`, .keras files, one of which it should be.
    Raises: ModelError if it is missing, or itself learned from PublicTest by the record beside it.
    """
    if PUBLIC_TEST not in record.get("trained_on", ()):
        return None
    digest = (record["start"] or {}).get("sha256")
    found = next((path for path in before if path.is_file() and weights.sha256(path) == digest), None)
    if found is None:
        files = ", ".join(path.name for path in before) or "none"
        raise ModelError(
            f"Expected --before with the file that this finish started from: its own PublicTest scores say nothing. "
            f"Received: {files}"
        )
    if PUBLIC_TEST in (known(found) or {}).get("trained_on", ()):
        raise ModelError("Expected a --before that never learned from PublicTest. Received: one that did")
    return found


def known(before: Path) -> records.Record | None:
    """The record of the run that a file came from, if it lies beside it."""
    return records.read(before.parent) if (before.parent / records.RECORD).is_file() else None


def remember(name: str, before: Path, looks: Looks, public: FaceData) -> dict[str, Any]:
    """The part of a model's facts that names the weights before the finish, whose looks are written to models/."""
    path = _path(name)
    answers.write(path, public, looks)
    files = {path.name: weights.sha256(path)}
    digests = {before.name: weights.sha256(before)}
    return {BEFORE: {"weights_sha256": digests, "files": files, "recorded": known(before) is not None}}


def recall(facts: Mapping[str, Any], public: FaceData) -> Remembered | None:
    """What a finished model of femr's said of these very faces before it learned from them; None if it is not known."""
    path = _path(facts["name"])
    if not path.is_file() or facts.get(BEFORE, {}).get("files") != {path.name: weights.sha256(path)}:
        return None
    try:
        return Remembered(answers.read(path, public))
    except DataError:  # other faces
        return None


def forget(name: str) -> None:
    """Removes what was remembered of a model that is replaced."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return weights.MODELS_DIR / f"{name}.public_test.npz"
