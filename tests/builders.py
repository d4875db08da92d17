"""What tests build from: the portrait and where its face is, small files, one picture's faces."""

import json
import os
import re
import wave
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from femr.images import load_image, to_picture
from femr.output.rows import COLUMNS
from femr.results import EMOTIONS, Analysis, EmotionScores, Face, FaceEmotion, Landmarks, Mood, Reading

ROOT = Path(__file__).parent.parent
PORTRAIT = ROOT / "examples" / "eileen-collins.jpg"
PORTRAIT_FACE = (182, 64, 265, 171)
"""Where the face is in the portrait, marked by hand: x1, y1, x2, y2 in pixels."""
HOPPER = Path(find_spec("matplotlib").origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
"""Grace Hopper, Matplotlib's sample photo, 512×600."""
HOPPER_FACE = (181, 118, 357, 340)


def detect(detector, image):
    """The faces of one picture."""
    (faces,) = detector.detect([to_picture(image)])
    return faces


def crowd(columns, rows, size=(1280, 900), head=170):
    """Rows of both women's heads of many sizes, side by side: RGB, and the faces' boxes."""
    rng, picture, boxes = np.random.default_rng(0), np.full((size[1], size[0], 3), 150, np.uint8), []
    heads = [(load_image(PORTRAIT), (20, 100, 240), PORTRAIT_FACE), (load_image(HOPPER), (30, 100, 310), HOPPER_FACE)]
    for row, column in np.ndindex(rows, columns):
        source, (top, left, long), face = heads[(row + column) % 2]
        side = round(head * rng.uniform(0.8, 1.1))
        middle = np.array([(column + 0.5) * size[0] / columns, (row + 0.5) * size[1] / rows])
        x, y = np.clip(np.round(middle - side / 2 + rng.integers(-8, 9, 2)), 0, np.array(size) - side).astype(int)
        cut = source[top : top + long, left : left + long]
        picture[y : y + side, x : x + side] = cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA)
        boxes.append(tuple((np.array(face) - (left, top) * 2) * side / long + (x, y) * 2))
    return picture, boxes


def contrast(*colors):
    """Of two colours, #RRGGBB, by WCAG 2: text wants 4.5 or more."""
    channels = np.array([list(bytes.fromhex(color[1:])) for color in colors]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    dark, light = np.sort(linear @ (0.2126, 0.7152, 0.0722)) + 0.05
    return light / dark


def write_wav(path, seconds=1):
    """Write a silent song."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000 * seconds))


def damage(song, head=0):
    """Turns all but so many bytes of a song's file into noise, as a bad disk does."""
    content = song.read_bytes()
    song.write_bytes(content[:head] + np.random.default_rng(0).bytes(len(content))[head:])


def write_noise(path, level, seconds=4):
    """Noise in stereo, of a level in dBFS; the loudness is some dB off."""
    noise = np.random.default_rng(0).normal(0, 10 ** (level / 20), (44_100 * seconds, 2))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.clip(noise, -1, 1), 44_100)
    return path


def write_list(folder, rows, kind="csv"):
    """A library of (file, expression) rows."""
    if kind == "json":
        entries = [dict(zip(("file", "expression"), row, strict=True)) for row in rows]
        (folder / "library.json").write_text(json.dumps({"songs": entries}))
    else:
        (folder / "library.csv").write_text("\n".join(["file,expression", *map(",".join, rows)]))


def dead_links(page):
    """Which links of a text in Markdown name no file beside it."""
    links = re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    return [link for link in links if not page.parent.joinpath(link).is_file()]


def cannot_be_tried(message):
    """Skips the test; where `CI` is set it fails."""
    pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)


def overlap(a, b):
    """Intersection over union of two boxes."""
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (sum(areas) - shared)


def scores(looks, share=0.94):
    """One expression's probability; the rest is spread evenly."""
    return EmotionScores(tuple(share if emotion == looks else (1 - share) / 6 for emotion in EMOTIONS))


def found(box=(0.0, 0.0, 90.0, 90.0), confidence=0.99, mark=(1.0, 1.0)):
    """A face as a detector finds it, all five landmarks in one place."""
    return Face(box, confidence, Landmarks(*[mark] * 5))


def looking(looks, share=0.94, number=1, face=None, **rest):
    """A face with its expression."""
    return FaceEmotion(number, face or found(), Reading.of(scores(looks, share)), **rest)


def face_row(number=1, expression="happy", file="a.jpg", time=None, sure=True):
    """A row as the tidy table has it."""
    top = 0.88 if sure else 0.4
    scores = {str(emotion): top if emotion == expression else (1 - top) / 6 for emotion in EMOTIONS}
    known = {"file": file, "time": time, "face": number, "model": "mobilenet_v2", **scores}
    return dict.fromkeys(COLUMNS) | known | {"expression": expression, "unsure": not sure}


def empty_row(file="a.jpg", time=None, error=None):
    return dict.fromkeys(COLUMNS) | {"file": file, "time": time, "model": "mobilenet_v2", "error": error}


def picture_rows(expressions, file="a.jpg", time=None):
    """The rows of a picture whose faces look so; "?" is an unsure one."""
    rows = [
        face_row(number, "sad" if looks == "?" else looks, file, time, looks != "?")
        for number, looks in enumerate(expressions, start=1)
    ]
    return rows or [empty_row(file, time)]


def photo_rows(*pictures):
    return [row for n, faces in enumerate(pictures, start=1) for row in picture_rows(faces, f"p{n}.jpg")]


def video_rows(frames, file="a.mp4"):
    """The rows of a video: time → faces."""
    return [row for time, faces in frames.items() for row in picture_rows(faces, file, time)]


HAPPY5, SAD5 = ["happy"] * 5, ["sad"] * 5

_SCORES = EmotionScores((0.05, 0.05, 0.05, 0.6, 0.1, 0.1, 0.05))
_FACE = FaceEmotion(1, found((10.04, 20.0, 110.26, 140.0), 0.98765), Reading.of(_SCORES), True, "dark")
TWO = Analysis(640, 480, (_FACE, replace(_FACE, number=2, unsure=False, unsure_reason=None)), Mood(None, ""), None, "m")
FRAME = Analysis(640, 480, (), Mood(None, ""), None, "m", file="clip.mp4", time=1.25, frame=37)
ANALYSES = [
    replace(TWO, file='a, "b"\nü.jpg'),
    FRAME,
    replace(FRAME, time=1.5, frame=45),
    Analysis.failed("x.jpg", "m", "Bad."),
]
"""A photo with two faces, two frames without one, and a file that could not be read."""
