"""From a score to a MIDI file: the same bytes for the same score, always."""

import io

import mido  # type: ignore[import-untyped]

from music.compose.performance import BEND, Control, controls, played
from music.compose.score import Part, Score

TICKS = 960  # a beat
DRUM_CHANNEL = 9
TAIL = 4.0  # seconds after the last note for the sound to die away
VOLUME, PAN, REVERB, CHORUS = 7, 10, 91, 93


def midi_bytes(score: Score) -> bytes:
    """The score as a standard MIDI file of type 1."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    file.tracks.append(_conductor(score))
    channels = iter([channel for channel in range(16) if channel != DRUM_CHANNEL])
    for number, part in enumerate(part for part in score.parts if part.notes):
        channel = DRUM_CHANNEL if part.instrument.drums else next(channels)
        file.tracks.append(_track(score, part, number, channel))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _ticks(beat: float) -> int:
    return max(0, round(beat * TICKS))


def _conductor(score: Score) -> mido.MidiTrack:
    """Title, markers of the sections, the tempo, and the end."""
    events: list[tuple[int, mido.MetaMessage]] = [
        (0, mido.MetaMessage("track_name", name=score.title)),
        (0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(score.tempo))),
    ]
    events += [(_ticks(section.start), mido.MetaMessage("marker", text=section.name)) for section in score.sections]
    tempos = sorted(score.tempos, key=lambda entry: entry[0])
    events += [(_ticks(beat), mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))) for beat, bpm in tempos]
    last = max(note.start + note.length for part in score.parts for note in part.notes)
    events.append((_ticks(last + TAIL * score.tempo_at(last) / 60), mido.MetaMessage("end_of_track")))
    return _with_deltas(events)


def _track(score: Score, part: Part, number: int, channel: int) -> mido.MidiTrack:
    """One player's notes and controllers."""
    setup = [
        mido.Message("program_change", channel=channel, program=part.instrument.program),
        _control(channel, VOLUME, round(127 * part.volume)),
        _control(channel, PAN, round(64 + 63 * part.pan)),
        _control(channel, REVERB, round(127 * part.room)),
        _control(channel, CHORUS, 0),
    ]
    events: list[tuple[int, int, mido.Message]] = [(0, 0, message) for message in setup]
    events += [(_ticks(c.beat), 1, _change(channel, c)) for c in controls(part)]
    for note in played(score, part, number):
        start, end = _ticks(note.start), _ticks(note.start + note.length)
        sound = {"channel": channel, "note": note.pitch}
        events.append((start, 3, mido.Message("note_on", velocity=int(note.weight), **sound)))
        events.append((max(end, start + 1), 2, mido.Message("note_off", velocity=0, **sound)))
    events.sort(key=lambda event: event[:2])
    return _with_deltas([(tick, message) for tick, _, message in events])


def _control(channel: int, number: int, value: int) -> mido.Message:
    return mido.Message("control_change", channel=channel, control=number, value=min(127, max(0, value)))


def _change(channel: int, control: Control) -> mido.Message:
    if control.number == BEND:
        return mido.Message("pitchwheel", channel=channel, pitch=max(-8192, min(8191, control.value)))
    return _control(channel, control.number, control.value)


def _with_deltas(events: list[tuple[int, mido.Message | mido.MetaMessage]]) -> mido.MidiTrack:
    """A track whose messages carry the ticks since the one before."""
    track = mido.MidiTrack()
    now = 0
    for tick, message in events:
        track.append(message.copy(time=max(0, tick - now)))
        now = max(now, tick)
    return track
