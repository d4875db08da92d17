import csv
import io
import json
from pathlib import Path

import pytest

from femr.output.rows import COLUMNS, REQUIRED_COLUMNS, of_ten, to_csv, to_dict, to_text
from femr.results import EMOTIONS, Analysis, Emotion, EmotionScores, Face, FaceEmotion, Landmarks, Mood, Reading, Song

SCORES = EmotionScores((0.05, 0.05, 0.05, 0.6, 0.1, 0.1, 0.05))
SHARES = EmotionScores((0.0, 0.0, 0.0, 0.8, 0.1, 0.05, 0.05))
LABELS = EmotionScores((0.0, 0.0, 0.0, 0.3, 0.4, 0.2, 0.1))
SPOT = Face((10.04, 20, 110.26, 140), 0.98765, Landmarks(*[(1.0, 1.0)] * 5))
FACE = FaceEmotion(1, SPOT, Reading(SCORES, SHARES, LABELS), True, "dark")
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
            "vote_shares": dict(zip(EMOTIONS, SHARES.probabilities, strict=True)),
            "label_scores": dict(zip(EMOTIONS, LABELS.probabilities, strict=True)),
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
    assert [float(found[name]) for name in ("happy", "vote_share_happy", "label_happy")] == [0.6, 0.8, 0.3]
    assert tuple(found)[: len(REQUIRED_COLUMNS)] == REQUIRED_COLUMNS
    assert len(COLUMNS) == len(REQUIRED_COLUMNS) + 14
    assert (nothing["vote_share_happy"], nothing["label_happy"]) == ("", "")
    assert (found["size"], found["unsure_reason"], found["time"]) == ("120", "dark", "")
    assert (nothing["face"], nothing["expression"], nothing["error"], nothing["model"]) == ("", "", "", "m")
    assert (nothing["time"], nothing["frame"]) == ("1.235", "37")
    assert (bad["face"], bad["error"]) == ("", "Damaged.")


def test_the_text_names_mood_faces_and_song():
    text = to_text(ANALYSES[0])
    assert text.splitlines()[0] == "a, b.jpg: Why"
    assert "happy?" in text
    assert "60.0%" in text
    assert text.splitlines()[1].endswith("of ten people")
    assert text.splitlines()[2].endswith("about 8 would say happy  (dark)")
    assert "Kites" in text
    assert to_text(ANALYSES[1]) == "clip.mp4: No face"
    assert to_text(ANALYSES[2]) == "bad.jpg: Damaged."


def shares(**given):
    """Those given, the rest on neutral."""
    return EmotionScores(
        tuple(given.get(one, 1 - sum(given.values()) if one == "neutral" else 0.0) for one in EMOTIONS)
    )


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        (shares(happy=0.04), "fewer than one would say happy, nearly all neutral"),
        (shares(happy=0.05), "about 1 would say happy, nearly all neutral"),
        (shares(happy=0.14), "about 1 would say happy, about 9 neutral"),
        (shares(happy=0.4, sad=0.35), "about 4 would say happy, about 4 sad"),
        (shares(happy=0.3, disgust=0.26, neutral=0.44), "about 3 would say happy, about 4 neutral, about 3 disgusted"),
        (shares(happy=0.5, sad=0.5), "about 5 would say happy, about 5 sad"),
        (shares(happy=0.84, neutral=0.16), "about 8 would say happy"),
        (shares(happy=0.949, neutral=0.051), "about 9 would say happy"),
        (shares(happy=0.95, neutral=0.05), "nearly all would say happy"),
        (shares(happy=1.0), "nearly all would say happy"),
    ],
)
def test_how_many_of_ten_people_would_say_it_and_who_would_say_something_else_as_readily(votes, words):
    assert of_ten(FaceEmotion(1, SPOT, Reading(shares(happy=1.0), votes, votes))) == words
