"""What networks said of some faces, and a file of it that knows which faces those were."""

import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from femr.errors import DataError
from femr.training.checkpoint import replacing
from femr.training.data import FaceData
from femr.training.prediction import Answers


class Looks(NamedTuple):
    """Both heads' answers to faces as they are, and to their mirror images."""

    plain: Answers
    mirror: Answers

    @property
    def mean(self) -> Answers:
        """The average of both, the mirrored average of inference."""
        pairs = zip(self.plain, self.mirror, strict=True)
        return Answers(*(np.asarray((plain + mirror) / 2, np.float32) for plain, mirror in pairs))


_NAMES = ("plain_labels", "plain_people", "mirror_labels", "mirror_people")


def write(path: Path, faces: FaceData, looks: Looks) -> None:
    """Writes what was said of the faces, in half precision, and the faces' SHA-256, as .npz. Raises: DataError."""
    said = zip(_NAMES, (*looks.plain, *looks.mirror), strict=True)
    arrays = {name: answer.astype(np.float16) for name, answer in said}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, data=np.array(faces.sha256()), **arrays)


def read(path: Path, faces: FaceData) -> Looks:
    """What was said of the faces. Raises: DataError if the file is damaged, or of other faces."""
    try:
        with np.load(path, allow_pickle=False) as file:
            known, found = str(file["data"]), [file[name].astype(np.float32) for name in _NAMES]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"Expected a file of probabilities. Received: none that can be read ({path.name})") from error
    if known != faces.sha256():
        raise DataError(f"Expected probabilities of the very faces at hand. Received: those of others ({path.name})")
    return Looks(Answers(*found[:2]), Answers(*found[2:]))
