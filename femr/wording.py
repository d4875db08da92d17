"""Numbers, times and facts as a reader sees them: the same words on the page, in the report and in sentences."""

from femr.results import Song


def plural(number: int, noun: str) -> str:
    """A number with its noun: "1 face", "1,200 faces"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clock(seconds: float) -> str:
    """A time as 1:05 or 1:01:05; with digits after the point only where there are any."""
    whole, rest = divmod(round(1000 * seconds), 1000)
    minutes, second = divmod(whole, 60)
    fraction = f".{rest:03}".rstrip("0") if rest else ""
    start = f"{minutes // 60}:{minutes % 60:02}" if minutes >= 60 else f"{minutes}"
    return f"{start}:{second:02}{fraction}"


def tonality(song: Song) -> str:
    """A song's key and mode: "C major"; empty where neither is known."""
    return " ".join(part for part in (song.key, song.mode) if part)


def song_facts(song: Song) -> list[str]:
    """What is known of a song beside its title: by whom, its key, its tempo, its licence."""
    tempo = f"{song.tempo:.0f} bpm" if song.tempo else None
    return [fact for fact in (song.artist, tonality(song), tempo, song.licence) if fact]
