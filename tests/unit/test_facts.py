"""The facts of a model read and written: nothing is lost, and other versions' measures can be read."""

import json
from dataclasses import asdict

import pytest

from femr.expression.facts import Balanced, Interval, Measures, ModelFacts, PhotoMeasures
from femr.expression.weights import MODEL_NAMES, MODELS_DIR, read_facts


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_facts_are_written_as_they_were_read(name):
    path = MODELS_DIR / f"{name}.json"
    facts = read_facts(path)
    text = json.dumps(facts.document, indent=2, ensure_ascii=False) + "\n"
    assert text.encode() == path.read_bytes()
    assert set(facts.scores) == {"PublicTest", "PrivateTest"}
    for split, measured in facts.scores.items():
        kept = {key: value for key, value in facts.document["scores"][split].items() if key != "measured_with"}
        assert asdict(measured) == kept
    assert list(facts.photos) == [("wild_dev", ""), ("wild_dev", "news"), ("wild_dev", "film")]
    report = facts.document["photos"]["wild_dev"]
    for (_, source), measured in facts.photos.items():
        kept = report["by_source"][source] if source else report
        assert asdict(measured) == {key: kept[key] for key in asdict(measured)}
    row = facts.document["balances"][5]
    assert asdict(facts.balances[0.5]["PublicTest"]) == {"balance": 0.5, **row["PublicTest"]}


def test_measures_of_another_version():
    older = {"images": 2, "accuracy": {"value": 0.5, "low": 0.0, "high": 1.0}, "beauty": 1.0}
    measured = Measures.from_dict(older)
    assert (measured.images, measured.accuracy) == (2, Interval(0.5, 0.0, 1.0))
    assert measured.macro_f1 is measured.people is None
    assert measured.per_class == measured.weights_sha256 == {}


def test_lists_of_values():
    measured = PhotoMeasures.from_dict({"balances": [{"balance": 0.1, "accuracy": None}]})
    assert measured.balances == [Balanced(0.1, None, None, None)]


def test_a_network_that_was_never_measured():
    document = {"name": "a", "title": "A", "calibration": {"temperature": 1, "balance": 0}}
    facts = ModelFacts.from_dict({**document, "label_temperature": 1, "unsure_threshold": 0}, "a.json")
    assert (facts.scores, facts.photos, facts.balances, facts.parameters) == ({}, {}, {}, None)
    assert facts.trained_on == ("Training",)
