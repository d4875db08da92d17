"""The catalogue: tags inside every file, and library.json beside them; both say the same."""

import hashlib
import json
from pathlib import Path
from typing import Any

from mutagen.id3 import APIC, COMM, ID3, TBPM, TCOM, TCON, TCOP, TIT2, TKEY, TPE1, TSSE, TXXX, WCOP
from mutagen.mp3 import MP3

from music.compose.cover import cover
from music.compose.render import Loudness
from music.compose.score import Score

MUSIC = Path(__file__).resolve().parent.parent
LIBRARY = MUSIC / "library.json"
COMPOSER = "femr"
LICENCE = "CC0-1.0"
LICENCE_ADDRESS = "https://creativecommons.org/publicdomain/zero/1.0/"


def file_name(score: Score) -> str:
    """Path of a piece's MP3 relative to the music folder, with forward slashes."""
    return f"{score.expression}/{score.slug}.mp3"


def tag(score: Score, path: Path) -> None:
    """Write the ID3 tags and the cover picture of a piece into its file."""
    tags = ID3()
    short = score.key.tonic + ("m" if score.key.scale[2] == 3 else "")
    for frame in (
        TIT2(encoding=3, text=score.title), TPE1(encoding=3, text=COMPOSER), TCOM(encoding=3, text=COMPOSER),
        TCON(encoding=3, text=score.genre), TBPM(encoding=3, text=str(round(score.tempo))),
        TKEY(encoding=3, text=short), TCOP(encoding=3, text=LICENCE), WCOP(url=LICENCE_ADDRESS),
        TSSE(encoding=3, text="FluidSynth, FluidR3 GM, LAME"),
        TXXX(encoding=3, desc="LICENSE", text=LICENCE), TXXX(encoding=3, desc="MOOD", text=score.expression),
        COMM(encoding=3, lang="eng", desc="", text=f"{score.genre} in {score.key.tonic} {score.key.mode}"),
        APIC(encoding=3, mime="image/jpeg", type=3, desc="cover", data=cover(score)),
    ):  # fmt: skip
        tags.add(frame)
    tags.save(path, v2_version=4)


def entry(score: Score, midi: bytes, path: Path, loudness: Loudness) -> dict[str, Any]:
    """The facts of a finished piece, as library.json holds them."""
    found: dict[str, Any] = {
        "title": score.title,
        "file": file_name(score),
        "expression": score.expression,
        "genre": score.genre,
        "valence": score.valence,
        "arousal": score.arousal,
        "tempo": score.tempo,
        "key": score.key.tonic,
        "mode": score.key.mode,
        "duration": round(MP3(path).info.length, 1),
        "loudness": round(loudness.integrated, 1),
        "instruments": list(score.instruments),
        "composer": COMPOSER,
        "licence": LICENCE,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "midi_sha256": hashlib.sha256(midi).hexdigest(),
    }
    return found | ({"lifts_from": sorted(score.lifts_from)} if score.expression in ("happy", "neutral") else {})


def read() -> list[dict[str, Any]]:
    """The songs of library.json, none if it is not there yet."""
    return list(json.loads(LIBRARY.read_text("utf-8"))["songs"]) if LIBRARY.exists() else []


def write(entries: list[dict[str, Any]]) -> None:
    """Put entries into library.json, each in the place of the one for the same file, and drop those without a file."""
    songs = {song["file"]: song for song in [*read(), *entries] if (MUSIC / song["file"]).exists()}
    ordered = [songs[name] for name in sorted(songs)]
    LIBRARY.write_text(json.dumps({"songs": ordered}, indent=2, ensure_ascii=False) + "\n", "utf-8")
