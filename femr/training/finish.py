"""The finish: a chosen network also learns from PublicTest, and what is measured there was measured before.

After it PublicTest tells nothing any more: a network is right and sure on faces it learned from. So whatever PublicTest
decides (is the model better than the published one, its temperature, its threshold for "unsure") is taken from the
weights that the finish started from. What those say of PublicTest stays in models/<name>.public_test.npz, so that the
ensemble, too, can be tuned without faces that a member learned from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from femr import weights
from femr.errors import DataError, ModelError
from femr.preprocessing import Pixels
from femr.training import answers
from femr.training import record as records
from femr.training.data import PUBLIC_TEST, FaceData
from femr.training.run import FINAL

BEFORE = "before"
"""The key of a model's facts under which the weights before the finish are named."""


@dataclass(frozen=True, eq=False, slots=True)
class Remembered:
    """What weights that are gone said of one set of faces: float32 (n, 7), as they are and mirrored."""

    plain: npt.NDArray[np.float32]
    mirrored: npt.NDArray[np.float32]

    def look(self, images: Pixels) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Both, for those very faces. Raises: ModelError for a different number of faces."""
        if len(images) != len(self.plain):
            raise ModelError(f"Expected the {len(self.plain)} faces that were looked at. Received: {len(images)}")
        return self.plain, self.mirrored


def earlier(record: records.Record, before: Path | None) -> records.Record | None:
    """The record of the run that a finishing run started from; None if `record` is of no finishing run.

    Args: `before`, that run's folder. Raises: ModelError if it is missing, needless, or another run's.
    """
    if PUBLIC_TEST not in record.get("trained_on", ()):
        if before is not None:
            raise ModelError("Expected no --before for a run that did not learn from PublicTest. Received: one")
        return None
    if before is None:
        raise ModelError("Expected --before with the run that this one finished: its own PublicTest scores say nothing")
    found, path = records.read(before), before / FINAL
    if PUBLIC_TEST in found["trained_on"]:
        raise ModelError("Expected a --before that never learned from PublicTest. Received: one that did")
    if not path.is_file() or weights.sha256(path) != (record["start"] or {}).get("sha256"):
        raise ModelError(f"Expected --before with the {FINAL} that the finish started from. Received: another, or none")
    return found


def remember(name: str, before: Path, looks: Remembered, public: FaceData) -> dict[str, Any]:
    """The part of a model's facts that names the weights before the finish, whose looks are written to models/."""
    path = _path(name)
    answers.write(path, public, plain=looks.plain.astype(np.float16), mirrored=looks.mirrored.astype(np.float16))
    files = {path.name: weights.sha256(path)}
    return {BEFORE: {"weights_sha256": {FINAL: weights.sha256(before / FINAL)}, "files": files}}


def recall(facts: Mapping[str, Any], public: FaceData) -> Remembered | None:
    """What a finished model of femr's said of these very faces before it learned from them; None if it is not known."""
    path = _path(facts["name"])
    if not path.is_file() or facts.get(BEFORE, {}).get("files") != {path.name: weights.sha256(path)}:
        return None
    try:
        return Remembered(*answers.read(path, public, "plain", "mirrored"))
    except DataError:  # other faces
        return None


def forget(name: str) -> None:
    """Removes what was remembered of a model that is replaced."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return weights.MODELS_DIR / f"{name}.public_test.npz"
