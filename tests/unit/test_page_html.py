from builders import found
from femr.page.html import TABLE_HEADERS, headline, song_cards, table_row
from femr.results import Emotion, EmotionScores, FaceEmotion, Mood, Reading

HAPPY, NONE = Mood(Emotion.HAPPY, "Both faces look happy"), Mood(None, "No face found.")


def test_without_a_face_the_headline_says_so():
    assert "No face found." in headline(NONE)


def test_the_headline_shows_mood_reason_and_colour():
    shown = headline(HAPPY)
    assert all(word in shown for word in ("Happy", "Both faces look happy", Emotion.HAPPY.color, Emotion.HAPPY.emoji))


def test_tags_cannot_smuggle_markup_in():
    song = {
        "title": "<script>alert(1)</script>",
        "facts": ["<img src=x>"],
        "length": "",
        "color": "#fff",
        "cover": "c",
        "link": "",
        "site": "",
    }
    shown = song_cards([song])
    assert "<script" not in shown
    assert shown.count("<img") == 1


def test_a_songs_page_stands_beside_it_and_no_markup_does():
    plain = {"title": "<b>Kites</b>", "facts": [], "length": "", "color": "#fff", "cover": "c", "link": "", "site": ""}
    with_link = song_cards([{**plain, "link": 'https://us.example/"><script>', "site": "us.example"}])
    assert 'rel="noopener noreferrer"' in with_link
    assert "us.example ↗</a>" in with_link
    assert "<script" not in with_link
    assert "<b>" not in with_link
    assert "<a " not in song_cards([plain])


def test_a_faces_row_tells_what_people_would_say():
    scores, shares = EmotionScores((0, 0, 0, 0.6, 0, 0, 0.4)), EmotionScores((0, 0, 0, 0.3, 0, 0, 0.7))
    row = table_row(FaceEmotion(2, found(), Reading(scores, shares, scores), True, "dark"))
    assert row[:3] == ["2", "happy (unclear: dark)", "about 3 would say happy, about 7 neutral"]
    assert row[3:] == ["0%", "0%", "0%", "60%", "0%", "0%", "40%"]
    assert len(row) == len(TABLE_HEADERS)
