"""python -m music.compose [--only TITLE] [--midi FOLDER]: make the songs again, and library.json."""

import argparse
import sys
from pathlib import Path

from music.compose import library
from music.compose.midi import midi_bytes
from music.compose.pieces import scores
from music.compose.render import render
from music.compose.score import Score


def make(score: Score) -> dict[str, object]:
    """Render one piece into its file; returns its entry for the catalogue."""
    path = library.MUSIC / library.file_name(score)
    midi = midi_bytes(score)
    loudness = render(score, midi, path)
    library.tag(score, path)
    return library.entry(score, midi, path, loudness)


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 when no title matches."""
    parser = argparse.ArgumentParser(
        prog="python -m music.compose", description="Make the songs and library.json again."
    )
    parser.add_argument(
        "--only", metavar="TITLE", action="append", help="title or file name of a piece; may be repeated"
    )
    parser.add_argument("--midi", metavar="FOLDER", type=Path, help="write MIDI files here instead of rendering")
    options = parser.parse_args(arguments)
    every = scores()
    wanted = {name.casefold() for name in options.only or ()}
    chosen = [score for score in every if not wanted or wanted & {score.title.casefold(), score.slug}]
    if not chosen:
        print(f"Expected one of {[score.title for score in every]}. Received: {options.only}", file=sys.stderr)
        return 2
    for score in chosen:
        if options.midi:
            options.midi.mkdir(parents=True, exist_ok=True)
            (options.midi / f"{score.slug}.mid").write_bytes(midi_bytes(score))
        else:
            entry = make(score)
            library.write([entry])
            print(f"{entry['file']}: {entry['duration']} s, {entry['loudness']} LUFS", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
