"""Good tables of every form, and what becomes of them when they are damaged at random."""

from pathlib import Path
from tempfile import TemporaryDirectory

import damage
from femr.output.table import TableWriter, read_table
from tables import ANALYSES, PROGRAMS

PARTS = (
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


def spoil(data, chance):
    """The table, in half of all cases with its first line left as it is."""
    head = data.find(b"\n") + 1 if chance.random() < 0.5 else 0
    return data[:head] + damage.damage(data[head:], chance, PARTS, (1, 4), (1, 1, 2))


def try_tables(count, seed):
    """How many damaged tables are read, and how many are refused in a sentence; see `damage.try_many`."""
    with TemporaryDirectory() as name:

        def read(ending, data):
            path = Path(name, f"t{ending}")
            path.write_bytes(data)
            assert read_table(path)

        return damage.try_many(read, good_tables(), spoil, count, seed)
