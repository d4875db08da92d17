import csv
import io
import json
from pathlib import Path

import pytest

from femr.emotions import EMOTIONS, Emotion
from femr.report import COLUMNS, to_csv, to_dict, to_text
from femr.results import Analysis, EmotionScores, Face, FaceEmotion, Landmarks, Mood, Song

SCORES = EmotionScores((0.05, 0.05, 0.05, 0.6, 0.1, 0.1, 0.05))
FACE = FaceEmotion(1, Face((10.04, 20, 110.26, 140), 0.98765, Landmarks(*[(1.0, 1.0)] * 5)), SCORES, True, "dark")
SONG = Song("Kites", Path("music") / "kites.mp3", Emotion.HAPPY)
FOUND = Analysis(640, 480, (FACE,), Mood(Emotion.HAPPY, "Why", {Emotion.HAPPY: 1}), SONG, "m", file="a, b.jpg")
NOTHING = Analysis(640, 480, (), Mood(None, "No face"), None, "m", file="clip.mp4", time=1.23456, frame=37)
ANALYSES = (FOUND, NOTHING, Analysis.failed("bad.jpg", "m", "Damaged."))


def test_no_files_make_a_header():
    assert to_csv([]).strip() == ",".join(COLUMNS)


def test_the_document_is_json_with_null_where_there_is_nothing():
    found, nothing, bad = json.loads(json.dumps([to_dict(analysis) for analysis in ANALYSES]))
    assert found["faces"] == [
        {
            "number": 1,
            "box": [10.0, 20, 110.3, 140],
            "confidence": 0.9877,
            "expression": "happy",
            "unsure": True,
            "unsure_reason": "dark",
            "scores": dict(zip(EMOTIONS, SCORES.probabilities, strict=True)),
        }
    ]
    assert found["mood"] == {"emotion": "happy", "reason": "Why", "counts": {"happy": 1}}
    assert found["song"] == {"title": "Kites", "path": str(SONG.path), "emotion": "happy"}
    assert found["error"] is None
    assert (nothing["faces"], nothing["song"], nothing["mood"]["emotion"]) == ([], None, None)
    assert (nothing["path"], nothing["time"], nothing["frame"]) == ("clip.mp4", 1.235, 37)
    given = {"path": "bad.jpg", "faces": [], "error": "Damaged."}
    assert bad == dict.fromkeys(found) | given


def test_the_table_has_a_row_a_face_and_one_for_a_file_without():
    found, nothing, bad = csv.DictReader(io.StringIO(to_csv(ANALYSES)))
    assert (found["file"], found["face"], found["expression"], found["unsure"]) == ("a, b.jpg", "1", "happy", "True")
    assert float(found["happy"]) == pytest.approx(0.6)
    assert (found["size"], found["unsure_reason"], found["time"]) == ("120", "dark", "")
    assert (nothing["face"], nothing["expression"], nothing["error"], nothing["model"]) == ("", "", "", "m")
    assert (nothing["time"], nothing["frame"]) == ("1.235", "37")
    assert (bad["face"], bad["error"]) == ("", "Damaged.")


def test_the_text_names_mood_faces_and_song():
    text = to_text(ANALYSES[0])
    assert text.splitlines()[0] == "a, b.jpg: Why"
    assert "happy?" in text
    assert "60.0%" in text
    assert "Kites" in text
    assert to_text(ANALYSES[1]) == "clip.mp4: No face"
    assert to_text(ANALYSES[2]) == "bad.jpg: Damaged."
