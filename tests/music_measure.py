"""Independent measures of a recording, with numpy and scipy alone: loudness, peaks, silence, traits of mood."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.fft import dct
from scipy.signal import find_peaks, resample_poly, sosfilt, stft

RATE = 44100
SIZE, STEP = 4096, 1024  # samples of a frame at half the rate, and from one frame to the next
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)  # Krumhansl & Kessler 1982
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
PARTIALS = 14
BANDS = 128  # of the mel scale, from 0 Hz to a quarter of RATE
# ITU-R BS.1770: a shelf for the head, a high-pass; as (kind, Hz, quality, dB)
K_WEIGHTING = (("shelf", 1681.974, 0.7072, 3.99984), ("pass", 38.1355, 0.5003, 0.0))


def decoded(path: Path) -> np.ndarray:
    """Samples of a file, float64, shape (n, 2)."""
    samples, rate = soundfile.read(path, always_2d=True)
    if rate != RATE or samples.shape[1] != 2:
        raise ValueError(f"Expected stereo at {RATE} Hz. Received: {samples.shape} at {rate} Hz in {path.name}")
    return samples


def _biquad(kind: str, frequency: float, quality: float, gain: float) -> list[float]:
    """Second-order section of one stage of the K weighting at RATE."""
    k, power = np.tan(np.pi * frequency / RATE), 10 ** (gain / 20)
    a0 = 1 + k / quality + k * k
    tail = [1.0, 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0]
    if kind == "pass":
        return [1.0, -2.0, 1.0, *tail]
    half = power**0.4996667741545416
    high, low = power + half * k / quality + k * k, power - half * k / quality + k * k
    return [high / a0, 2 * (k * k - power) / a0, low / a0, *tail]


def loudness(samples: np.ndarray) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4: 400 ms blocks, gates at -70 LUFS and 10 LU under the mean)."""
    weighted = sosfilt(np.array([_biquad(*stage) for stage in K_WEIGHTING]), samples, axis=0)
    hop = RATE // 10
    energies = (weighted[: len(weighted) // hop * hop] ** 2).reshape(-1, 2 * hop).sum(axis=1)
    power = np.convolve(energies, np.ones(4), "valid") / (4 * hop)
    power = power[power > 10 ** ((-70 + 0.691) / 10)]
    power = power[power > 0.1 * power.mean()]
    return float(-0.691 + 10 * np.log10(power.mean()))


def true_peak(samples: np.ndarray, count: int = 150) -> float:
    """True peak in dBTP: the highest sample peaks, interpolated eight times between samples with a windowed sinc."""
    taps = np.arange(-24, 25)
    offsets = np.arange(-8, 9) / 8
    kernel = np.sinc(offsets[:, None] - taps) * np.hanning(taps.size + 2)[1:-1]
    highest = 0.0
    for channel in samples.T:
        padded = np.pad(channel, 24)
        peaks = np.argpartition(np.abs(channel), -count)[-count:]
        windows = padded[peaks[:, None] + taps + 24]
        highest = max(highest, float(np.abs(windows @ kernel.T).max()))
    return 20 * np.log10(highest)


def silences(samples: np.ndarray, level: float = -55.0) -> list[tuple[float, float]]:
    """Start and length in seconds of every stretch whose peak stays under `level` dBFS; resolution 20 ms."""
    size = RATE // 50
    frames = np.abs(samples[: len(samples) // size * size]).reshape(-1, 2 * size).max(axis=1)
    quiet = np.concatenate([[0], (frames < 10 ** (level / 20)).astype(int), [0]])
    starts, ends = np.flatnonzero(np.diff(quiet) == 1), np.flatnonzero(np.diff(quiet) == -1)
    return [(float(start) / 50, float(end - start) / 50) for start, end in zip(starts, ends, strict=True)]


@dataclass(frozen=True)
class Traits:
    """One recording: onsets 1/s, centroid Hz, level and jumps dB; the rest without a unit."""

    onsets: float
    irregularity: float
    centroid: float
    lows: float
    level: float
    jumps: float
    major: float
    clarity: float
    roughness: float


@dataclass(frozen=True)
class Measured:
    """Loudness in LUFS, true peak in dBTP, silences in seconds, the traits, and the means likeness is judged by."""

    loudness: float
    peak: float
    silences: list[tuple[float, float]]
    traits: Traits
    prints: dict[str, np.ndarray]


def measured(path: Path) -> Measured:
    """All measures of a file."""
    samples = decoded(path)
    mono = (samples[:, 0] + samples[:, 1]) / 2
    return Measured(loudness(samples), true_peak(samples), silences(samples), traits(mono), fingerprint(mono))


def traits(mono: np.ndarray) -> Traits:
    """What a listener would name: how busy, bright, low, full, sudden, major, tonal and rough a recording is."""
    mono = mono[: len(mono) // 2 * 2].reshape(-1, 2).mean(axis=1)
    frequencies, times, spectrum = stft(mono, RATE / 2, nperseg=SIZE, noverlap=SIZE - STEP, boundary=None)
    magnitude = np.abs(spectrum)
    energy = magnitude**2
    flux = np.maximum(np.diff(np.log1p(200 * magnitude), axis=1), 0).sum(axis=0)
    onsets = times[find_peaks(flux, prominence=flux.std() * 0.7)[0]]
    gaps = np.diff(onsets)
    major, clarity = tonality(chroma(frequencies, magnitude))
    seconds = levels(mono)
    return Traits(
        onsets=float(len(onsets) / times[-1]),
        irregularity=float(gaps.std() / gaps.mean()),
        centroid=float((frequencies[:, None] * magnitude).sum() / magnitude.sum()),
        lows=float(energy[frequencies < 250].sum() / energy.sum()),
        level=float(seconds[:-3].mean()),
        jumps=float(np.sort(np.abs(np.diff(seconds[:-3])))[-5:].mean()),
        major=major,
        clarity=clarity,
        roughness=roughness(frequencies, magnitude),
    )


def levels(mono: np.ndarray) -> np.ndarray:
    """RMS level of each second in dBFS, not under -70."""
    size = RATE // 2
    frames = mono[: len(mono) // size * size].reshape(-1, size)
    return np.maximum(10 * np.log10((frames**2).mean(axis=1) + 1e-12), -70)


def chroma(frequencies: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Mean strength of the twelve pitch classes, from spectral peaks of 80 to 2000 Hz, every frame alike."""
    inside = np.flatnonzero((frequencies > 80) & (frequencies < 2000))
    classes = np.round(12 * np.log2(frequencies[inside] / 440) + 9).astype(int) % 12
    peaks = (magnitude[inside] > magnitude[inside - 1]) & (magnitude[inside] > magnitude[inside + 1])
    found = np.stack([(magnitude[inside] * peaks)[classes == name].sum(axis=0) for name in range(12)])
    loudest = found.max(axis=0)
    return (found / np.maximum(loudest, 1e-9)).mean(axis=1)


def tonality(strengths: np.ndarray) -> tuple[float, float]:
    """Best fit of a major key less best fit of a minor key, and the better of both (correlations)."""
    fits = [[np.corrcoef(strengths, np.roll(profile, turn))[0, 1] for turn in range(12)] for profile in (MAJOR, MINOR)]
    major, minor = (float(max(row)) for row in fits)
    return major - minor, max(major, minor)


def roughness(frequencies: np.ndarray, magnitude: np.ndarray) -> float:
    """Mean beating of the strongest partials of a frame by Sethares' curve, relative to their energy."""
    first, second = np.triu_indices(PARTIALS, 1)
    totals = []
    for column in magnitude.T[::16]:
        peaks = find_peaks(column)[0]
        chosen = peaks[np.argsort(column[peaks])[-PARTIALS:]]
        if len(chosen) < PARTIALS or not column[chosen].any():
            continue
        low = np.minimum(frequencies[chosen][first], frequencies[chosen][second])
        apart = np.abs(frequencies[chosen][first] - frequencies[chosen][second]) * 0.24 / (0.021 * low + 19)
        beating = column[chosen][first] * column[chosen][second] * (np.exp(-3.5 * apart) - np.exp(-5.75 * apart))
        totals.append(beating.sum() / (column[chosen] ** 2).sum())
    return float(np.mean(totals))


def fingerprint(mono: np.ndarray) -> dict[str, np.ndarray]:
    """Mean chroma (12) and mean MFCCs with and without the first, by librosa's definitions and default settings."""
    mono = resample_poly(mono, 1, 2)
    frequencies, _, spectrum = stft(np.pad(mono, 1024), RATE / 2, nperseg=2048, noverlap=1536, boundary=None)
    power = np.abs(spectrum * 1024) ** 2
    strengths = pitch_class_filters(frequencies) @ power
    decibels = 10 * np.log10(np.maximum(mel_filters(frequencies) @ power, 1e-10))
    cepstrum = dct(np.maximum(decibels, decibels.max() - 80), axis=0, norm="ortho").mean(axis=1)
    return {
        "chroma": (strengths / np.maximum(strengths.max(axis=0), 1e-9)).mean(axis=1),
        "MFCC 0-19": cepstrum[:20],
        "MFCC 0-12": cepstrum[:13],
        "MFCC 1-19": cepstrum[1:20],
    }


def mel_filters(frequencies: np.ndarray) -> np.ndarray:
    """Triangles of equal area, BANDS rows: linear up to 1 kHz, logarithmic above (Slaney's mel scale)."""
    top = 15 + 27 * np.log(frequencies[-1] / 1000) / np.log(6.4)
    mels = np.linspace(0, top, BANDS + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
    low, centre, high = (edges[place : place + BANDS, None] for place in range(3))
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)


def pitch_class_filters(frequencies: np.ndarray) -> np.ndarray:
    """Bells round the twelve pitch classes (A = 440 Hz), weighted towards the octave of 440 Hz; silent at 0 Hz."""
    heights = 12 * np.log2(np.maximum(frequencies, 1) / 440) + 9
    widths = np.maximum(np.diff(heights, append=heights[-1]), 1)
    apart = (heights - np.arange(12)[:, None] + 6) % 12 - 6
    bells = np.exp(-0.5 * (2 * apart / widths) ** 2)
    bells /= np.sqrt((bells**2).sum(axis=0))
    return bells * np.exp(-0.5 * ((heights - 9) / 24) ** 2) * (frequencies > 0)
