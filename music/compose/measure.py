"""python -m music.compose.measure: what the finished recordings sound like, in figures, and how alike they are.

Every figure comes from the MP3 alone (librosa, 22.05 kHz, mono), none from the score, so the table shows whether a
mood was reached and not whether it was meant.
"""

import argparse
import itertools
import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from music.compose.library import MUSIC, read

RATE, HOP, FRAME = 22050, 512, 2048
FLOOR = 1e-6
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)  # Krumhansl & Kessler 1982
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
PARTIALS = 14  # strongest spectral peaks of a frame that roughness compares

Samples = NDArray[np.float32]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Features:
    """One recording: tempo in beats/min (estimated), onsets 1/s, centroid Hz, levels dB, the rest without a unit."""

    tempo: float  # by beat tracking; may be twice or half the written tempo
    onsets: float  # onsets a second
    irregularity: float  # coefficient of variation of the time between onsets
    key: str  # best fit of the key profiles
    major: float  # best major fit less best minor fit: above 0 major
    clarity: float  # correlation with the best key profile
    centroid: float  # spectral centroid: brightness
    lows: float  # share of the energy under 250 Hz
    level: float  # mean RMS level of the half-second frames, dBFS: the loudness is one, so dense pieces lie higher
    spread: float  # 95th less 10th percentile of the level: dynamics
    jumps: float  # mean of the five largest changes of level from one second to the next, dB: surprise
    roughness: float  # beating of partials (Sethares' curve), relative


def load(path: Path) -> Samples:
    """A recording as mono samples at RATE."""
    samples: Samples = librosa.load(path, sr=RATE, mono=True)[0].astype(np.float32)
    return samples


def key_of(chroma: Vector) -> tuple[str, float, float]:
    """Best key, major fit less minor fit, and the best fit, for a chroma vector of 12 (correlation, -1..1)."""
    fits = {
        (turn, mode): float(np.corrcoef(chroma, np.roll(profile, turn))[0, 1])
        for turn in range(12)
        for mode, profile in (("major", MAJOR), ("minor", MINOR))
    }
    best = max(fits, key=lambda name: fits[name])
    major = max(fit for (_, mode), fit in fits.items() if mode == "major")
    minor = max(fit for (_, mode), fit in fits.items() if mode == "minor")
    return f"{NAMES[best[0]]} {best[1]}", major - minor, fits[best]


def roughness(spectrum: NDArray[np.float32]) -> float:
    """Mean sensory dissonance of the frames of a magnitude spectrum (Sethares 1993), per unit of squared amplitude."""
    frequencies = librosa.fft_frequencies(sr=RATE, n_fft=2 * (spectrum.shape[0] - 1))
    totals = []
    for column in spectrum.T[::8]:
        peaks = np.flatnonzero((column[1:-1] > column[:-2]) & (column[1:-1] > column[2:])) + 1
        strongest = peaks[np.argsort(column[peaks])[-PARTIALS:]]
        power = float(np.sum(column[strongest] ** 2))
        if power > FLOOR:
            totals.append(_beating(frequencies[strongest], column[strongest]) / power)
    return float(np.mean(totals)) if totals else 0.0


def _beating(frequencies: Vector, amplitudes: Vector) -> float:
    """Sum of the dissonance of all pairs of partials."""
    first, second = np.triu_indices(len(frequencies), 1)
    low = np.minimum(frequencies[first], frequencies[second])
    apart = np.abs(frequencies[first] - frequencies[second]) * 0.24 / (0.021 * low + 19)
    return float(np.sum(amplitudes[first] * amplitudes[second] * (np.exp(-3.5 * apart) - np.exp(-5.75 * apart))))


def levels(samples: Samples, seconds: float) -> Vector:
    """RMS level in dBFS of consecutive stretches of `seconds`, silence at -70."""
    size = int(seconds * RATE)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    found: Vector = np.maximum(20 * np.log10(np.sqrt(np.mean(frames**2, axis=1)) + FLOOR), -70.0).astype(np.float64)
    return found


def features(samples: Samples) -> Features:
    """All figures of a recording."""
    spectrum = np.abs(librosa.stft(samples, n_fft=4096, hop_length=HOP))
    strength = librosa.onset.onset_strength(y=samples, sr=RATE, hop_length=HOP)
    onsets = librosa.onset.onset_detect(onset_envelope=strength, sr=RATE, hop_length=HOP, units="time")
    gaps = np.diff(onsets)
    tempo = librosa.feature.tempo(onset_envelope=strength, sr=RATE, hop_length=HOP)
    chroma = librosa.feature.chroma_cqt(y=samples, sr=RATE).mean(axis=1)
    key, major, clarity = key_of(chroma)
    power = (spectrum**2).sum(axis=1)
    half, whole = levels(samples, 0.5), levels(samples, 1.0)
    half, whole = half[:-4], whole[:-3]
    centroid = librosa.feature.spectral_centroid(S=spectrum, sr=RATE)[0]
    loud = spectrum.sum(axis=0)
    return Features(
        tempo=float(np.ravel(tempo)[0]),
        onsets=len(onsets) / (len(samples) / RATE),
        irregularity=float(np.std(gaps) / np.mean(gaps)),
        key=key,
        major=major,
        clarity=clarity,
        centroid=float(np.average(centroid, weights=loud)),
        lows=float(power[librosa.fft_frequencies(sr=RATE, n_fft=4096) < 250].sum() / power.sum()),
        level=float(half.mean()),
        spread=float(np.percentile(half, 95) - np.percentile(half, 10)),
        jumps=float(np.sort(np.abs(np.diff(whole)))[-5:].mean()),
        roughness=roughness(spectrum),
    )


def fingerprint(samples: Samples) -> dict[str, Vector]:
    """What likeness is judged by, each a mean over the recording: chroma in two definitions, MFCCs in three."""
    timbre = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=20).mean(axis=1)
    means = {
        "chroma_stft": librosa.feature.chroma_stft(y=samples, sr=RATE).mean(axis=1),
        "chroma_cqt": librosa.feature.chroma_cqt(y=samples, sr=RATE).mean(axis=1),
        "MFCC 0-19": timbre,
        "MFCC 0-12": timbre[:13],
        "MFCC 1-19": timbre[1:],
    }
    return {name: mean.astype(np.float64) for name, mean in means.items()}


def cosine(first: Vector, second: Vector) -> float:
    """Cosine of the angle between two vectors."""
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def row(song: dict[str, Any], found: Features) -> str:
    """One line of the table."""
    return (
        f"{song['expression']:9}{song['title'][:26]:27}{song['tempo']:>5.0f}{found.tempo:>6.0f}{found.onsets:>6.1f}"
        f"{found.irregularity:>6.2f}  {song['key'] + ' ' + song['mode']:17}{found.key:9}{found.major:>6.2f}"
        f"{found.clarity:>6.2f}{found.centroid:>6.0f}{found.lows:>6.2f}{found.level:>7.1f}{found.spread:>6.1f}{found.jumps:>6.1f}"
        f"{found.roughness:>7.3f}"
    )


HEADER = (
    f"{'mood':9}{'title':27}{'bpm':>5}{'est.':>6}{'ons/s':>6}{'irreg':>6}  {'written':17}{'heard':9}{'major':>6}"
    f"{'clear':>6}{'centr':>6}{'lows':>6}{'level':>7}{'sprd':>6}{'jumps':>6}{'rough':>7}"
)


def main(arguments: list[str] | None = None) -> int:
    """Print the table, the means of the moods, and the similarities within them."""
    parser = argparse.ArgumentParser(
        prog="python -m music.compose.measure", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--json", type=Path, help="also write the features into this file")
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore", category=FutureWarning)
    measured: dict[str, Features] = {}
    prints: dict[str, list[tuple[str, dict[str, Vector]]]] = {}
    print(HEADER)
    for song in read():
        samples = load(MUSIC / song["file"])
        measured[song["file"]] = features(samples)
        prints.setdefault(song["expression"], []).append((song["title"], fingerprint(samples)))
        print(row(song, measured[song["file"]]), flush=True)
    print_means(measured)
    print_similarities(prints)
    if options.json:
        options.json.write_text(
            json.dumps({name: asdict(found) for name, found in measured.items()}, indent=2) + "\n", "utf-8"
        )
    return 0


def print_means(measured: dict[str, Features]) -> None:
    """The mean of every figure over the pieces of each mood."""
    names = [name for name, value in asdict(next(iter(measured.values()))).items() if isinstance(value, float)]
    print("\n" + f"{'means':10}" + "".join(f"{name:>14}" for name in names))
    for mood in sorted({file.split("/")[0] for file in measured}):
        group = [asdict(found) for file, found in measured.items() if file.startswith(mood + "/")]
        print(f"{mood:10}" + "".join(f"{np.mean([found[name] for found in group]):>14.3f}" for name in names))


def print_similarities(prints: dict[str, list[tuple[str, dict[str, Vector]]]]) -> None:
    """Cosine similarity of every two pieces of a mood by each definition, and the highest of all."""
    pairs = [
        (mood, title, other, {name: cosine(one[name], two[name]) for name in one})
        for mood, entries in prints.items()
        for (title, one), (other, two) in itertools.combinations(entries, 2)
    ]
    highest = {name: max(alike[name] for *_, alike in pairs) for name in pairs[0][3]}
    print(f"\n{'mood':9}{'first':27}{'second':27}" + "".join(f"{name:>13}" for name in highest))
    for mood, title, other, alike in [*pairs, ("highest", "", "", highest)]:
        print(f"{mood:9}{title[:26]:27}{other[:26]:27}" + "".join(f"{value:>13.3f}" for value in alike.values()))


if __name__ == "__main__":
    raise SystemExit(main())
