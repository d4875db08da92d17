import os
import zipfile

import cv2
import fsspec
import pytest
from PIL import Image

import femr
from builders import PORTRAIT
from femr.batch.folder import BATCH, analyze_folder, analyze_inputs
from femr.batch.inputs import Input, encodable, find
from femr.errors import DataError, ImageError
from videos import SIZE, scene, write_video


@pytest.fixture(scope="module")
def photos(portrait, tmp_path_factory):
    """Pictures in two folders, a video, what is neither, what is hidden and what is broken."""
    folder = tmp_path_factory.mktemp("party")
    small = cv2.resize(portrait, (160, 160), interpolation=cv2.INTER_AREA)
    (folder / "b").mkdir()
    (folder / ".thumbnails").mkdir()
    for name in ("a2.jpg", "a10.PNG", "b/c.webp", "b/é ü.jpg", ".thumbnails/t.jpg"):
        Image.fromarray(small).save(folder / name)
    for name in ("._a2.jpg", "b/bad.jpg"):
        (folder / name).write_bytes(b"\xff\xd8 broken")
    (folder / "notes.txt").write_text("a2.jpg\n\n  b/c.webp \ngone.jpg\n")
    write_video(folder / "b" / "clip.mp4", [scene(portrait, (0, 50))] * 3, [0, 0.3, 0.6])
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        for name in ("b/c.webp", "a2.jpg", "._a2.jpg", "notes.txt", "b/clip.mp4", "b/bad.jpg"):
            archive.write(folder / name, f"in/{name}")
    return folder


def names(paths):
    return [each.name for each in find(paths)]


def test_no_paths_are_no_inputs(analyzer):
    assert find([]) == []
    assert list(analyze_inputs(analyzer, [])) == []


def test_a_folder_gives_pictures_and_videos_sorted_and_nothing_hidden(photos):
    expected = ["a10.PNG", "a2.jpg", "b/bad.jpg", "b/c.webp", "b/clip.mp4", "b/é ü.jpg"]
    assert names([photos]) == [str(photos / name) for name in expected]
    assert [each.video for each in find([photos])] == [False, False, False, False, True, False]


def test_patterns_files_and_lists_give_their_files(photos, monkeypatch):
    monkeypatch.chdir(photos)
    assert names(["*.jpg"]) == ["a2.jpg"]
    assert names(["**/*.webp", "a2.jpg", "gone.jpg", "a2.jpg"]) == ["b/c.webp", "a2.jpg", "gone.jpg"]
    assert names(["notes.txt"]) == ["a2.jpg", "b/c.webp", "gone.jpg"]
    monkeypatch.chdir(photos.parent)
    # from elsewhere, a list's paths are taken from its own folder
    assert names([photos / "notes.txt"]) == [str(photos / "a2.jpg"), str(photos / "b/c.webp"), "gone.jpg"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(photos, tmp_path):
    (tmp_path / "a[1].jpg").write_bytes((photos / "a2.jpg").read_bytes())
    (each,) = find([tmp_path / "a[1].jpg"])
    assert each.picture().pixels.shape == (160, 160, 3)


def test_a_zip_file_is_read_without_unpacking_it(photos, analyzer):
    before = sorted(photos.rglob("*"))
    analyses = list(analyze_inputs(analyzer, find([photos / "z.zip"])))
    found = {analysis.file.rpartition("z.zip/")[2]: analysis for analysis in analyses}
    assert list(found) == ["in/a2.jpg", "in/b/bad.jpg", "in/b/c.webp", "in/b/clip.mp4"]
    assert [len(analysis.faces) for analysis in analyses] == [1, 0, 1, 0]
    assert "damaged" in found["in/b/bad.jpg"].error or "not a picture" in found["in/b/bad.jpg"].error
    assert found["in/b/clip.mp4"].error == "Videos inside ZIP files are not read. Unpack it first."
    assert sorted(photos.rglob("*")) == before


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.jpg", bytes(200_000_000))
        archive.writestr("also.jpg", b"")
    assert (tmp_path / "bomb.zip").stat().st_size < 300_000
    _, bomb = find([tmp_path / "bomb.zip"])
    with pytest.raises(ImageError, match="larger than 20 MB"):
        bomb.picture()
    monkeypatch.setattr("femr.batch.inputs.MOST_MEMBERS", 1)
    with pytest.raises(DataError, match="holds more than 1 files"):
        find([tmp_path / "bomb.zip"])


def test_a_damaged_zip_file_is_said(photos, tmp_path):
    whole = (photos / "z.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-40])
    with pytest.raises(DataError, match=r"cut.zip is damaged"):
        find([tmp_path / "cut.zip"])
    (tmp_path / "flip.zip").write_bytes(whole[:100] + bytes(byte ^ 255 for byte in whole[100:200]) + whole[200:])
    pictures = [each for each in find([tmp_path / "flip.zip"]) if each.member == "in/b/c.webp"]
    with pytest.raises(ImageError, match="cannot be unpacked"):
        pictures[0].picture()


@pytest.mark.parametrize("name", ["empty", "*.tiff", "blank.txt", "none.zip"])
def test_where_there_is_nothing_to_read_it_is_said(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.md").write_text("")
    (tmp_path / "blank.txt").write_text("\n\n")
    zipfile.ZipFile(tmp_path / "none.zip", "w").close()
    with pytest.raises(DataError, match="There are no pictures or videos in"):
        list(femr.analyze_folder(tmp_path / name))


def test_every_file_has_its_analysis_in_order(photos, analyzer):
    analyses = list(analyze_folder(photos, analyzer=analyzer, rate=4))
    assert [os.path.relpath(analysis.file, photos) for analysis in analyses] == [
        *("a10.PNG", "a2.jpg", "b/bad.jpg", "b/c.webp"),
        *("b/clip.mp4",) * 3,
        "b/é ü.jpg",
    ]
    assert [len(analysis.faces) for analysis in analyses] == [1, 1, 0, 1, 1, 1, 1, 1]
    assert [analysis.time for analysis in analyses] == [None] * 4 + [0.0, 0.3, 0.6] + [None]
    assert [analysis.error is None for analysis in analyses] == [True] * 2 + [False] + [True] * 5
    assert analyses[2].model == analyses[0].model == "mobilenet_v2"


def test_a_folder_is_read_as_each_file_alone(photos, portrait, analyzer, tmp_path):
    # more than two batches, sizes mixed, one larger than what faces are looked for in
    large = cv2.resize(cv2.imread(str(PORTRAIT)), (2400, 2400))
    cv2.imwrite(str(tmp_path / "05-large.jpg"), large)
    for number in range(2 * BATCH + 3):
        picture = scene(portrait, (number * 9, number * 5))
        Image.fromarray(picture).save(tmp_path / f"{number:02}.png")
    analyses = list(analyze_folder([tmp_path, photos / "a2.jpg"], analyzer=analyzer))
    assert len(analyses) == 2 * BATCH + 5
    for analysis in analyses:
        alone = analyzer(analysis.file)
        assert (analysis.width, analysis.height) == (alone.width, alone.height)
        assert (analysis.mood, analysis.file, analysis.model) == (alone.mood, alone.file, alone.model)
        for face, other in zip(analysis.faces, alone.faces, strict=True):
            assert face.box == pytest.approx(other.box, abs=0.1)
            assert face.scores.probabilities == pytest.approx(other.scores.probabilities, abs=1e-3)
    assert {(a.width, a.height) for a in analyses} == {SIZE, (2400, 2400), (160, 160)}


def test_what_is_done_is_skipped_and_the_rest_is_the_same_to_the_last_digit(photos, portrait, analyzer, tmp_path):
    for number in range(2 * BATCH + 3):
        Image.fromarray(scene(portrait, (number * 9, number * 5))).save(tmp_path / f"{number:02}.png")
    paths = [tmp_path, photos]
    everything = list(analyze_folder(paths, analyzer=analyzer))
    for done in ({each.file for each in everything[:n]} for n in (3, BATCH, BATCH + 1, len(everything))):
        rest = list(analyze_folder(paths, analyzer=analyzer, skip=done))
        expected = [each for each in everything if each.file not in done]
        assert [(each.file, each.time, each.faces) for each in rest] == [(e.file, e.time, e.faces) for e in expected]


def test_few_pictures_are_read_ahead(photos, analyzer, monkeypatch):
    read = []
    picture = Input.picture
    monkeypatch.setattr(Input, "picture", lambda each, archives: read.append(each) or picture(each, archives))
    inputs = find([photos / "a2.jpg"]) * 100
    analyses = analyze_inputs(analyzer, inputs)
    next(analyses)
    assert len(read) <= 2 * BATCH
    analyses.close()
    assert len(read) <= 2 * BATCH


def test_names_of_no_encoding_can_be_written():
    assert encodable("a\udcff.jpg") == "a\\udcff.jpg"
    assert encodable("ü.jpg") == "ü.jpg"


def test_addresses_are_read_with_fsspec(photos, analyzer):
    memory = fsspec.filesystem("memory")
    for name in ("a2.jpg", "b/clip.mp4", "notes.txt"):
        memory.pipe(f"/album/{name}", (photos / name).read_bytes())
    assert names(["memory://album"]) == ["memory:///album/a2.jpg", "memory:///album/b/clip.mp4"]
    assert names(["memory://album/*.jpg"]) == names(["memory://album/a2.jpg"]) == ["memory:///album/a2.jpg"]
    analyses = list(analyze_folder("memory://album", analyzer=analyzer))
    assert [len(analysis.faces) for analysis in analyses] == [1, 1, 1, 1]
    assert analyses[0].faces == analyzer(photos / "a2.jpg").faces
    with pytest.raises(DataError, match="no pictures or videos"):
        find(["memory://nothing/*.jpg"])
    (gone,) = analyze_inputs(analyzer, [Input("gone", "memory://album/gone.jpg")])
    assert "gone.jpg cannot be opened" in gone.error
    with pytest.raises(DataError, match="cannot be reached"):
        find(["nosuch://album"])


def test_the_public_way_in(photos):
    (analysis,) = femr.analyze_folder(photos / "a2.jpg", "custom_cnn")
    assert (analysis.model, len(analysis.faces)) == ("custom_cnn", 1)
    first = next(femr.analyze_video(photos / "b" / "clip.mp4", rate=1))
    assert (first.time, first.frame, len(first.faces)) == (0.0, 0, 1)
