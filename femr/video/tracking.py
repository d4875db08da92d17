"""Which face of a picture is which face of the one before, by place, size and motion only.

Nothing of what a face looks like is kept or compared: no recognition, no embeddings. Within a scene that is enough to
keep faces apart, and a person who leaves and comes back is a new number, because femr shall not be able to know people
again.

A Kalman filter of constant velocity predicts each face (Kalman, 1960); predictions and faces are paired with the least
total cost (Kuhn, 1955), as in SORT (Bewley et al., 2016).
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import lap  # of all that norfair 2.3, supervision 0.31 or SciPy would bring, one call is needed
import numpy as np
import numpy.typing as npt

from femr.faces.boxes import iou
from femr.results import Box, Face

# all in sizes of the face, so that near and far faces are treated alike
NOISE = 0.2
"""Standard deviation of a detected face's centre."""
SPEED = 1.5
"""Standard deviation of the speed that a new face may have, a second; someone who walks by has twice that."""
PUSH = 1.0
"""Standard deviation of the acceleration, a second squared."""
GATE = 3.0
"""Standard deviations by which a face may be off its predicted place, within LEAST and MOST."""
LEAST, MOST = 1.0, 4.0
"""Bounds of that: a jerk of the camera; a picture that comes late."""
GROWTH = 2.0
"""Factor by which a face may be larger or smaller than it was last."""
KEEP = 1.0
"""Seconds for which a face that is not seen keeps its number."""

_NEVER = 1e6  # the cost of a pair that cannot be: more than all possible pairs together

Floats: TypeAlias = npt.NDArray[np.float64]


class _Track:
    """A face's number, place (x, y in pixels), velocity (pixels a second), width and height, since when it is lost."""

    def __init__(self, number: int, box: Box) -> None:
        self.number = number
        self.place, self.extent = _measured(box)
        self.velocity = np.zeros(2)
        self.lost: float | None = None
        # of place and velocity, in sizes of the face; the same for x and y
        self._covariance = np.diag([NOISE**2, SPEED**2])

    @property
    def size(self) -> float:
        """The longer side, pixels."""
        return float(self.extent.max())

    @property
    def reach(self) -> float:
        """How far from its place the face may be found, in its sizes."""
        return min(max(LEAST, GATE * math.sqrt(self._covariance[0, 0] + NOISE**2)), MOST)

    def predict(self, seconds: float) -> None:
        """Move on as fast as so far."""
        step = np.array([[1, seconds], [0, 1]])
        push = PUSH * np.array([seconds**2 / 2, seconds])
        self.place = self.place + self.velocity * seconds
        self._covariance = step @ self._covariance @ step.T + np.outer(push, push)

    def miss(self, time: float) -> None:
        """Remember since when it was not found."""
        self.lost = time if self.lost is None else self.lost

    def see(self, box: Box, alone: bool) -> None:
        """Correct place and size by the face that was found; the velocity only if it can be no other's face."""
        place, extent = _measured(box)
        gain = self._covariance[:, 0] / (self._covariance[0, 0] + NOISE**2)
        error = place - self.place
        self.place = self.place + gain[0] * error
        if alone:
            self.velocity = self.velocity + gain[1] * error
        self._covariance = self._covariance - np.outer(gain, self._covariance[0])
        self.extent = (self.extent + extent) / 2
        self.lost = None


class Tracker:
    """Numbers the faces of a video or stream, from 1; a number is never used again.

    Args: `keep`, seconds for which a face is remembered after the first picture in which it was not found.
    """

    def __init__(self, keep: float = KEEP) -> None:
        self._keep = keep
        self._tracks: list[_Track] = []
        self._last = 0  # number given
        self._time = -math.inf

    def update(self, faces: Sequence[Face], time: float) -> tuple[int, ...]:
        """The number of each face, in the faces' order.

        Args:
            faces: all faces of one picture, boxes in pixels; may be empty.
            time: seconds, at even or uneven steps; not before the time of the last call.
        Raises: ValueError if the time goes back.
        """
        if not time >= self._time:
            raise ValueError(f"Expected a time of {self._time} s or later. Received: {time}")
        self._tracks = [track for track in self._tracks if track.lost is None or time - track.lost <= self._keep]
        for track in self._tracks:
            track.predict(time - self._time)
        self._time = time
        costs = _costs(self._tracks, faces)
        rows, columns = lap.lapjvx(costs, extend_cost=True, return_cost=False)
        found = {column: row for row, column in zip(rows, columns, strict=True) if costs[row, column] < _NEVER}
        lost = [row for row in range(len(self._tracks)) if row not in found.values()]
        for row in lost:
            self._tracks[row].miss(time)
        for column, row in found.items():
            # one hides the other: who goes where is told by how they moved before
            alone = bool((costs[lost, column] == _NEVER).all())
            self._tracks[row].see(faces[column].box, alone)
        known = {column: self._tracks[row] for column, row in found.items()}
        return tuple((known.get(i) or self._begin(face)).number for i, face in enumerate(faces))

    def _begin(self, face: Face) -> _Track:
        self._last += 1
        track = _Track(self._last, face.box)
        self._tracks.append(track)
        return track


def _costs(tracks: Sequence[_Track], faces: Sequence[Face]) -> Floats:
    """(tracks, faces): distance in sizes of the face + 1 - overlap + change of size; _NEVER beyond the limits."""
    if not tracks or not faces:
        return np.empty((len(tracks), len(faces)))
    places, extents = (np.array(part) for part in zip(*(_measured(face.box) for face in faces), strict=True))
    expected = np.array([track.place for track in tracks])[:, np.newaxis]
    sides = np.array([track.extent for track in tracks])[:, np.newaxis]
    sizes = sides.max(axis=2)
    distance = np.linalg.norm(places - expected, axis=2) / sizes
    growth = np.abs(np.log(extents.max(axis=1) / sizes))
    predicted = np.concatenate([expected - sides / 2, expected + sides / 2], axis=2)
    overlap = iou(predicted, [face.box for face in faces])
    possible = (distance <= np.array([[track.reach] for track in tracks])) & (growth <= math.log(GROWTH))
    return np.asarray(np.where(possible, distance + (1 - overlap) + growth, _NEVER), np.float64)


def _measured(box: Box) -> tuple[Any, Any]:
    """Centre (x, y), and width and height, in pixels."""
    x1, y1, x2, y2 = box
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2]), np.array([x2 - x1, y2 - y1])
