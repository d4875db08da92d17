"""The answer to one picture as plain values, for the page's script to draw: see static/photo.js. No path in it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from femr.errors import clock
from femr.music import Mode, MusicLibrary
from femr.output.annotate import ink
from femr.output.rows import of_ten, to_csv
from femr.page.media import cover_url, song_url
from femr.page.shared import number_of, numbered
from femr.results import EMOTIONS, Analysis, Emotion, FaceEmotion, Song
from femr.song_tags import gain_of

MOST_SONGS = 50
"""Of an answer: more than three hours of them, and few enough to be sent with each picture."""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def answer(found: Analysis, songs: Sequence[Song], read: Analysis) -> dict[str, Any]:
    """Mood, faces, and the songs in the order in which they are to play.

    Boxes are shares of the picture's width and height, 0 to 1; what the mood's emotion is None for has no mood.

    Args:
        found: With what the visitor says of the faces; `read`: without.
    """
    return {
        "width": found.width,
        "height": found.height,
        "mood": {**(look(found.mood.emotion) if found.mood.emotion else {}), "reason": found.mood.reason},
        "note": found.note or "",
        "alt": told(found.faces),
        "faces": [_face(face, one, found) for face, one in zip(found.faces, read.faces, strict=True)],
        "songs": [song_card(song) for song in songs],
        "table": to_csv([read]) if read.faces else "",
    }


def look(emotion: Emotion) -> dict[str, str]:
    """How an expression is shown: word, adjective, emoji, colour, and a colour that is legible on it."""
    shown = {"adjective": emotion.adjective, "emoji": emotion.emoji, "color": emotion.color, "ink": ink(emotion.color)}
    return {"emotion": str(emotion), **shown}


def playlist(library: MusicLibrary, emotion: Emotion, mode: Mode, played: Sequence[int]) -> list[Song]:
    """The next songs for a mood, each once, in the order in which they are to play.

    Args:
        played: the numbers of the songs of this visit so far, oldest first.
    """
    songs = numbered(library)
    heard = [songs[number] for number in played if number in songs]
    return library.order(emotion, mode, heard)[:MOST_SONGS]


def song_card(song: Song) -> dict[str, Any]:
    """What the player and the Songs tab show of a song. `gain`: see `gain_of`."""
    return {
        **look(song.emotion),
        "number": number_of(song),
        "title": song.title,
        "facts": song.facts,
        "length": clock(round(song.duration)) if song.duration else "",
        "url": song_url(song),
        "cover": cover_url(song),
        "link": song.link or "",
        "site": urlsplit(song.link or "").hostname or "",
        "gain": gain_of(song),
    }


def told(faces: Sequence[FaceEmotion]) -> str:
    """The faces in words, for who cannot see them: "Five faces: four look happy, one is unclear."."""
    if not faces:
        return "A picture in which no face was found."
    looks = Counter(face.scores.top for face in faces if not face.unsure)
    parts = [f"{_number(n)} {'looks' if n == 1 else 'look'} {emotion.adjective}" for emotion, n in looks.most_common()]
    unclear = sum(face.unsure for face in faces)
    if unclear:
        parts.append(f"{_number(unclear)} {'is' if unclear == 1 else 'are'} unclear")
    noun = "face" if len(faces) == 1 else "faces"
    return f"{_number(len(faces)).capitalize()} {noun}: {', '.join(parts)}."


def _face(face: FaceEmotion, read: FaceEmotion, found: Analysis) -> dict[str, Any]:
    x1, y1, x2, y2 = face.box
    return {
        **look(face.scores.top),
        "number": face.number,
        "box": [x1 / found.width, y1 / found.height, x2 / found.width, y2 / found.height],
        "unclear": face.unsure,
        "why": face.unsure_reason,
        "told": face.told,
        "read": look(read.scores.top),
        "people": of_ten(read),
        "bars": [{**look(emotion), "share": round(read.scores[emotion], 4)} for emotion in EMOTIONS],
    }


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else f"{count:,}"
