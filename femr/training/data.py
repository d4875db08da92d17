"""FER2013 in memory: its splits, the check against the official counts, and which faces may be trained on.

The faces themselves come from `femr.training.sources`, in whichever of four shapes somebody has them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from femr.errors import DataError
from femr.expression.calibration import TRAINING_COUNTS
from femr.faces.crop import Pixels
from femr.results import EMOTIONS
from femr.training import sources

TRAINING, PUBLIC_TEST, PRIVATE_TEST = SPLITS = ("Training", "PublicTest", "PrivateTest")
"""FER2013's own splits: to learn from, to choose by, and to report once."""

OFFICIAL_COUNTS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        TRAINING: TRAINING_COUNTS,
        PUBLIC_TEST: (467, 56, 496, 895, 653, 415, 607),
        PRIVATE_TEST: (491, 55, 528, 879, 594, 416, 626),
    }
)
"""Faces of each expression in the data set that was published (Kaggle, 2013), in the order of EMOTIONS."""

HELD_OUT = 0.2
"""Share of Training that the reference's 4:1 split keeps for validation."""


@dataclass(frozen=True, eq=False, slots=True)
class FaceData:
    """Some labelled faces.

    images: grey uint8 (n, 48, 48). labels: int64 (n,), indices into EMOTIONS. votes: FER+ crowd votes int64 (n, 10), in
    FER+'s order (neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face), or None.
    """

    images: Pixels
    labels: npt.NDArray[np.int64]
    votes: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> "FaceData":
        """The chosen faces, by a mask, indices or a slice."""
        return FaceData(self.images[rows], self.labels[rows], None if self.votes is None else self.votes[rows])

    def counts(self) -> tuple[int, ...]:
        """Faces of each expression, in the order of EMOTIONS."""
        return tuple(int(count) for count in np.bincount(self.labels, minlength=len(EMOTIONS)))

    def keys(self) -> list[bytes]:
        """One hash of the pixels a face: equal for pixel-identical faces, whatever their labels."""
        return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in self.images]

    def sha256(self) -> str:
        """SHA-256 of all pixels and labels in their order, hexadecimal: which data a model was made from."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).tobytes())
        digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()


def load(source: str | Path) -> dict[str, FaceData]:
    """Split name → its faces, for the splits that the data has.

    Args: `source`, a Kaggle CSV file, a folder tree, a Parquet file or folder, or a Hub dataset id such as "user/name".
    Raises: DataError with the row number and the reason when a row is malformed; nothing is left out silently.
    """
    rows = sources.read(source)
    votes = None if rows.votes is None else np.asarray(rows.votes, np.int64)
    everything = FaceData(np.asarray(rows.images, np.uint8), np.asarray(rows.labels, np.int64), votes)
    usage = np.asarray(rows.splits)
    return {split: everything[usage == split] for split in SPLITS if (usage == split).any()}


def differences(splits: Mapping[str, FaceData]) -> list[str]:
    """One sentence for each split that is missing or has other counts; empty for the data set as it was published."""
    sentences = [f"There is no {split} split" for split in SPLITS if split not in splits]
    for split, faces in splits.items():
        counts = zip(EMOTIONS, faces.counts(), OFFICIAL_COUNTS[split], strict=True)
        wrong = [f"{found:,} {name} instead of {official:,}" for name, found, official in counts if found != official]
        if wrong:
            sentences.append(f"{split} is not FER2013's: {', '.join(wrong)}")
    return sentences


def training_faces(splits: Mapping[str, FaceData], names: Sequence[str] = (TRAINING,)) -> FaceData:
    """The faces of some splits, to learn from. Raises: DataError for PrivateTest, a missing split or an empty class."""
    if PRIVATE_TEST in names:
        raise DataError(
            f"Expected {TRAINING} or {PUBLIC_TEST} to train on. Received: {PRIVATE_TEST}, kept for the test"
        )
    parts = [split_named(splits, name) for name in names]
    voted = [part.votes for part in parts if part.votes is not None]
    votes = np.concatenate(voted) if len(voted) == len(parts) else None
    faces = FaceData(
        np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]), votes
    )
    empty = [str(emotion) for emotion, count in zip(EMOTIONS, faces.counts(), strict=True) if not count]
    if empty:
        raise DataError(
            f"Expected faces of all seven expressions to train on. Received: none that is {', '.join(empty)}"
        )
    return faces


def split_named(splits: Mapping[str, FaceData], name: str) -> FaceData:
    """One split. Raises: DataError, with those there are, when it is missing."""
    if name not in splits:
        raise DataError(f"Expected data with {name}. Received: only {', '.join(splits) or 'nothing'}")
    return splits[name]


def grouped_split(faces: FaceData, held_out: float, seed: int) -> tuple[FaceData, FaceData]:
    """Two parts, the second with about `held_out` (0 to 1) of the faces; pixel-identical ones stay together."""
    groups, sizes, order = _shuffled_groups(faces, seed)
    second = np.zeros(len(order), bool)
    second[order[np.cumsum(sizes) <= held_out * len(faces)]] = True
    return faces[~second[groups]], faces[second[groups]]


def unseen(faces: FaceData, trained_on: Iterable[FaceData]) -> npt.NDArray[np.bool_]:
    """Which faces have pixels that occur in none of the training parts: bool (n,)."""
    seen = {key for part in trained_on for key in part.keys()}  # noqa: SIM118, a method of FaceData, not of a dict
    return np.array([key not in seen for key in faces.keys()], bool)  # noqa: SIM118


def _shuffled_groups(
    faces: FaceData, seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Each face's group of pixel-identical ones; the groups' sizes in a random order; and that order."""
    groups = np.unique(np.array(faces.keys()), return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(groups.max() + 1)
    return groups, np.bincount(groups)[order], order
