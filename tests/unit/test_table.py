import csv
import json
import resource
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest

from builders import ANALYSES, FRAME, ROOT, TWO
from femr.errors import DataError
from femr.output.rows import COLUMNS, to_csv, to_rows
from femr.output.table import FORMATS, TableWriter, done
from femr.results import Analysis
from tables import read_table


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    return tmp_path / f"table{request.param}"


def write(path, analyses, stop=None, **options):
    """Writes what is not in the table yet."""
    with TableWriter(path, **options) as table:
        for analysis in analyses:
            if analysis.file not in table.done:
                table.write(analysis)
        if stop:
            raise stop


def break_off(path, analyses, **options):
    with pytest.raises(KeyboardInterrupt):
        write(path, analyses, KeyboardInterrupt, **options)


def typed(analyses):
    """The rows, as they were before they went to disk."""
    return [row for analysis in analyses for row in to_rows(analysis)]


def test_a_table_without_rows(path):
    write(path, [])
    assert read_table(path) == []
    assert done(path) == frozenset()


def test_what_is_read_is_what_was_written_with_types(path):
    write(path, ANALYSES)
    rows = read_table(path)
    assert rows == typed(ANALYSES)
    assert [tuple(row) for row in rows] == [COLUMNS] * 5
    first, frame = rows[0], rows[2]
    kinds = {name: type(first[name]) for name in ("file", "face", "x1", "happy", "unsure", "unsure_reason")}
    assert kinds == {"file": str, "face": int, "x1": float, "happy": float, "unsure": bool, "unsure_reason": str}
    assert (type(frame["time"]), type(frame["frame"]), frame["face"], frame["unsure"]) == (float, int, None, None)
    assert list(path.parent.iterdir()) == [path]


def test_csv_is_the_same_as_the_downloaded_table(tmp_path):
    write(tmp_path / "t.csv", ANALYSES)
    assert (tmp_path / "t.csv").read_bytes().decode() == to_csv(ANALYSES)


def test_parquets_types_do_not_depend_on_what_is_in_it(tmp_path):
    write(tmp_path / "all.parquet", ANALYSES)
    write(tmp_path / "one.parquet", ANALYSES[3:])
    schema = pyarrow.parquet.read_schema(tmp_path / "all.parquet")
    assert schema == pyarrow.parquet.read_schema(tmp_path / "one.parquet")
    assert [str(schema.field(name).type) for name in ("file", "time", "frame", "unsure")] == [
        "string",
        "double",
        "int64",
        "bool",
    ]


def test_a_table_can_be_read_while_it_is_written(path):
    with TableWriter(path) as table:
        table.write(ANALYSES[0])
        assert read_table(path) == typed(ANALYSES[:1])
        table.write(ANALYSES[1])
        assert read_table(path) == typed(ANALYSES[:2])


def test_after_an_interruption_the_last_file_is_done_again_and_the_table_is_as_if_nothing_was(path, tmp_path):
    break_off(path, ANALYSES[:2])
    assert read_table(path) == typed(ANALYSES[:2])
    assert done(path) == {ANALYSES[0].file}
    with TableWriter(path, resume=True) as table:
        assert table.done == {ANALYSES[0].file}
        for analysis in ANALYSES[1:]:
            table.write(analysis)
    assert done(path) == {analysis.file for analysis in ANALYSES if analysis.error is None}
    write(whole := tmp_path / f"whole{path.suffix}", ANALYSES)
    assert path.read_bytes() == whole.read_bytes()


def test_an_interruption_may_come_again_and_again(path):
    break_off(path, ANALYSES[:1])
    break_off(path, ANALYSES[:2], resume=True)
    break_off(path, [], resume=True)
    write(path, ANALYSES, resume=True)
    assert read_table(path) == typed(ANALYSES)


def test_a_finished_table_is_gone_on_with(path):
    write(path, ANALYSES[:1])
    write(path, ANALYSES, resume=True)
    assert read_table(path) == typed(ANALYSES)
    write(path, ANALYSES, resume=True)
    assert read_table(path) == typed(ANALYSES)


def test_what_failed_is_done_again_and_its_rows_replaced(path):
    """A film, too, of which some could be read."""
    cut = [FRAME, Analysis.failed("clip.mp4", "m", "It is cut short.")]
    write(path, [Analysis.failed("x.jpg", "m", "Bad."), *cut, ANALYSES[0]])
    assert done(path) == {ANALYSES[0].file}
    write(path, [replace(TWO, file="x.jpg"), FRAME, ANALYSES[0]], resume=True)
    assert read_table(path) == typed([ANALYSES[0], replace(TWO, file="x.jpg"), FRAME])
    assert done(path) == {ANALYSES[0].file, "x.jpg", "clip.mp4"}


def test_who_may_read_a_table_stays_as_it_was(path, tmp_path):
    write(path, ANALYSES)
    (tmp_path / "new").touch()
    assert path.stat().st_mode == (tmp_path / "new").stat().st_mode
    path.chmod(0o600)
    write(path, ANALYSES, resume=True)
    assert stat.filemode(path.stat().st_mode) == "-rw-------"


def test_to_go_on_with_nothing_is_to_begin(path):
    write(path, ANALYSES, resume=True)
    assert read_table(path) == typed(ANALYSES)


def test_without_resume_a_table_is_written_anew(path):
    break_off(path, ANALYSES)
    write(path, ANALYSES[:1])
    assert read_table(path) == typed(ANALYSES[:1])


def test_another_model_does_not_go_on_with_a_table(path):
    write(path, ANALYSES)
    with pytest.raises(DataError, match="was made with m"):
        write(path, [Analysis.failed("y.jpg", "other", "Bad.")], resume=True)
    assert read_table(path) == typed(ANALYSES[:3])


KILLED = """
import os, signal, sys
from contextlib import ExitStack
sys.path.insert(0, "tests")
from builders import ANALYSES
from femr.output.table import TableWriter
with ExitStack() as stack:
    for table in [stack.enter_context(TableWriter(path)) for path in sys.argv[1:]]:
        for analysis in ANALYSES[:3]:
            table.write(analysis)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder with a table of each format as a process leaves it that is killed."""
    folder = tmp_path_factory.mktemp("killed")
    paths = [folder / f"table{ending}" for ending in FORMATS]
    process = subprocess.run([sys.executable, "-c", KILLED, *paths], cwd=ROOT, check=False)
    assert process.returncode == -signal.SIGKILL
    return folder


def test_a_killed_process_leaves_what_it_wrote(killed, path):
    path = killed / path.name
    rows = path if path.exists() else path.with_name(f"{path.name}.unfinished")
    with rows.open("ab") as file:  # as if it died in the middle of a row
        file.write(b"x.jpg,,,1,\xc3" if path.suffix == ".csv" else b'{"file": "\xc3')
    assert read_table(path) == typed(ANALYSES[:3])
    write(path, ANALYSES[1:], resume=True)
    assert read_table(path) == typed(ANALYSES)


def test_a_full_disk_is_said_and_what_was_before_is_kept(path):
    many = [replace(TWO, file=f"{number}.jpg") for number in range(100)]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(DataError, match=rf"^{path.name} cannot be written: .*kept") as caught:
            write(path, many)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(str(caught.value).splitlines()) == 1
    rows = read_table(path)
    assert 2 <= len(rows) < 100
    assert rows == typed(many[: len(rows) // 2])
    write(path, many, resume=True)
    assert read_table(path) == typed(many)


@pytest.mark.parametrize("name", ["t.CSV", "t.JsonL", "t.PARQUET"])
def test_an_ending_in_capitals_is_the_same_format(tmp_path, name):
    path = tmp_path / name
    write(path, ANALYSES[:1])
    write(path, ANALYSES, resume=True)
    assert read_table(path) == typed(ANALYSES)


@pytest.mark.parametrize("name", ["t.parquet", "t.JSONL"])
def test_a_csv_that_nobody_would_read_again_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=rf"^Expected a table that ends in \.csv\. Received: {name}$"):
        write(tmp_path / name, ANALYSES, form=".csv")
    write(tmp_path / "t", ANALYSES, form=".csv")
    assert [each.name for each in tmp_path.iterdir()] == ["t"]


@pytest.mark.parametrize("name", ["", "folder", "folder.csv", "folder/.."])
def test_a_folder_is_no_table(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("folder.csv").mkdir()
    with pytest.raises(DataError, match=r"^Expected the name of a table\. Received the folder "):
        write(name, ANALYSES, form=".csv")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "folder.csv"]


def test_no_room_at_all_is_said(tmp_path):
    (tmp_path / "t.csv").symlink_to("/dev/full")
    with pytest.raises(DataError, match="No space left"), TableWriter(tmp_path / "t.csv"):
        pass


OLDER = tuple(name for name in COLUMNS if not name.startswith(("vote_share_", "label_")))
"""The columns before there were two answers."""


def write_older(path, analyses):
    """A whole table as femr wrote it before there were two answers."""
    write(path, analyses)
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.parquet.read_table(path).select(list(OLDER)), path)
    elif path.suffix == ".jsonl":
        rows = [{name: row[name] for name in OLDER} for row in typed(analyses)]
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, OLDER, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)


def test_an_older_table_can_be_read_and_gone_on_with(path):
    write_older(path, ANALYSES[:1])
    newer = dict.fromkeys(name for name in COLUMNS if name not in OLDER)
    older = [row | newer for row in typed(ANALYSES[:1])]
    assert read_table(path) == older
    assert [tuple(row) for row in read_table(path)] == [COLUMNS] * 2
    write(path, ANALYSES, resume=True)
    assert read_table(path) == older + typed(ANALYSES[1:])


def columns(remove=None, add=None):
    names = [name for name in COLUMNS if name != remove] + ([add] if add else [])
    return (",".join(names) + "\n" + "," * (len(names) - 1) + "\n").encode()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", "lacks the columns file, time"),
        ("t.csv", columns(remove="face"), "lacks the columns face"),
        ("t.csv", columns(add="mood"), "another version of femr: mood"),
        ("t.csv", columns() + b"a,b\n", "row 3 has 2 values"),
        ("t.csv", columns().replace(b"\n,", b"\na.jpg,soon"), "'soon' as time"),
        ("t.csv", b"\xff\xfe\x00", "cannot be read as a table"),
        ("t.jsonl", b'{"file": 1}\n', "lacks the columns"),
        ("t.jsonl", b"[1]\n", "row 1 is not an object"),
        ("t.jsonl", b"{\n", "cannot be read as a table"),
        ("t.jsonl", json.dumps(to_rows(FRAME)[0] | {"frame": 1.5}).encode(), "1.5 as frame"),
        ("t.jsonl", json.dumps(to_rows(FRAME)[0] | {"file": [1]}).encode(), r"\[1\] as file"),
        ("t.parquet", b"PAR1 no more", "cannot be read as a table"),
        ("t.xlsx", b"", "ends in .csv, .jsonl, .parquet"),
    ],
)
def test_a_damaged_or_foreign_table_is_said_in_a_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_table(tmp_path / name)
    assert len(str(caught.value).splitlines()) == 1
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(("column", "words"), [("mood", "unknown columns"), ("face", "row 1 has 'x' as time")])
def test_a_foreign_parquet_table_is_said_in_a_sentence(tmp_path, column, words):
    table = pyarrow.table({name: ["x"] for name in dict.fromkeys([*COLUMNS, column])})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match=words):
        read_table(tmp_path / "t.parquet")


def test_a_missing_table_is_said(tmp_path):
    with pytest.raises(DataError, match=r"There is no table named gone.csv"):
        read_table(tmp_path / "gone.csv")


def test_a_table_that_a_spreadsheet_saved_can_be_read(tmp_path):
    write(tmp_path / "t.csv", ANALYSES)
    text = (tmp_path / "t.csv").read_bytes().removesuffix(b"\r\n")
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + text)
    assert read_table(tmp_path / "t.csv") == typed(ANALYSES)
