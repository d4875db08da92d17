"""What networks said of some faces, in a file that knows which faces those were."""

import zipfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from femr.errors import DataError
from femr.training.checkpoint import replacing
from femr.training.data import FaceData


def write(path: Path, faces: FaceData, **answers: npt.NDArray[np.floating]) -> None:
    """Writes named probabilities (n, 7) of the faces, and the faces' SHA-256, as .npz. Raises: DataError."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, data=np.array(faces.sha256()), **answers)


def read(path: Path, faces: FaceData, *names: str) -> list[npt.NDArray[np.float32]]:
    """The answers of those names, float32 (n, 7) each. Raises: DataError if damaged, or said of other faces."""
    try:
        with np.load(path, allow_pickle=False) as file:
            known, found = str(file["data"]), [file[name].astype(np.float32) for name in names]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"Expected a file of probabilities. Received: none that can be read ({path.name})") from error
    if known != faces.sha256():
        raise DataError(f"Expected probabilities of the very faces at hand. Received: those of others ({path.name})")
    return found
