"""A table of femr's for the tests, as spreadsheets, R, pandas and polars save it, and damaged at random."""

import codecs
import csv
import io
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from damage import damage, try_many
from femr.output.rows import COLUMNS, to_rows
from femr.output.table import TableWriter, read_rows
from femr.results import Analysis, EmotionScores, Face, FaceEmotion, Landmarks, Mood, Reading

SCORES = EmotionScores((0.05, 0.05, 0.05, 0.6, 0.1, 0.1, 0.05))
SPOT = Face((-0.04, 20.0, 110.26, 140.0), 0.98765, Landmarks(*[(1.0, 1.0)] * 5))
FACE = FaceEmotion(1, SPOT, Reading.of(SCORES), True, "dark")
TWO = (FACE, replace(FACE, number=2, unsure=False, unsure_reason=None))
ANALYSES = [
    Analysis(640, 480, TWO, Mood(None, ""), None, "m", file="a, b; é 日.jpg"),
    Analysis(640, 480, (), Mood(None, ""), None, "m", file="clip.mp4", time=1.25, frame=37),
    Analysis(640, 480, TWO, Mood(None, ""), None, "m", file="NA", time=1234.5, frame=1),
    Analysis.failed("x.jpg", "m", "Bad."),
]
ROWS = [row for analysis in ANALYSES for row in to_rows(analysis)]


def read_table(path):
    """All rows of a table."""
    return list(read_rows(path))


def text_of(
    delimiter=",", comma=False, yes="True", no="False", na="", index=None, end="\r\n", quoting=csv.QUOTE_MINIMAL
):
    """The table as another program writes it. index: the header of its numbers of rows, None without."""

    def cell(value):
        if isinstance(value, bool) or value is None:
            return na if value is None else yes if value else no
        return str(value).replace(".", ",") if comma and isinstance(value, float) else str(value)

    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow([*([] if index is None else [index]), *COLUMNS])
    for number, row in enumerate(ROWS, start=1):
        writer.writerow([*([] if index is None else [number]), *map(cell, row.values())])
    return text.getvalue()


def shortened(text):
    """As Excel writes some rows: without the empty cells at the end."""
    return "".join(line.rstrip(",\r") + "\r\n" for line in text.split("\n") if line)


PROGRAMS = {
    "Excel": text_of(yes="TRUE", no="FALSE").encode("utf-8-sig"),
    "Excel, German": text_of(";", comma=True, yes="WAHR", no="FALSCH").encode("utf-8-sig"),
    "Excel, French, of the West": text_of(";", comma=True, yes="VRAI", no="FAUX").replace("日", "j").encode("cp1252"),
    "Excel, with its own line": ("sep=;\r\n" + text_of(";", yes="TRUE", no="FALSE")).encode(),
    "Excel, Unicode text": text_of("\t", yes="TRUE", no="FALSE").encode("utf-16"),
    "UTF-16 without a mark": text_of("\t").encode("utf-16-le"),
    "UTF-16, big-endian": codecs.BOM_UTF16_BE + text_of(";").encode("utf-16-be"),
    "Excel, empty cells and rows at the end": shortened(text_of()).encode() + b",,,\r\n" * 3 + b"\r\n\r\n",
    "Excel, empty columns": text_of().replace("\r\n", ",,,\r\n").encode(),
    "Excel, old Mac": text_of(end="\r").encode(),
    "LibreOffice, German, with commas": text_of(comma=True, yes="WAHR", no="FALSCH", end="\n").encode(),
    "everything quoted": text_of(quoting=csv.QUOTE_ALL).encode(),
    "R, write.csv": text_of(yes="TRUE", no="FALSE", na="NA", index="", end="\n").encode(),
    "R, write.csv2": text_of(";", True, "TRUE", "FALSE", "NA", "", "\n").encode(),
    "R, write.table": text_of(yes="TRUE", no="FALSE", na="NA", index="", end="\n").encode()[1:],
    "R, write.table, with spaces": text_of(" ", False, "TRUE", "FALSE", "NA", "", "\n", csv.QUOTE_NONNUMERIC).encode()[
        3:
    ],
    "divided by bars, with names of rows": text_of("|", index="row.names").encode(),
    "a title above": ("Our party\r\n\r\n" + text_of()).encode(),
    "a title above, as LibreOffice saves it": ("Our; party, 2026" + ";" * 35 + "\r\n" + text_of(";")).encode(),
    "R, read again": text_of(yes="TRUE", no="FALSE", na="NA", index="X").encode(),
    "pandas": text_of(index="", end="\n").encode(),
    "pandas, read again": text_of(index="Unnamed: 0", na="nan", end="\n").encode(),
    "polars": text_of(yes="true", no="false", end="\n").encode(),
    "polars, with numbers": text_of(yes="true", no="false", na="null", index="index", end="\n").encode(),
    "ones": text_of(yes="1", no="0").encode(),
    "ones with a point": text_of(yes="1.0", no="0.0", na="NaN").encode(),
    "headers in capitals": text_of().replace(",".join(COLUMNS), ",".join(COLUMNS).upper()).encode(),
}

_PARTS = (
    *(b'"', b",", b";", b"\t", b"\n", b"\r", b"\0", b"[", b"{", b"}", b"null", b"NaN", b"1e999", b"-0", b"9" * 400),
    *(b"sep=;\n", b"True", b"NA", b"=1+1", b"\\ud800", b"\xe9", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"PAR1"),
)


def good_tables():
    """Ending and content of each."""
    with TemporaryDirectory() as name:
        written = []
        for ending in (".jsonl", ".parquet"):
            path = Path(name, f"t{ending}")
            with TableWriter(path) as table:
                for analysis in ANALYSES:
                    table.write(analysis)
            written.append((ending, path.read_bytes()))
    # as often as CSV, of which there are many kinds
    return [*((".csv", data) for data in PROGRAMS.values()), *written * (len(PROGRAMS) // 2)]


def _spoil(data, chance):
    """The table, in half of all cases with its first line left as it is."""
    head = data.find(b"\n") + 1 if chance.random() < 0.5 else 0
    return data[:head] + damage(data[head:], chance, _PARTS, (1, 4), (1, 1, 2))


def try_tables(count, seed):
    """How many damaged tables are read, and how many are refused in a sentence; see `damage.try_many`."""
    with TemporaryDirectory() as name:

        def read(ending, data):
            path = Path(name, f"t{ending}")
            path.write_bytes(data)
            read_table(path)

        return try_many(read, good_tables(), _spoil, count, seed)
