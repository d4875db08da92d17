"""Results as they show themselves, of a photo whose faces are made up."""

import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image, ImageShow

from builders import PORTRAIT, PORTRAIT_FACE, found, looking, write_wav
from femr.errors import DataError
from femr.images import load_image
from femr.mood import vote
from femr.output.rows import COLUMNS, to_dict
from femr.results import EMOTIONS, Analysis, Emotion, Lent, Song

FACES = (
    looking("happy", 0.8, 1, found(PORTRAIT_FACE)),
    looking("sad", 0.4, 2, found((300, 60, 360, 130)), unsure=True),
)


@pytest.fixture
def song(tmp_path):
    write_wav(tmp_path / "music" / "rain.wav")
    return Song("Rain <b>", tmp_path / "music" / "rain.wav", Emotion.SAD, artist="A & B")


@pytest.fixture
def analysis(song):
    return Analysis(512, 512, FACES, vote(FACES), song, "ensemble", file=str(PORTRAIT))


class Elements(HTMLParser):
    """The elements of HTML with their attributes, and all text."""

    def __init__(self, html):
        super().__init__()
        self.found, self.text, self.open = [], "", 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self.open += tag != "img"

    def handle_endtag(self, tag):
        self.open -= 1

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_a_notebook_shows_picture_bars_and_player(analysis, tmp_path):
    html = analysis._repr_html_()
    shown = Elements(html)
    assert shown.open == 0
    (picture,), (player,) = shown.of("img"), shown.of("audio")
    assert picture["alt"] == "1 of 2 faces looks happy; 1 was unclear"
    assert picture["src"].startswith("data:image/jpeg;base64,")
    assert player["src"].startswith("data:audio/")
    assert [bar["aria-label"] for bar in shown.of("div") if "role" in bar] == [repr(face.scores) for face in FACES]
    widths = [float(re.search(r"width:([\d.]+)%", part["style"])[1]) for part in shown.of("span")]
    assert sum(widths[:7]) == pytest.approx(100, abs=0.5)
    assert "sad (unclear)" in shown.text
    assert str(tmp_path) not in html
    assert str(PORTRAIT.parent) not in html


def test_what_came_from_a_file_is_text(analysis, song):
    shown = Elements(analysis._repr_html_())
    assert "♫ Rain <b> · A & B" in shown.text
    assert not shown.of("b")
    assert Elements(song._repr_html_()).text == "♫ Rain <b> · A & B"
    failed = Analysis.failed("x", "m", "<script> is damaged.")
    assert Elements(failed._repr_html_()).text == "<script> is damaged."


def test_a_picture_without_faces_is_shown_too():
    shown = Elements(Analysis(512, 512, (), vote([]), None, "m", file=str(PORTRAIT))._repr_html_())
    assert len(shown.of("img")) == 1
    assert not shown.of("audio") + shown.of("tr")
    assert "🔍 No face found." in shown.text


def test_a_song_that_is_gone_or_large_has_no_player(song):
    song.path.unlink()
    assert not Elements(song._repr_html_()).of("audio")
    song.path.write_bytes(bytes(10_000_001))
    assert not Elements(song._repr_html_()).of("audio")


def test_the_picture_comes_from_the_file_from_whoever_keeps_it_or_from_the_caller(analysis, portrait, tmp_path):
    drawn = analysis.plot()
    picture = portrait.copy()
    sources = (
        replace(analysis, file=None, lent=Lent(picture)).plot(),
        replace(analysis, file="gone.jpg").plot(PORTRAIT.read_bytes()),
        Image.open(analysis.save(tmp_path / "a.png")),
    )
    assert all(np.array_equal(np.asarray(drawn), np.asarray(source)) for source in sources)
    assert drawn.size == (640, 640)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"file": None}, "The picture is not kept; pass it"),
        ({"file": "gone.jpg"}, r"There is no file named gone\.jpg\. Pass the picture"),
        ({"time": 1.5, "file": "clip.mp4"}, "The picture is not kept; pass it"),
        ({"error": "The file is damaged."}, r"^The file is damaged\.$"),
    ],
)
def test_where_the_picture_is_gone_a_sentence_says_so(analysis, change, sentence):
    gone = replace(analysis, **change)
    for ask in (gone.plot, gone.show, lambda: gone.save("a.jpg")):
        with pytest.raises(DataError, match=sentence):
            ask()
    shown = Elements(gone._repr_html_())
    assert not shown.of("img")
    assert re.search(sentence, shown.text)


@pytest.mark.parametrize("path", ["a.txt", "a", "/proc/none/a.jpg"])
def test_what_cannot_be_written_is_said(analysis, path):
    with pytest.raises(DataError, match=r"Expected a path that ends in \.jpg|cannot be written"):
        analysis.save(path)


def test_show_asks_the_viewer_of_the_machine(analysis, monkeypatch):
    seen = []
    monkeypatch.setattr(ImageShow, "_viewers", [])
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # another test's, in the same process
    with pytest.raises(DataError, match=r"no program to show pictures; analysis\.save\(path\)"):
        analysis.show()

    class Window(ImageShow.Viewer):
        def show(self, image, **options):
            seen.append(image.size)
            return 1

    ImageShow.register(Window)
    analysis.show()
    assert seen == [(640, 640)]


def test_values_json_and_data_frame_are_those_of_the_command_line(analysis, monkeypatch):
    assert analysis.to_dict() == json.loads(analysis.to_json()) == to_dict(analysis)
    table = analysis.to_df()
    assert tuple(table.columns) == COLUMNS
    assert list(table["expression"]) == ["happy", "sad"]
    assert list(table[list(EMOTIONS)].sum(axis=1).round(2)) == [1.0, 1.0]
    assert len(replace(analysis, faces=()).to_df()) == 1
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(DataError, match=r"A data frame needs pandas: pip install pandas\."):
        analysis.to_df()


def test_a_large_picture_is_drawn_in_full(analysis, tmp_path):
    large = np.asarray(Image.fromarray(load_image(PORTRAIT)).resize((1500, 1500)))
    assert analysis.plot(large).size == (1500, 1500)
