"""From MIDI to a finished MP3: FluidSynth plays it, ffmpeg masters it to one loudness and encodes it."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from music.compose.score import Master, Room, Score

SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")  # Debian package fluid-soundfont-gm, MIT licence
RATE = 44100
LOUDNESS = -16.0  # LUFS, integrated (EBU R 128)
TOLERANCE = 0.12  # LU
PEAK = -1.0  # dBTP, the most the finished file may have
ROUNDS = 8
QUALITY = "5"  # LAME's VBR scale: about 128 kbit/s
FADE = 1.2  # seconds at the very end, where the sound has already died away


class RenderError(RuntimeError):
    """FluidSynth or ffmpeg failed, or the loudness could not be reached."""


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS and true peak in dBTP."""

    integrated: float
    peak: float


def run(*command: str) -> str:
    """What a program wrote to standard error. Raises RenderError with its last lines when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(f"{command[0]} failed: {done.stderr[-800:]}")
    return done.stderr


def measure(path: Path) -> Loudness:
    """Loudness of a file, by ffmpeg's ebur128 filter."""
    report = run("ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-")
    summary = report[report.rindex("Summary:") :]
    values = dict(re.findall(r"(I|Peak):\s+(-?[\d.]+|-inf)", summary))
    return Loudness(float(values["I"]), float(values["Peak"]))


def synthesise(midi: bytes, room: Room, target: Path) -> None:
    """Play MIDI into a WAV file of 32-bit floats."""
    if not SOUND_FONT.exists():
        raise RenderError(f"Expected the sound font {SOUND_FONT} (Debian package fluid-soundfont-gm).")
    song = target.with_suffix(".mid")
    song.write_bytes(midi)
    options = {
        "synth.reverb.active": "1", "synth.chorus.active": "0", "synth.gain": "0.35", "synth.polyphony": "1024",
        "synth.reverb.room-size": str(room.size), "synth.reverb.damp": str(room.damp),
        "synth.reverb.level": str(room.level), "synth.reverb.width": str(room.width), "synth.cpu-cores": "1",
    }  # fmt: skip
    flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    run("fluidsynth", "-ni", "-q", "-r", str(RATE), "-O", "float", "-T", "wav", "-F", str(target), *flags,
        str(SOUND_FONT), str(song))  # fmt: skip


def master(source: Path, touch: Master, target: Path) -> None:
    """Low cut, shelves and gentle compression; then silence off both ends and a short fade at the last."""
    threshold = measure(source).integrated - 2
    shape = ",".join(
        (
            "highpass=f=28",
            f"bass=g={touch.low}:f=140",
            f"equalizer=f=500:t=o:w=2:g={touch.body}",
            f"equalizer=f=2000:t=o:w=2:g={touch.presence}",
            f"treble=g={touch.high}:f=5200",
            f"acompressor=threshold={threshold}dB:ratio={touch.ratio}:attack=25:release=250:knee=6",
        )
    )
    shaped = target.with_suffix(".shaped.wav")
    run("ffmpeg", "-y", "-i", str(source), "-af", shape, "-c:a", "pcm_f32le", str(shaped))
    gain = LOUDNESS - measure(shaped).integrated
    trim = ",".join(
        (
            f"volume={gain:.3f}dB",
            "silenceremove=start_periods=1:start_threshold=-46dB:start_silence=0.04:detection=peak",
            "areverse",
            "silenceremove=start_periods=1:start_threshold=-62dB:detection=peak",
            f"afade=t=in:d={FADE}",
            "areverse",
        )
    )
    run("ffmpeg", "-y", "-i", str(shaped), "-af", trim, "-c:a", "pcm_f32le", str(target))


def encode(source: Path, gain: float, ceiling: float, target: Path) -> Loudness:
    """Write an MP3 with a gain (dB) and a true-peak ceiling (dBFS), and measure the finished file."""
    limit = 10 ** (ceiling / 20)
    chain = (
        f"volume={gain:.3f}dB,aresample=176400,"
        f"alimiter=limit={limit:.5f}:attack=4:release=60:level=false,aresample={RATE}"
    )
    run("ffmpeg", "-y", "-i", str(source), "-map_metadata", "-1", "-af", chain, "-ac", "2", "-ar", str(RATE),
        "-c:a", "libmp3lame", "-q:a", QUALITY, "-id3v2_version", "0", "-write_xing", "1", str(target))  # fmt: skip
    return measure(target)


def render(score: Score, midi: bytes, target: Path) -> Loudness:
    """The MIDI of a score as an MP3 at LOUDNESS and under PEAK; returns what was measured on it. Raises RenderError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        dry, ready = Path(folder, "dry.wav"), Path(folder, "ready.wav")
        synthesise(midi, score.room, dry)
        master(dry, score.master, ready)
        gain, ceiling = 0.0, PEAK - 0.4
        for _ in range(ROUNDS):
            found = encode(ready, gain, ceiling, target)
            off = LOUDNESS - found.integrated
            if abs(off) <= TOLERANCE and found.peak <= PEAK - 0.1:
                return found
            gain += off if abs(off) > TOLERANCE / 2 else 0.0
            ceiling -= max(0.0, found.peak - (PEAK - 0.15))
    raise RenderError(f"Expected {LOUDNESS} LUFS and a peak under {PEAK} dBTP. Received: {found} for {score.title!r}")
