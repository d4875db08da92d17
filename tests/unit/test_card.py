import shutil

import pytest
from huggingface_hub import ModelCard

from femr.expression.facts import ModelFacts
from femr.expression.weights import MODEL_NAMES, MODELS_DIR, read_facts
from femr.publish.card import ReferenceRun, card_of, model_card, pictures, reference_runs, write_card
from femr.results import EMOTIONS


def interval(value):
    return {"value": value, "low": value - 0.015, "high": value + 0.014}


CLASSES = {
    emotion: {"precision": 0.5, "recall": 0.11 * number, "images": 50 * number}
    for number, emotion in enumerate(EMOTIONS, 1)
}
SCORES = {
    "model": "mobilenet_v2",
    "split": "PrivateTest",
    "images": 3589,
    "accuracy": interval(0.703),
    "accuracy_mirrored": interval(0.71),
    "accuracy_deduplicated": interval(0.684),
    "accuracy_mirrored_deduplicated": interval(0.692),
    "macro_f1": 0.689,
    "per_class": CLASSES,
    "nll": 0.9,
    "brier": 0.41,
    "ece_before": 0.053,
    "ece_after": 0.0171,
    "ferplus_accuracy": interval(0.802),
    "people": {
        "images": 3500,
        "images_majority": 2720,
        "images_ferplus": 3100,
        "accuracy": interval(0.905),
        "accuracy_unbalanced": interval(0.912),
        "accuracy_ferplus": interval(0.85),
        "mean_recall": 0.77,
        "per_class": CLASSES,
        "agreement": 0.71,
        "agreement_best": 0.78,
        "ece_before": 0.04,
        "ece_after": 0.0123,
        "sure": 0.93,
    },
}
PHOTOS = {
    "images": 1234,
    "found": interval(0.99),
    "accuracy": interval(0.7),
    "mean_recall": 0.6,
    "natural_mix": 0.8,
    "per_class": CLASSES,
    "sure": 0.9,
    "accuracy_sure": interval(0.8),
}


def told(facts, **parts):
    """Facts with other parts in their document."""
    return ModelFacts.from_dict({**facts.document, **parts}, "facts.json")


@pytest.fixture
def facts():
    """The shipped models' facts, without what was measured."""
    found = [read_facts(MODELS_DIR / f"{name}.json") for name in MODEL_NAMES]
    return [told(one, scores={}, photos={}, balances=[]) for one in found]


@pytest.fixture
def measured(facts):
    """Only the first model was measured, and only on PrivateTest."""
    return [told(facts[0], scores={"PrivateTest": SCORES}), *facts[1:]]


def cells(card, label):
    """A table row's cells, first table first."""
    rows = [line.strip("| ").split(" | ") for line in card.splitlines() if line.startswith(f"| {label} |")]
    return [row[1:] for row in rows]


def test_the_shipped_card_says_what_the_facts_say():
    expected = card_of(MODELS_DIR)
    hint = "out of date; run: python -c 'from femr.publish.card import *; write_card(Path(\"models\"))'"
    assert (MODELS_DIR / "README.md").read_text(encoding="utf-8") == expected, hint


def test_nothing_measured(facts):
    card = model_card(facts)
    assert card.count("Not measured yet.") == 7
    data = ModelCard(card).data
    assert data.eval_results is None
    assert data.license == "mit"
    assert data.library_name == "keras"
    assert data.pipeline_tag == "image-classification"


def test_measured_scores_are_in_the_tables(measured):
    card = model_card(measured)
    assert cells(card, "accuracy, mirrored") == [["71.0 % (69.5 to 72.4)", "not measured", "not measured"]]
    assert cells(card, "accuracy, FER+ labels") == [["80.2 % (78.7 to 81.6)", "not measured", "not measured"]]
    assert cells(card, "faces") == [["3,589", "not measured", "not measured"]]
    assert cells(card, "calibration error") == [
        ["0.012", "not measured", "not measured"],  # people, then labels
        ["0.017", "not measured", "not measured"],
    ]
    assert cells(card, "disgust (100)") == [["22.0 %", "not measured", "not measured"]] * 2
    assert cells(card, "parameters, up to the label head") == [["2,430,663", "9,019,719", "11,450,382"]]
    assert cells(card, "the reference work's accuracy") == [["75.0 %", "67.5 %", "none"]]


def test_both_answers_are_told(measured):
    card = model_card(measured)
    nothing = ["not measured", "not measured"]
    agreed = "right, of faces on which over half of ten people agree"
    assert cells(card, agreed) == [["90.5 % (89.0 to 91.9)", *nothing]]
    assert cells(card, "faces on which over half agree") == [["2,720", *nothing]]
    assert cells(card, "people who agree with the answer") == [["71.0 %", *nothing]]
    least = "11% of angry (50), 22% of disgust (100), 33% of fear (150)"
    assert f"**MobileNetV2.** Of PrivateTest's majorities it finds least of {least}; 93% are read surely." in card


def test_photos_are_told_by_their_source(facts):
    wild = {"wild": {**PHOTOS, "by_source": {"film": PHOTOS, "news": PHOTOS}}}
    assert "### Photos" not in model_card(facts)
    card = model_card([told(facts[0], photos=wild), *facts[1:]])
    assert cells(card, "wild, news: right") == [["70.0 % (68.5 to 71.4)", "not measured", "not measured"]]
    assert cells(card, "wild: photos") == [["1,234", "not measured", "not measured"]]
    assert len(cells(card, "fear (150)")) == 3
    assert "Of wild's film photos it finds least of" in card


def test_measured_scores_are_in_the_model_index(measured):
    results = ModelCard(model_card(measured)).data.eval_results
    found = {result.metric_name: (result.metric_type, result.metric_value) for result in results}
    assert found["MobileNetV2: accuracy, mirrored"] == ("accuracy", 0.71)
    assert found["MobileNetV2: accuracy, mirrored, without training duplicates"] == ("accuracy", 0.692)
    assert found["MobileNetV2: macro F1"] == ("f1", 0.689)
    assert found["MobileNetV2: people, FER+ majorities"] == ("accuracy", 0.905)
    assert len(found) == len(results) == 8
    assert {result.dataset_split for result in results} == {"PrivateTest"}
    assert {result.task_type for result in results} == {"image-classification"}


def test_partly_measured(facts):
    card = model_card([told(one, scores={"PublicTest": {"accuracy": interval(0.5)}}) for one in facts])
    assert cells(card, "accuracy, one view") == [["50.0 % (48.5 to 51.4)"] * 3]
    assert cells(card, "macro F1") == [["not measured"] * 3]
    assert ModelCard(card).data.eval_results is None


def test_training_is_told_where_it_is_recorded(facts):
    assert "**MobileNetV2.** Ten epochs." in model_card([told(facts[0], training="Ten epochs.")])


def test_what_each_balance_gives(facts):
    given = {"accuracy": 0.7, "mean_recall": 0.6, "natural_mix": None}
    rows = [{"balance": balance, "PublicTest": given, "wild, news": given} for balance in (0.0, 0.5)]
    one = told(facts[0], balances=rows, calibration={"temperature": 1.0, "balance": 0.5})
    assert "What each balance gives" not in model_card(facts)
    card = model_card([one, *facts[1:]])
    assert "On PublicTest; then on wild, news. Chosen, in bold" in card
    said = "70.0 / 60.0 / ?; 70.0 / 60.0 / ?"
    assert cells(card, "0.5") == [[f"**{said}**", "not measured", "not measured"]]
    assert cells(card, "0") == [[said, "not measured", "not measured"]]


def test_pictures_are_shown(facts, tmp_path):
    for name in MODEL_NAMES:
        shutil.copy(MODELS_DIR / f"{name}.json", tmp_path)
    (tmp_path / "pictures" / "ensemble").mkdir(parents=True)
    (tmp_path / "pictures" / "ensemble" / "confusion_matrix.png").touch()
    write_card(tmp_path)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    shown = "![Ensemble of both: labels: what is taken for what](pictures/ensemble/confusion_matrix.png)"
    assert cells(card, "labels: what is taken for what") == [["", "", shown]]
    assert "people: what is taken for what" not in card


@pytest.mark.parametrize("drawn", [(), ("mobilenet_v2",), ("custom_cnn", "mobilenet_v2")])
def test_pictures_of_reference_runs_are_shown_where_there_are_some(drawn):
    runs = [ReferenceRun.read(path) for path in reference_runs(MODELS_DIR)]
    facts = [read_facts(MODELS_DIR / f"{name}.json") for name in MODEL_NAMES]
    paths = {name: f"pictures/{name}/reference_curves.png" for name in drawn}
    row = [f"![{one.title}: curves]({paths[one.network]})" if one.network in drawn else "" for one in runs]
    assert cells(model_card(facts, [*paths.values()], runs), "curves") == ([row] if drawn else [])


def test_all_pictures_beside_the_shipped_card_are_in_it():
    card = (MODELS_DIR / "README.md").read_text(encoding="utf-8")
    assert len(pictures(MODELS_DIR)) >= 11
    assert [name for name in pictures(MODELS_DIR) if f"({name})" not in card] == []


def test_the_readme_says_what_the_facts_say():
    readme = (MODELS_DIR.parent / "README.md").read_text(encoding="utf-8")
    for name in MODEL_NAMES:
        scores = read_facts(MODELS_DIR / f"{name}.json").scores["PrivateTest"]
        row = next(line for line in readme.splitlines() if line.strip().startswith(f"| `{name}` |"))
        for key in ("accuracy_mirrored", "accuracy_mirrored_deduplicated"):
            assert f"{100 * getattr(scores, key).value:.1f} %" in row
        assert f"| {100 * scores.people.accuracy.value:.1f} % |" in row


@pytest.mark.parametrize("page", ["README.md", "docs/how-it-works.md"])
def test_texts_tell_the_ensembles_errors_as_the_facts_do(page):
    facts = read_facts(MODELS_DIR / "ensemble.json")
    news, film = (facts.photos["wild_dev", source] for source in ("news", "film"))
    sad, surprise, neutral = (news.per_class[name].recall for name in ("sad", "surprise", "neutral"))
    errors = 1 - facts.scores["PrivateTest"].people.accuracy.value, 1 - news.accuracy.value
    told = (*errors, surprise, sad, film.accuracy.value) if page == "README.md" else (neutral, surprise, sad)
    places = [f" {share:.0%}".replace("%", " %") for share in told]
    text = (MODELS_DIR.parent / page).read_text(encoding="utf-8")
    assert [place for place in places if place not in text.replace("\n", " ")] == []
