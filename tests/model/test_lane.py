"""Real pictures of several visitors, read together by the real networks."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

import cv2
import numpy as np
import pytest

from femr.images import to_picture
from femr.page.queues import Lane


def numbers(faces):
    """All that was measured of the faces: boxes, landmarks and scores."""
    return [value for face in faces for value in np.hstack([np.ravel(x) for x in measured(face)])]


def measured(face):
    return *astuple(face.face), *astuple(face.reading)


def test_answers_are_those_given_alone(analyzer, portrait, group):
    picture, _ = group
    images = [portrait, picture, cv2.rotate(portrait, cv2.ROTATE_90_CLOCKWISE), np.full((200, 300, 3), 128, np.uint8)]
    images += [cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA) for side in (90, 200, 333)]
    pictures = [to_picture(image) for image in images]
    alone = [analyzer.read([one])[0] for one in pictures]
    assert [len(faces) for faces in alone] == [1, 3, 1, 0, 1, 1, 1]

    lane = Lane()
    with ThreadPoolExecutor(len(pictures)) as visitors:
        for _ in range(3):
            together = list(visitors.map(lambda one: lane.read(analyzer, one), pictures))
            for faces, expected, one in zip(together, alone, pictures, strict=True):
                assert numbers(faces) == pytest.approx(numbers(expected), abs=1e-4)
                found, wanted = analyzer.conclude(one, faces).mood, analyzer.conclude(one, expected).mood
                assert (found.emotion, found.reason) == (wanted.emotion, wanted.reason)
