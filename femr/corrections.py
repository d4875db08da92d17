"""What a visitor says that faces show: the vote with it, and a labelled set to measure by."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import cv2

from femr.faces.crop import crop_face
from femr.images import Pixels, to_picture
from femr.mood import vote
from femr.results import EMOTIONS, Analysis, Emotion, EmotionScores, FaceEmotion

COLUMNS = ("picture", "face", "label", "femr")
"""Of the set's table: the picture's number in the visit, the face's in the picture, what it shows, what femr said."""
_FOLDER = "corrections"


@dataclass(frozen=True, slots=True)
class Correction:
    """What one face shows, as somebody says.

    picture: The picture's number in the visit. face: As femr read it. crop: PNG, gray 48×48, as a network sees it.
    """

    picture: int
    face: FaceEmotion
    shows: Emotion
    crop: bytes


def correct(image: Pixels, analysis: Analysis, number: int, shows: Emotion, picture: int = 1) -> Correction:
    """A correction of a face.

    Args:
        image: RGB uint8 (h, w, 3), the analysed picture in any size.
        number: The face's, as drawn.
        picture: The picture's number in the visit.

    Raises:
        DataError: There is no such face.
    """
    face = analysis.face(number)
    pixels = to_picture(image, (analysis.width, analysis.height))
    _, png = cv2.imencode(".png", crop_face(pixels.pixels, face.face.scaled(pixels.scale)))
    return Correction(picture, face, shows, png.tobytes())


def corrected(analysis: Analysis, shows: Mapping[int, Emotion]) -> Analysis:
    """The analysis with what somebody says of its faces: expression, vote and mood; no song where the mood changed.

    Vote shares and label scores stay the network's.

    Args:
        shows: The face's number, as drawn → what it shows. Numbers of no face change nothing.
    """
    faces = tuple(_told(face, shows[face.number]) if face.number in shows else face for face in analysis.faces)
    mood = vote(faces)
    song = analysis.song if mood.emotion is analysis.mood.emotion else None
    return replace(analysis, faces=faces, mood=mood, song=song)


def to_zip(corrections: Iterable[Correction], crops: bool = False) -> bytes:
    """The labelled set as a ZIP file with a CSV table of COLUMNS.

    Args:
        crops: Put the faces in it, too: unpacked, it is a folder tree that `femr evaluate` reads.
    """
    # one that is sent twice counts once, as it is said last
    known, content = {(one.picture, one.face.number): one for one in corrections}.values(), io.BytesIO()
    rows = [(one.picture, one.face.number, one.shows, one.face.scores.top) for one in known]
    table = io.StringIO(newline="")
    csv.writer(table).writerows([COLUMNS, *rows])
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{_FOLDER}/labels.csv", table.getvalue())
        for one in known if crops else ():
            file.writestr(f"{_FOLDER}/test/{one.shows}/{one.picture}-{one.face.number}.png", one.crop)
    return content.getvalue()


def _told(face: FaceEmotion, shows: Emotion) -> FaceEmotion:
    """The face, sure to show an expression."""
    scores = EmotionScores(tuple(float(emotion is shows) for emotion in EMOTIONS))
    reading = replace(face.reading, scores=scores)
    return replace(face, reading=reading, unsure=False, unsure_reason=None, told=True)
