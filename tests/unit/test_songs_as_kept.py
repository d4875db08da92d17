"""Music folders and lists as people keep them."""

import json
import os
import subprocess
import sys

import pytest

from builders import cannot_be_tried, write_list, write_wav
from femr.__main__ import main
from femr.errors import LibraryError, printable
from femr.results import EMOTIONS, Emotion, emotion_of
from femr.songs import BESIDE, load_library, read_folder
from femr.training.data import label_of

NAMES = {"anger": "angry", "Happiness": "happy", "surprised": "surprise", "fearful": "fear", "Happy ": "happy"}


def titles(library):
    return sorted((song.title, song.emotion.value) for song in library.songs)


@pytest.mark.parametrize("name", [*NAMES, *EMOTIONS, "SADNESS", "disgusted", "afraid"])
def test_folders_mean_what_the_training_reader_takes_them_for(tmp_path, name):
    write_wav(tmp_path / name / "song.wav")
    library = read_folder(tmp_path)
    (song,) = library.songs
    assert song.emotion is EMOTIONS[label_of(name)]
    assert song.emotion == NAMES.get(name, song.emotion)
    assert library.problems == ()
    assert library.complete


@pytest.mark.parametrize("word", ["", "joy", "3", "happy sad"])
def test_other_words_mean_no_expression(word):
    assert emotion_of(word) is None


def test_two_names_of_one_expression_are_one(tmp_path):
    write_wav(tmp_path / "happy" / "a.wav")
    write_wav(tmp_path / "Happiness" / "b.wav")
    assert titles(read_folder(tmp_path)) == [("a", "happy"), ("b", "happy")]


def test_what_lies_where_nothing_tells_its_mood_is_named(tmp_path, capsys):
    for place in ("sad/rain.wav", "Joy/deep/kites.wav", "loose.wav", "too.wav", "@eaDir/thumb.wav", ".bin/old.wav"):
        write_wav(tmp_path / place)
    (tmp_path / "Scans").mkdir()
    (tmp_path / "Scans" / "cover.png").write_bytes(b"")
    loose, folder = read_folder(tmp_path).problems
    assert loose.startswith("loose.wav and 1 more is passed over: expected songs in sub-folders named angry, ")
    assert folder.startswith("The folder Joy is passed over: ")
    assert main(["music", "check", str(tmp_path)]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_what_lies_beside_songs_is_left_alone(tmp_path, capsys):
    write_wav(tmp_path / "sad" / "rain.wav")
    names = ["cover.jpg", "Folder.JPG", "Thumbs.db", "desktop.ini", ".DS_Store", "._rain.wav", "all.m3u", "all.m3u8"]
    for name in [*names, "rain.lrc", "rain.nfo", "notes.txt", "album.cue", *(f"a{ending}" for ending in BESIDE)]:
        (tmp_path / "sad" / name).write_bytes(b"")
        (tmp_path / name).write_bytes(b"")
    write_wav(tmp_path / "sad" / "@eaDir" / "rain.wav")
    (tmp_path / "library.csv").unlink(missing_ok=True)
    assert main(["music", "check", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.count("rain") == 2


@pytest.mark.parametrize("name", ["score.mid", "film.mp4", "song.wma", "setup.exe"])
def test_but_what_cannot_be_played_is_named(tmp_path, capsys, name):
    write_wav(tmp_path / "sad" / "rain.wav")
    (tmp_path / "sad" / name).write_bytes(b"x")
    assert main(["music", "check", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"femr: {name} is left out: browsers do not play this kind of file.\n"


def test_a_song_linked_into_two_moods_plays_in_both(tmp_path):
    write_wav(tmp_path / "happy" / "a.wav")
    (tmp_path / "sad" / "deep").mkdir(parents=True)
    (tmp_path / "sad" / "deep" / "b.wav").symlink_to(tmp_path / "happy" / "a.wav")
    (tmp_path / "happy" / "again.wav").symlink_to("a.wav")
    library = read_folder(tmp_path)
    assert titles(library) == [("a", "happy"), ("a", "sad")]
    assert library.problems == ()
    sad = library.pick(Emotion.SAD)
    assert library.pick(Emotion.HAPPY, played=[sad]).path == sad.path


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_song_listed_twice_plays_in_both_moods(tmp_path, kind):
    write_wav(tmp_path / "happy" / "a.wav")
    rows = [("happy/a.wav", "sad"), ("happy/a.wav", "fear"), ("happy/a.wav", "sad")]
    write_list(tmp_path, rows, kind)
    library = read_folder(tmp_path)
    assert titles(library) == [("a", "fear"), ("a", "sad")]  # the list goes before the folder
    assert library.problems == ()


def test_linked_folders_are_entered_once(tmp_path):
    write_wav(tmp_path / "elsewhere" / "a.wav")
    (tmp_path / "music" / "sad").mkdir(parents=True)
    (tmp_path / "music" / "happy").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "sad" / "evening").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "music")
    write_wav(tmp_path / "music" / "angry" / "b.wav")
    (tmp_path / "music" / "angry" / "up").symlink_to("..")
    (tmp_path / "music" / "sad" / "loop").symlink_to("loop")
    (tmp_path / "music" / "loop").symlink_to("loop")
    (tmp_path / "music" / "sad" / "gone.wav").symlink_to("nowhere.wav")
    library = read_folder(tmp_path / "music")
    assert titles(library) == [("a", "happy"), ("a", "sad"), ("b", "angry")]
    assert "gone.wav is left out: it is no file, or a link to one that is gone." in library.problems
    assert all("gone.wav" in problem or "loop" in problem for problem in library.problems)


def test_folders_and_files_that_may_not_be_read_are_named(tmp_path, monkeypatch):
    write_wav(tmp_path / "sad" / "rain.wav")
    write_wav(tmp_path / "sad" / "mine" / "a.wav")
    write_wav(tmp_path / "sad" / "secret.wav")
    scan, opened = os.scandir, type(tmp_path).open

    def scandir(path):
        return refuse(path) if str(path).endswith("mine") else scan(path)

    def open_file(path, *options):
        return refuse(path) if path.stem == "secret" else opened(path, *options)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(type(tmp_path), "open", open_file)
    library = read_folder(tmp_path)
    assert titles(library) == [("rain", "sad")]
    assert sorted(library.problems) == [
        "The folder mine is left out: it cannot be opened: Permission denied.",
        "secret.wav is left out: it cannot be opened: Permission denied.",
    ]
    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(LibraryError, match="cannot be opened: Permission denied"):
        read_folder(tmp_path)


def refuse(path):
    raise PermissionError(13, "Permission denied", str(path))


ROWS = [["File", "EXPRESSION", " Title ", "tempo"], ["é/a.wav", "Happy ", "Fête", "92"], ["b.wav", "sadness", "B", ""]]


def table(delimiter=",", end="\r\n", rows=ROWS):
    return end.join([delimiter.join(row) for row in rows]) + end


TABLES = {
    "commas": table().encode(),
    "semicolons": table(";").replace("92", "92,0").encode(),
    "tabs": table("\t").encode(),
    "bars": table("|").encode(),
    "quoted": "\r\n".join(";".join(f'"{cell}"' for cell in row) for row in ROWS).encode(),
    "BOM": table().encode("utf-8-sig"),
    "UTF-16 of a spreadsheet": table("\t").encode("utf-16"),
    "UTF-16, big-endian": b"\xfe\xff" + table(";").encode("utf-16-be"),
    "UTF-16 without a mark": table(";").encode("utf-16-le"),
    "Windows-1252": table(";").encode("cp1252"),
    "one row in Windows-1252": table().encode() + "naïve.wav,sad\r\n".encode("cp1252"),
    "line ends of an old Mac": table(end="\r").encode(),
    "a delimiter told": ("sep=;\r\n" + table(";")).encode(),
    "a title above": ("My songs,,,\r\n\r\n" + table()).encode(),
    "more columns": table(",").replace("\r\n", ",,,\r\n").encode(),
    "a cell of two lines": table().replace(",B,", ',"B\r\n",').encode(),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_as_spreadsheets_save_them(tmp_path, name):
    write_wav(tmp_path / "é" / "a.wav")
    write_wav(tmp_path / "b.wav")
    (tmp_path / "library.csv").write_bytes(TABLES[name])
    library = read_folder(tmp_path)
    assert titles(library) == [("B", "sad"), ("Fête", "happy")]
    assert library.of(Emotion.HAPPY)[0].tempo == 92
    assert len(library.problems) == (name == "one row in Windows-1252")


@pytest.mark.parametrize("text", ["file,expression,title\r\na.wav,happy,A\r\nb.wav,sad,B\r\n,,\r\n", None])
def test_empty_rows_cost_one_line(tmp_path, capsys, text):
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / name)
    rows = ["file,expression", *[","] * 40, "a.wav,happy", "", " , ", "b.wav,sad", *[",,,"] * 100]
    (tmp_path / "library.csv").write_text(text or "\n".join(rows))
    library = read_folder(tmp_path)
    assert [song.path.name for song in library.songs] == ["a.wav", "b.wav"]
    (problem,) = library.problems
    told = "row 4 of library.csv is" if text else "row 2 of library.csv and 140 more is"
    assert problem == f"{told} left out: it is empty."
    assert main(["music", "check", str(tmp_path)]) == 0
    assert problem in capsys.readouterr().err


WRONG = {
    "a\0.wav,sad": "not in the folder",
    f"{'x' * 300}.wav,sad": "not in the folder",
    f"{'x' * 200_000}.wav,sad": "not in the folder",
    ",sad": "received none as its file",
    "a.wav": "received none",
    "a.wav,": "received none",
    "a.wav,joy": "received joy",
    "Hello, World.wav,sad": "not in the folder",
    "sub,sad": "not in the folder",
    "/etc/hostname,sad": "outside the music folder",
    "a.wav,sad,1e999": "a number as its tempo, received 1e999",
    "a.wav,sad,nan": "a number as its tempo, received nan",
    "a.wav,sad,fast\x1b[2J": r"received fast\x1b[2J",
    '"a.wav,sad': "not in the folder",
    "caf\udce9.wav,sad": "not in the folder",
}


@pytest.mark.parametrize("row", WRONG)
def test_what_is_wrong_in_a_row_costs_that_row(tmp_path, row):
    for name in ("a.wav", "b.wav", "c.wav", "sub/d.wav"):
        write_wav(tmp_path / name)
    text = "\n".join(["file,expression,tempo", "b.wav,happy,90", row, *["c.wav,fear"] * 12])
    (tmp_path / "library.csv").write_bytes(text.encode(errors="surrogateescape"))
    library = read_folder(tmp_path)
    assert [song.path.name for song in library.songs] == ["b.wav", "c.wav"]
    (problem,) = library.problems
    assert WRONG[row] in problem
    assert "row 3 of library.csv" in problem
    assert " is left out: " in problem
    assert problem.isprintable()
    assert len(problem) < 500
    assert not library.complete


GOOD = {"file": "a.wav", "expression": "sad"}
ENTRIES = [
    *(1, "a.wav", ["a.wav"], {"file": 5}, {"file": ["a.wav"], "expression": "sad"}, {"file": {}}, {"file": True}),
    *({**GOOD, "expression": value} for value in (5, ["sad"], {}, None, True)),
    *({**GOOD, "title": value} for value in (["A"], {"a": 1}, True)),
    *({**GOOD, "tempo": value} for value in (True, [92], {}, "x", 10**400, float("nan"), float("-inf"))),
    *({**GOOD, "lifts_from": value} for value in (5, {"sad": 1}, [["sad"]], [None], True)),
    *({**GOOD, "file": value} for value in ("\0", "\ud800", "\udce9.wav", "x" * 300, "../" * 50, "a.wav/b", "~/a.wav")),
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: ascii(entry)[:60])
def test_what_is_wrong_in_an_entry_costs_that_entry(tmp_path, entry):
    for name in ("a.wav", "b.wav", "c.wav"):
        write_wav(tmp_path / name)
    entries = [{"file": "b.wav", "expression": "happy"}, entry, {"FILE": "c.wav", "Expression": "fear"}]
    (tmp_path / "library.json").write_text(json.dumps({"songs": entries}))
    library = read_folder(tmp_path)
    assert [song.path.name for song in library.songs] == ["b.wav", "c.wav"]
    (problem,) = library.problems
    assert "entry 2 of library.json" in problem
    assert problem.isprintable()
    assert len(problem) < 500


@pytest.mark.parametrize("empty", [{}, None, {"file": " ", "expression": None}])
def test_an_empty_entry_costs_nothing(tmp_path, empty):
    write_wav(tmp_path / "a.wav")
    (tmp_path / "library.json").write_text(json.dumps([GOOD, empty]), "utf-16")
    library = read_folder(tmp_path)
    assert len(library.songs) == 1
    assert library.problems == ("entry 2 of library.json is left out: it is empty.",)
    assert library.complete


def test_numbers_and_words_of_other_types_are_read(tmp_path):
    write_wav(tmp_path / "a.wav")
    entry = {**GOOD, "title": 1979, "composer": "", "artist": "Us", "tempo": "92,5", "lifts_from": ["anger", "x"]}
    (tmp_path / "library.json").write_text(json.dumps([entry]))
    (song,) = read_folder(tmp_path).songs
    assert (song.title, song.artist, song.tempo, song.lifts_from) == ("1979", "Us", 92.5, ("angry",))


@pytest.mark.parametrize(
    ("told", "link"),
    [
        ({"link": "https://us.example/rain?a=1"}, "https://us.example/rain?a=1"),
        ({"url": "HTTP://us.example"}, "HTTP://us.example"),
        ({"url": "https://one.example", "link": "https://two.example"}, "https://two.example"),
        ({"url": "https://one.example", "link": ""}, "https://one.example"),
        ({"url": "https://[::1]:80/x"}, "https://[::1]:80/x"),
    ],
    ids=str,
)
def test_a_list_may_give_a_page_about_a_song(tmp_path, told, link):
    write_wav(tmp_path / "a.wav")
    (tmp_path / "library.json").write_text(json.dumps([GOOD | told]))
    library = read_folder(tmp_path)
    assert [song.link for song in library.songs] == [link]
    assert library.problems == ()


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "x.example",
        7,
        [],
        "https://[artist].bandcamp.com/x",
        "https://x.example:99999/x",
        "https://x.example:eighty",
        "https://@/x",
        "https://:80",
        "https://x\u2100.example",
    ],
)
def test_what_is_no_page_is_left_out_with_a_line_and_the_song_plays(tmp_path, link):
    write_wav(tmp_path / "a.wav")
    (tmp_path / "library.json").write_text(json.dumps([GOOD | {"link": link}]))
    library = read_folder(tmp_path)
    assert [song.link for song in library.songs] == [None]
    (line,) = library.problems
    assert line.startswith("The link of a.wav is left out: expected the address of a web page, received ")
    assert library.complete


def test_a_cell_that_is_empty_states_nothing(tmp_path):
    write_wav(tmp_path / "a.wav")
    for cell in (" ", "\0\x1b", "\u2028"):
        text = f"file,expression,title,tempo,lifts_from\na.wav,happy,{cell},,\n"
        (tmp_path / "library.csv").write_text(text, "utf-8")
        (song,) = read_folder(tmp_path).songs
        assert (song.title, song.tempo, song.lifts_from) == ("a", None, None)


@pytest.mark.parametrize(
    ("kept", "listed"),
    [
        ("sub/a.wav", "sub\\a.wav"),
        ("a.wav", " a.wav "),
        ("caf\xe9.wav", "cafe\u0301.wav"),
        ("e\u0301.wav", "\xe9.wav"),
        ("Sub/Caf\xe9.wav", "SUB\\cafe\u0301.WAV"),
        ("a.wav", "\u201ca.wav\u201d"),
        ("a.wav", "'\u200ba.wav\xa0'"),
        ("a #1.wav", "a%20%231.wav"),
    ],
)
def test_names_from_other_systems_are_found(tmp_path, kept, listed):
    write_wav(tmp_path / kept)
    write_list(tmp_path, [(listed, "sad")], "json")
    library = read_folder(tmp_path)
    assert [song.path for song in library.songs] == [(tmp_path / kept).resolve()]
    assert library.problems == ()


def test_an_address_of_a_file_is_found(tmp_path):
    write_wav(tmp_path / "sub" / "a é.wav")
    write_list(tmp_path, [((tmp_path / "sub" / "a é.wav").as_uri(), "sad")], "json")
    assert len(read_folder(tmp_path).songs) == 1
    write_wav(tmp_path.parent / "outside.wav")
    write_list(tmp_path, [("../OUTSIDE.wav", "sad"), ("SUB/../../outside.WAV", "sad")], "json")
    assert all("lies outside the music folder" in problem for problem in read_folder(tmp_path).problems)


@pytest.mark.parametrize("name", ["Library.csv", "LIBRARY.CSV", "library.Json", "library.tsv", "Library.TSV"])
def test_a_list_may_be_called_in_capitals(tmp_path, name):
    write_wav(tmp_path / "a.wav")
    rows = '[{"file": "a.wav", "expression": "sad"}]' if name.endswith("Json") else "file\texpression\na.wav\tsad\n"
    (tmp_path / name).write_text(rows)
    library = read_folder(tmp_path)
    assert (titles(library), library.problems) == ([("a", "sad")], ())


@pytest.mark.parametrize("name", ["library.xlsx", "Library.ods"])
def test_a_spreadsheet_is_told_to_be_saved_as_a_list(tmp_path, name):
    write_wav(tmp_path / "happy" / "a.wav")
    (tmp_path / name).write_bytes(b"PK\3\4")
    library = read_folder(tmp_path)
    assert library.problems == (f"{name} is left out: expected a list as text; save it as CSV, library.csv.",)
    assert not library.complete
    write_list(tmp_path, [("happy/a.wav", "sad")])  # as it has been saved
    assert (titles(read_folder(tmp_path)), read_folder(tmp_path).problems) == ([("a", "sad")], ())


def test_cells_in_quotes_behind_spaces(tmp_path):
    write_wav(tmp_path / "a.wav")
    (tmp_path / "library.csv").write_text('"file" ; "expression" ; "title"\n"a.wav" ; "Happy" ; "A; B"\n')
    assert titles(read_folder(tmp_path)) == [("A; B", "happy")]


@pytest.mark.parametrize(
    ("name", "artist", "title"),
    [
        ("01 - The Band - Rain", "The Band", "Rain"),
        ("02 The Band - Rain", "The Band", "Rain"),
        ("1-04 Rain", None, "Rain"),
        ("12. Rain", None, "Rain"),
        ("12 - Rain", None, "Rain"),
        ("The Band – Rain", "The Band", "Rain"),
        ("The_Band_—_Rain", "The Band", "Rain"),
        ("01", None, "01"),
        ("99 Luftballons", None, "99 Luftballons"),
        ("311 - Down", "311", "Down"),
        ("Jay-Z - 99 Problems", "Jay-Z", "99 Problems"),
    ],
)
def test_a_files_name_tells_artist_and_title_but_no_track(tmp_path, name, artist, title):
    write_wav(tmp_path / "sad" / f"{name}.wav")
    (song,) = read_folder(tmp_path).songs
    assert (song.artist, song.title) == (artist, title)


def test_a_title_that_is_blank_is_the_files_name(tmp_path):
    for name in ("_.wav", " - .wav", "a - .wav", " - b.wav"):
        write_wav(tmp_path / "sad" / name)
    assert {song.path.name: (song.title, song.artist) for song in read_folder(tmp_path).songs} == {
        "_.wav": ("_.wav", None),
        " - .wav": ("- .wav", None),
        "a - .wav": ("a", None),
        " - b.wav": ("b", None),
    }


def test_a_folder_whose_name_cannot_be_is_one_sentence(tmp_path):
    for name in ("x" * 300, "nul\0", "caf\udce9"):
        with pytest.raises(LibraryError, match="There is no music folder named") as caught:
            load_library(tmp_path / name)
        assert str(caught.value).isprintable()


def test_names_are_shown_as_one_line():
    assert printable("caf\udce9 \n\x1b\u2028\ud800.mp3") == r"caf\xe9 \n\x1b\u2028\ud800.mp3"
    assert printable("写真 é 👨‍👩‍👧.mp3") == "写真 é 👨‍👩‍👧.mp3"
    assert printable("x" * 300) == "x" * 254 + "…"
    assert printable("") == ""


def test_a_name_that_is_not_utf8_is_left_out(latin, capfd):
    library = load_library(latin)
    assert titles(library) == [("good", "sad")]
    reason = "is left out: its name, or that of a folder above it, is not UTF-8; rename it."
    named = (r"\xfc.wav (entry 1 of library.json)", r"titled.wav", r"caf\xe9.wav")
    assert set(library.problems) == {f"{name} {reason}" for name in named}
    assert main(["music", "check", str(latin)]) == 2
    shown = capfd.readouterr()
    assert "good (good.wav)" in shown.out
    assert len(shown.err.splitlines()) == 3


def test_a_folder_that_is_not_utf8_is_refused_in_one_sentence(tmp_path):
    folder = tmp_path / "caf\udce9" / "songs"
    try:
        write_wav(folder / "sad" / "good.wav")
    except OSError:
        cannot_be_tried("this file system keeps names in UTF-8")
    with pytest.raises(LibraryError, match="path of the music folder songs is not UTF-8"):
        load_library(folder)


def test_titles_are_written_where_the_output_has_no_such_letters(tmp_path):
    write_wav(tmp_path / "sad" / "写真 é.wav")
    command = [sys.executable, "-m", "femr", "music", "check", str(tmp_path)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert r"  \u5199\u771f \xe9 (\u5199\u771f \xe9.wav)" in done.stdout
