"""The About tab: how often the models are right, what is kept, whose work this is, and what it is not for."""

from collections.abc import Mapping
from contextlib import suppress

import gradio as gr

from femr import __version__
from femr.errors import ModelError
from femr.expression.weights import ModelFacts, load_facts
from femr.music import MusicLibrary
from femr.results import EMOTIONS
from tabs.photo import MODELS

_TEXT = """\
## What it does

femr {version} finds faces, says which of seven expressions people would name on each, and plays a song of their mood.
It shows an **expression, not what a person feels**: people scowl in anger only about a third of the time, and smile
for many reasons.

**How the mood is found:** each clear face has one vote, and most votes win. A small face does not vote beside a much
larger one that is unclear, and what may be no face never does; where nobody can vote, femr says that it guesses. A face
behind a mask, a scarf or a hand counts as unclear.

## How often it is right

{scores}

All on FER2013's test set, each face averaged with its mirror image; in brackets 95 % intervals. **As most people** and
the lines under it count the faces on which over half of ten people agree (FER+): how often femr names what they say,
and how many of those that they call so it finds. **FER2013's label** counts all {images} faces and a second answer,
which only the downloads tell: the set's labels come from words of web searches, and people agree with them about 65 %
of the time. Your photos differ: expect more mistakes with faces turned away, glasses, dim light, small faces,
children, and people who are rare in FER2013's web pictures.

## What is kept

- Photos, videos and tables are used for your answer only and deleted from the server within {minutes} minutes; so is
  the annotated video. The other downloads are inside the page that your browser holds; no copy is kept.
- No one is identified: femr computes no face embeddings and knows no names.
- femr counts and records nothing about your visit. At home nothing leaves your machine; on a Space your files are
  processed on its host.

## Please

- **Tell everyone in the picture and ask first;** parents for children. In the European Union telling people is a duty
  (AI Act, Art. 50(3)).
- Not for grading, hiring, discipline, monitoring, health or safety decisions about people.
- **In the European Union not for pupils, students or staff:** inferring emotions at work or in education is
  prohibited, with medical and safety exceptions (AI Act, Regulation (EU) 2024/1689, Art. 5(1)(f)).

## Whose work it is

- Code and trained weights: MIT.
- Songs: {songs}.
- Training data: FER2013 (Goodfellow et al., 2013), made by web searches, and FER+'s votes (Microsoft, MIT); not part of
  femr.
- MobileNetV2 started from ImageNet weights of torchvision, BSD-3-Clause.
- Face detection: MTCNN with the weights of the mtcnn package, MIT.
- Example photo: Eileen Collins, by NASA, public domain.
"""


def text(library: MusicLibrary, minutes: int) -> str:
    """The tab as Markdown. `minutes`: how long files stay at most. The figures are those in the models' facts."""
    facts = {}
    for title, name in MODELS:
        with suppress(ModelError):  # the page works with the others; this one says so when it is chosen
            facts[title] = load_facts(name)
    images = {f"{one.scores['PrivateTest']['images']:,}" for one in facts.values() if "PrivateTest" in one.scores}
    return _TEXT.format(
        version=__version__, scores=_scores(facts), images=" or ".join(images), minutes=minutes, songs=_songs(library)
    )


def _scores(facts: Mapping[str, ModelFacts]) -> str:
    """How often models, by the page's names, say what people and what FER2013's labels say, as a Markdown table."""
    labels = [one.scores.get("PrivateTest", {}) for one in facts.values()]
    people = [measured.get("people") or {} for measured in labels]
    lines = [["", *facts], ["---"] * (len(facts) + 1)]
    lines.append(["as most people", *(_accuracy(measured.get("accuracy")) for measured in people)])
    for emotion in EMOTIONS:
        recalls = [measured.get("per_class", {}).get(emotion, {}).get("recall") for measured in people]
        lines.append([f"finds {emotion}", *("?" if recall is None else f"{recall:.0%}" for recall in recalls)])
    lines.append(["FER2013's label", *(_accuracy(measured.get("accuracy_mirrored")) for measured in labels)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _accuracy(measured: Mapping[str, float] | None) -> str:
    if measured is None:
        return "not measured"
    value, low, high = (100 * measured[key] for key in ("value", "low", "high"))
    return f"{value:.1f} % ({low:.1f}–{high:.1f})"


def _songs(library: MusicLibrary) -> str:
    """How many songs there are, under which licences."""
    licences = sorted({song.licence or "licence not stated" for song in library.songs})
    return f"{len(library.songs)} songs, {', '.join(licences)}" if licences else "none"


def build(library: MusicLibrary, minutes: int) -> None:
    """The tab's components, inside the Blocks that is being built."""
    gr.Markdown(text(library, minutes), elem_id="about-text")
