"""Songs as a playlist to keep: M3U8, which players and music servers read (RFC 8216 tells of its first lines)."""

from collections.abc import Callable, Iterable

from femr.errors import printable
from femr.results import Song


def to_m3u8(songs: Iterable[Song], place: Callable[[Song], str] = lambda song: str(song.path)) -> str:
    """The text of a playlist, to be written as UTF-8.

    Args:
        place: Where a player finds a song: a path, relative to the playlist or absolute, or an address.
    """
    lines = ["#EXTM3U"]
    for song in songs:
        seconds = -1 if song.duration is None else round(song.duration)
        title = " - ".join(printable(part) for part in (song.artist, song.title) if part)
        where = place(song)
        # else a player would take it for a remark
        lines += [f"#EXTINF:{seconds},{title}", f"./{where}" if where.startswith("#") else where]
    return "\n".join([*lines, ""])
