"""What paths stand for: folders, lists, patterns and ZIP files as people keep them, pipes and addresses."""

import io
import os
import sys
import tempfile
import threading
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from femr.batch.inputs import Input, find, tell_passed
from femr.errors import DataError, ImageError
from femr.files import free_name, make_folder
from femr.images import load_image
from femr.training import data


def picture(seed=0, side=48):
    buffer = io.BytesIO()
    values = np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


_NOBODY = 65534
PICTURE = picture()
MACHINE = [
    "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg",
    "b/@eaDir/a.png",
    "#recycle/a.jpg",
    "~snapshot/hourly.0/a.jpg",
    "Network Trash Folder/a.jpg",
    "b/Temporary Items/a.jpg",
    "#snapshot/monday/a.jpg",
    "$RECYCLE.BIN/S-1-5-21/$R1.jpg",
    "RECYCLER/a.jpg",
    "@Recycle/a.jpg",
    "System Volume Information/a.jpg",
    "lost+found/a.jpg",
    "__MACOSX/._a.jpg",
    "__MACOSX/b/a.jpg",
    ".thumbs/a.jpg",
    "b/.thumbs/deeper/a.jpg",
    ".ipynb_checkpoints/a-checkpoint.png",
    ".Trash-1000/files/a.jpg",
    "._a.jpg",
    "b/._a.png",
    ".hidden.jpg",
]
OWN = ["a.jpg", "b/a.png", "b/c d/e.WEBP", "eaDir/a.jpg", "recycle/#1.jpg", "thumbs/@home.jpg"]
OTHERS = {
    **{f"raw{number}.dng": ".dng" for number in range(3)},
    **{f"b/new{number}.JXL": ".jxl" for number in range(2)},
    "IMG_20190102_030405_a_long_name_that_an_export_cu.j": ".j",
    "b/photo.jpg(1)": ".jpg(1)",
    "no ending": "",
    "Berlin, 2. Mai 2019": "",
}


def fill(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PICTURE)
    return folder


def found(*paths, under=""):
    """The names found, without the folder's."""
    return [each.name.removeprefix(f"{under}/") for each in find(paths)]


@pytest.fixture
def home(tmp_path):
    return fill(tmp_path / "home", [*OWN, *MACHINE, *OTHERS])


def test_what_machines_leave_is_passed_over_and_what_is_no_picture_counted(home):
    passed = Counter()
    assert [Path(each.path).relative_to(home).as_posix() for each in find([home], passed)] == OWN
    assert passed == Counter(OTHERS.values())
    told = "Passed over as neither pictures nor videos by their endings: 3 .dng, "
    assert tell_passed(passed).startswith(told)
    for kind in ("2 .jxl", "2 without an ending", "1 .j", "1 .jpg(1)"):
        assert f" {kind}" in tell_passed(passed)
    assert tell_passed(Counter()) == ""
    assert tell_passed(Counter("abcdefgh")).endswith("1 e, 3 others.")


@pytest.mark.parametrize("top", ["", "party/", "./", "C:\\photos\\", "../"])
def test_in_zip_files_too(tmp_path, top):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in [*OWN, *MACHINE, *OTHERS]:
            archive.writestr(f"{top}{name.replace('/', chr(92)) if chr(92) in top else name}", PICTURE)
    passed = Counter()
    assert len(find([tmp_path / "a.zip"], passed)) == len(OWN)
    assert passed == Counter(OTHERS.values())


def test_a_pattern_passes_over_what_it_does_not_name(home, monkeypatch):
    monkeypatch.chdir(home)
    assert set(found("**/*.jpg")) == {name for name in OWN if name.endswith(".jpg")}
    assert found("@eaDir/*/*.jpg") == [MACHINE[0]]
    assert found(".thumbs/*.jpg") == [".thumbs/a.jpg"]
    assert found(".hid*.jpg") == [".hidden.jpg"]


def test_where_all_is_passed_over_it_is_told(tmp_path):
    fill(tmp_path, ["a.dng", "@eaDir/a.jpg"])
    with pytest.raises(DataError, match=r"no pictures or videos in .*\. Passed over as .*: 1 \.dng\.$"):
        find([tmp_path])


def test_a_folder_is_asked_for_by_its_name_whatever_that_is(home):
    assert found(home / "@eaDir", under=home / "@eaDir") == ["a.jpg/SYNOPHOTO_THUMB_XL.jpg"]
    assert found(home / ".thumbs", under=home / ".thumbs") == ["a.jpg"]


def test_linked_folders_are_entered_once_and_loops_end(tmp_path):
    fill(tmp_path, ["home/a.jpg", "home/z/b.jpg", "nas/c.jpg", "nas/deep/d.jpg", "beside.jpg"])
    links = {
        "home/album": "../nas",
        "home/album2": "../nas",
        "home/deep": "../nas/deep",
        "home/again": "z",
        "home/up": "..",
        "home/z/me": ".",
        "home/z/top": "..",
        "home/loop": "loop",
        "home/gone": "nowhere",
        "nas/back": "../home",
    }
    for link, target in links.items():
        (tmp_path / link).symlink_to(target)
    assert found(tmp_path / "home", under=tmp_path / "home") == ["a.jpg", "album/c.jpg", "album/deep/d.jpg", "z/b.jpg"]
    (tmp_path / "link").symlink_to("home")
    assert len(find([tmp_path / "link"])) == 4
    assert len(find([f"{tmp_path}/home/"])) == 4


def test_folders_that_cannot_be_opened_are_named(home, monkeypatch):
    scan = os.scandir

    def scandir(path):
        if str(path).endswith("c d"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    closed = find([home])[-1]
    assert closed.path == str(home / "b" / "c d")
    with pytest.raises(ImageError, match=r"c d( cannot be opened: |\.)"):
        closed.picture()
    for split in ("train", "test"):
        fill(home, [f"{split}/happy/c d/a.png"])
    with pytest.raises(DataError, match=r"^c d cannot be opened: Permission denied\.$"):
        data.load(home)


@pytest.fixture
def nobody():
    """A folder, and whoever runs the tests without the right to read all: root is nobody meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        root = os.geteuid() == 0
        if root:
            os.chown(folder, _NOBODY, _NOBODY)
            os.seteuid(_NOBODY)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)


def test_what_may_not_be_read_is_named(nobody):
    (nobody / "a.jpg").touch(mode=0)
    (nobody / "b").mkdir(mode=0)
    reasons = []
    for each in find([nobody]):
        with pytest.raises(ImageError) as told:
            each.picture()
        reasons.append(str(told.value))
    assert reasons == ["a.jpg cannot be opened: Permission denied.", "b cannot be opened: Permission denied."]


def test_data_sets_pass_over_the_same(tmp_path):
    faces = [("train", 0), ("test", 1)]
    fill(tmp_path, [f"train/happy/{name}" for name in MACHINE])
    for name in MACHINE:  # no pictures, as AppleDouble
        (tmp_path / "train" / "happy" / name).write_bytes(b"\0\5\x16\7")
    for split, seed in faces:
        (tmp_path / split / "sad").mkdir(parents=True, exist_ok=True)
        (tmp_path / split / "sad" / "1.png").write_bytes(picture(seed))
    (tmp_path / "elsewhere").mkdir()
    fill(tmp_path, ["elsewhere/2.png"])
    (tmp_path / "train" / "fear").symlink_to("../elsewhere")
    root = tmp_path / "data"
    root.mkdir()
    for split, _ in faces:
        (root / split).symlink_to(f"../{split}")
    splits = data.load(root)
    assert {name: faces.counts() for name, faces in splits.items()} == {
        "Training": (0, 0, 1, 0, 1, 0, 0),
        "PrivateTest": (0, 0, 0, 0, 1, 0, 0),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lists_from_anywhere(tmp_path, monkeypatch, encoding, newline):
    fill(tmp_path, ["é ü.jpg", "b/#1.jpg", "#2.jpg", "b/it's.jpg", "c/d.jpg", "c/e/f.jpg", "party #3.jpg", "x y.jpg"])
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("in.jpg", PICTURE)
    (tmp_path / "empty").mkdir()
    lines = [
        *("# my photos", "é ü.jpg", '"x y.jpg"', "'b/#1.jpg'", "#2.jpg", "", "   ", "b\\it's.jpg  # mum", "#"),
        *("c", '"z.zip"', "party #3.jpg", "gone.jpg", "list.txt", "empty", "https://example.org/a.jpg", "x" * 300),
    ]
    (tmp_path / "list.txt").write_bytes(newline.join(lines).encode(encoding))
    expected = [
        *("é ü.jpg", "x y.jpg", "b/#1.jpg", "#2.jpg", "b/it's.jpg", "c/d.jpg", "c/e/f.jpg", "z.zip/in.jpg"),
        *("party #3.jpg", "gone.jpg", "list.txt", "empty", "https://example.org/a.jpg", "x" * 300),
    ]
    assert found(tmp_path / "list.txt", under=tmp_path) == expected
    monkeypatch.chdir(tmp_path)
    assert found("list.txt") == expected


def test_a_list_may_name_bytes_of_no_encoding(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("\udcff.jpg").write_bytes(PICTURE)
    Path("list.txt").write_bytes(b"\xff.jpg\na\0b.jpg\n")
    good, bad = find(["list.txt"])
    assert good.picture().size == (48, 48)
    with pytest.raises(ImageError, match="cannot be opened"):
        bad.picture()


def test_prose_among_photos(tmp_path):
    (tmp_path / "prose.txt").write_text("short\n" + "This is a long line of prose. " * 20)
    for each in find([tmp_path / "prose.txt"]):
        with pytest.raises(ImageError, match=r"There is no file named short|File name too long") as caught:
            each.picture()
        assert len(str(caught.value)) < 200


def test_a_list_of_gigabytes_is_told(tmp_path):
    (tmp_path / "list.txt").touch()
    os.truncate(tmp_path / "list.txt", 3_000_000_000)
    with pytest.raises(DataError, match=r"^list\.txt is no list: it is larger than 50 MB\.$"):
        find([tmp_path / "list.txt"])


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("Party [2019]/*.jpg", ["Party [2019]/a.jpg", "Party [2019]/b.jpg"]),
        ("Party [2019]/[ab].jpg", ["Party [2019]/a.jpg", "Party [2019]/b.jpg"]),
        ("Party [2019]/[raw]/*.jpg", ["Party [2019]/[raw]/c.jpg"]),
        ("*/[raw]/*.jpg", ["Party [2019]/[raw]/c.jpg"]),
        ("Part?/[12].jpg", ["Party/1.jpg", "Party/2.jpg"]),
        ("Part[xy]/1.jpg", ["Party/1.jpg"]),
        ("Party [[]2019]/a.jpg", ["Party [2019]/a.jpg"]),
        ("Party [2019]/[ab", ["Party [2019]/[ab"]),
    ],
)
def test_brackets_are_of_a_name_where_there_is_such_a_one(tmp_path, monkeypatch, pattern, names):
    both = ["Party [2019]/a.jpg", "Party [2019]/b.jpg", "Party [2019]/[raw]/c.jpg", "Party/1.jpg", "Party/2.jpg"]
    fill(tmp_path, [*both, "Party [2019]/[ab"])
    assert found(f"{tmp_path}/{pattern}", under=tmp_path) == names
    monkeypatch.chdir(tmp_path)
    assert found(pattern) == names


def test_a_file_that_is_given_twice_is_read_once_where_it_came_first(tmp_path, monkeypatch, packed):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, ["dup/a.jpg", "dup/b.mp4", "c.jpg"])
    Path("list.txt").write_text("dup\n./dup/a.jpg\nc.jpg\na.zip\n")
    assert found("dup/b.mp4", "dup", "./dup/b.mp4", tmp_path / "dup/a.jpg") == ["dup/b.mp4", "dup/a.jpg"]
    assert found("list.txt") == ["dup/a.jpg", "dup/b.mp4", "c.jpg", "a.zip/a.jpg", "a.zip/b.jpg"]
    assert found("list.txt", "a.zip", "d*/*", "list.txt") == found("list.txt")
    assert found("http://a/b.jpg", "http://a/b.jpg", "http://a//b.jpg") == ["http://a/b.jpg", "http://a//b.jpg"]
    assert len(find(["gone.jpg", "gone.jpg", "empty/*.jpg", "empty/*.jpg"])) == 2


def test_one_of_several_that_holds_nothing_costs_nothing_else(tmp_path, monkeypatch):
    """As with `femr *`, where a folder is empty and a file is not what it is called."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, ["a.jpg", "z.jpg", "raw/b.dng", "c.zip"])
    Path("empty").mkdir()
    Path("list.txt").write_text("empty\nz.jpg\n")
    first, *faults, last = find(["a.jpg", "c.zip", "empty", "none/*.jpg", "raw", "list.txt"])
    assert (first.path, last.path) == ("a.jpg", "z.jpg")
    told = []
    for each in faults:
        with pytest.raises(ImageError) as caught:
            each.picture()
        told.append(str(caught.value))
    assert told == [
        "c.zip is damaged or no ZIP file.",
        "There are no pictures or videos in empty.",
        "There are no pictures or videos in none/*.jpg.",
        "There are no pictures or videos in raw. Passed over as neither pictures nor videos by their endings: 1 .dng.",
    ]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "GIF"])
def test_a_picture_that_is_called_a_list(tmp_path, form):
    path = tmp_path / "photo.txt"
    Image.open(io.BytesIO(picture(side=64))).save(path, form)
    (found,) = find([path])
    assert found.picture().size == (64, 64)


def test_addresses_of_files_as_file_managers_give_them(tmp_path):
    (path,) = (fill(tmp_path, ["My é #1.jpg"]) / name for name in ["My é #1.jpg"])
    fill(tmp_path / "list", ["b.jpg"])
    addresses = [path.as_uri(), path.as_uri().replace("///", "//localhost/"), path.as_uri().replace("file:", "FILE:")]
    (tmp_path / "list.txt").write_text(path.as_uri())
    assert [each.path for name in (*addresses, tmp_path / "list.txt") for each in find([name])] == [str(path)] * 4
    assert found((tmp_path / "list").as_uri(), under=tmp_path / "list") == ["b.jpg"]
    assert all(load_image(address).shape == (48, 48, 3) for address in addresses)
    with pytest.raises(ImageError, match=r"^There is no file named gone\.jpg\.$"):
        load_image("file:///gone.jpg")


def test_standard_input_and_pipes_are_read_once_and_for_all(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PICTURE)))
    os.mkfifo(tmp_path / "pipe.jpg")
    writer = threading.Thread(target=(tmp_path / "pipe.jpg").write_bytes, args=(PICTURE,))
    writer.start()
    for each in find(["-", tmp_path / "pipe.jpg"]):
        assert each.picture().size == each.image().shape[:2] == (48, 48)  # drawing reads it again
        assert not each.video
    writer.join()
    (nothing,) = find(["-"])
    with pytest.raises(ImageError, match="The file is empty"):
        nothing.picture()
    monkeypatch.setattr(sys, "stdin", None)
    assert find(["-"])[0].data == b""
    # one in a folder would never end
    fill(tmp_path, ["a.jpg"])
    assert found(tmp_path, under=tmp_path) == ["a.jpg"]


def test_without_the_client_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ImageError, match="Reading web addresses needs httpx2"):
        load_image("https://example.org/a.jpg")


@pytest.fixture
def packed(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.jpg", PICTURE * 20)
        archive.writestr("b.jpg", PICTURE)
    return (tmp_path / "a.zip").read_bytes()


def from_the_future(archive):
    """As if it needed a later version of the format."""
    at = archive.index(b"PK\1\2") + 6
    return archive[:at] + b"\xff" + archive[at + 1 :]


@pytest.mark.parametrize("damage", [lambda data: data[:60], lambda data: data[:-10], from_the_future, lambda _: b""])
def test_odd_zip_files_are_told(tmp_path, packed, damage):
    (tmp_path / "b.zip").write_bytes(damage(packed))
    with pytest.raises(DataError, match=r"b\.zip is damaged or no ZIP file"):
        find([tmp_path / "b.zip"])


def test_a_zip_file_without_pictures_is_told_by_its_name_alone(tmp_path):
    """It may be a visitor's, and its folder the page's own."""
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(DataError, match=r"^There are no pictures or videos in empty\.zip\.$"):
        find([tmp_path / "empty.zip"])


def test_damage_in_a_zip_file_raises_nothing_else(tmp_path, packed):
    rng, failed = np.random.default_rng(0), 0
    for number in range(400):
        mutant = np.frombuffer(packed, np.uint8).copy()
        mutant[rng.integers(0, len(mutant), 3)] = rng.integers(0, 256, 3)
        (tmp_path / f"{number}.zip").write_bytes(mutant.tobytes())
        try:
            for each in find([tmp_path / f"{number}.zip"]):
                each.picture()
        except (DataError, ImageError):
            failed += 1
    assert failed > 200


def test_a_folder_that_cannot_be_made_is_told_by_its_name_alone():
    with pytest.raises(DataError, match=r"^album cannot be written: No such file or directory\.$"):
        make_folder(Path("/proc/none/album"))


def test_names_that_collide_or_are_too_long_for_a_file(tmp_path):
    for name, free in (("a", "a.jpg"), ("a", "a-2.jpg"), ("a-2", "a-2-2.jpg"), ("a", "a-3.jpg"), ("\udcff", "?.jpg")):
        path = free_name(tmp_path, name)
        assert path.name == free
        path.touch()
    for letter in ("x", "写"):
        for _ in range(3):
            path = free_name(tmp_path, letter * 300)
            path.touch()
    assert len({path.name for path in tmp_path.iterdir()}) == 11
    with pytest.raises(ImageError, match="There is no file named x"):
        Input("x", "x").picture()
