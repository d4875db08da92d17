"""What femr raises on purpose, and how names, numbers and times stand in a sentence.

Each message is one sentence that a visitor may read: no server path, no trace.
"""

import unicodedata


class FemrError(Exception):
    """Base of all errors that femr raises on purpose."""


class ImageError(FemrError):
    """The picture cannot be read or is outside the limits."""


class ModelError(FemrError):
    """A model is unknown, missing, damaged or cannot be fetched."""


class LibraryError(FemrError):
    """The music library cannot be read, or holds nothing to play."""


class DataError(FemrError):
    """A data set or a table cannot be read or does not hold what it should."""


def printable(name: str, most: int = 255) -> str:
    """A file's name, or what else came from outside, as one line for a sentence, of at most `most` characters.

    Bytes that are no UTF-8 and characters that would end the line or steer a terminal are written as escapes.
    """
    begun = name[: most + 1]
    shown = "".join(_escape(letter) if unicodedata.category(letter) in _UNPRINTABLE else letter for letter in begun)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # control characters, surrogates, line and paragraph separators


def _escape(letter: str) -> str:
    # Python keeps a name's byte 0xE9 that is no UTF-8 as U+DCE9
    undecoded = "\udc80" <= letter <= "\udcff"
    return f"\\x{ord(letter) - 0xDC00:02x}" if undecoded else letter.encode("unicode_escape").decode()


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
