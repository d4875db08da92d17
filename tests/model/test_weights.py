import json
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
import pytest

from femr.errors import ModelError
from femr.expression import weights
from femr.expression.calibration import Calibration
from femr.expression.networks import NETWORKS
from femr.expression.weights import MODEL_NAMES, MODELS_DIR, load_facts, load_network, locate, save_network
from hub_server import NOWHERE, HubServer, ask_here, run_client

REPO = "somebody/femr"
FILES = {"custom_cnn.weights.json": b'{"weight_map": {}}', "custom_cnn_00000.weights.h5": b"\0shard" * 1000}
"""Enough for everything that happens before Keras is asked."""
SHARD = "custom_cnn_00000.weights.h5"
UNKNOWN_COMMIT = "0" * 40
HALF_PRECISION = 2.0**-11
"""Largest relative error of rounding to float16."""


def facts_json(name="custom_cnn", files=FILES, **changes):
    document = json.loads((MODELS_DIR / f"{name}.json").read_text())
    document["files"] = {file: sha256(content).hexdigest() for file, content in files.items()}
    return json.dumps(document | changes).encode()


THERE = FILES | {"femr.json": facts_json()}
"""What a repository on the Hub has of it."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty models/ folder."""
    path = tmp_path / "models"
    path.mkdir()
    monkeypatch.setattr(weights, "MODELS_DIR", path)
    return path


def install(folder, files, **changes):
    """Put a model into models/, its facts and hashes right."""
    (folder / "custom_cnn.json").write_bytes(facts_json(files=files, **changes))
    for name, content in files.items():
        (folder / name).write_bytes(content)


def saved(network, path):
    network.save(path)
    return {"custom_cnn.keras": path.read_bytes()}


def with_heads(heads, side=48):
    """A small network: name of each output → its size."""
    inputs = keras.Input((side, side, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, [keras.layers.Dense(size, name=name)(x) for name, size in heads.items()])


def message(call, *arguments):
    with pytest.raises(ModelError) as caught:
        call(*arguments)
    return str(caught.value)


class TestFacts:
    def test_unknown_name(self):
        names = "mobilenet_v2, custom_cnn, ensemble"
        for call in (load_facts, locate, load_network):
            assert message(call, "vgg") == f"Expected a model named {names}. Received: vgg"

    def test_missing(self, folder):
        assert message(load_facts, "custom_cnn") == "The model's facts, custom_cnn.json, are missing."

    def test_a_folder_of_ones_own_that_is_not_there(self, tmp_path, monkeypatch):
        monkeypatch.setattr(weights, "MODELS_DIR", tmp_path / "gone")
        assert message(load_facts, "custom_cnn").startswith("This copy of femr lacks its folder gone")
        monkeypatch.setenv("FEMR_MODELS_DIR", str(tmp_path / "gone"))
        assert message(load_facts, "custom_cnn") == "Expected FEMR_MODELS_DIR to name a folder. Received: gone"

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<html>",
            b"\xff\xfe",
            b"[]",
            b"{}",
            facts_json()[:-20],
            facts_json(name="mobilenet_v2"),
            facts_json(calibration={"temperature": 1.0}),
            facts_json(calibration=[1.0, 0.0]),
            facts_json(label_temperature=0),
            facts_json(label_temperature=float("nan")),
            facts_json(unsure_threshold=40),
            facts_json(members=["somebody_else"]),
            facts_json(hub="somebody/femr"),
            b"[" * 100_000,
            facts_json(files={"../custom_cnn.keras": b""}),
            facts_json().replace(sha256(FILES[SHARD]).hexdigest().encode(), b"abc"),
        ],
    )
    def test_damaged(self, folder, content):
        (folder / "custom_cnn.json").write_bytes(content)
        assert message(load_facts, "custom_cnn") == "The model's facts, custom_cnn.json, are damaged."

    def test_other_expressions(self, folder):
        (folder / "custom_cnn.json").write_bytes(facts_json(labels=["calm", "excited"]))
        assert "is for other expressions than angry, disgust" in message(load_facts, "custom_cnn")

    @pytest.mark.parametrize("none", [{}, None])
    def test_without_a_calibration(self, folder, none):
        (folder / "custom_cnn.json").write_bytes(facts_json(calibration=none))
        expected = "Expected custom_cnn.json to have a calibration: temperature and balance. Received: none"
        assert message(load_facts, "custom_cnn") == expected

    @pytest.mark.parametrize(
        ("calibration", "words"),
        [
            ({"temperature": 0, "balance": 0}, "a temperature over 0, such as 1. Received: 0.0"),
            ({"temperature": 1, "balance": 1.5}, "a balance from 0 (off) to 1. Received: 1.5"),
            ({"temperature": 1, "balance": -0.5}, "a balance from 0 (off) to 1. Received: -0.5"),
        ],
    )
    def test_a_calibration_that_cannot_be(self, folder, calibration, words):
        (folder / "custom_cnn.json").write_bytes(facts_json(calibration=calibration))
        assert message(load_facts, "custom_cnn") == f"Expected {words} (in custom_cnn.json)"

    def test_calibration(self, folder):
        found = {"temperature": 1.2, "balance": 0.5}
        (folder / "custom_cnn.json").write_bytes(facts_json(calibration=found, label_temperature=0.9))
        facts = load_facts("custom_cnn")
        assert (facts.calibration, facts.label_temperature) == (Calibration(1.2, 0.5), 0.9)


class TestLocal:
    def test_missing_weights(self, folder):
        (folder / "custom_cnn.json").write_bytes(facts_json())
        missing = f"The weights of Custom CNN are missing: {', '.join(FILES)}."
        assert message(load_network, "custom_cnn") == missing

    @pytest.mark.parametrize("revision", [None, "main", "abc1234", "A" * 40])
    def test_hub_entry_must_be_a_full_commit(self, folder, revision):
        (folder / "custom_cnn.json").write_bytes(facts_json(hub={"repo": REPO, "revision": revision}))
        expected = f"Expected custom_cnn.json to name a full Hub commit of 40 digits. Received: {revision}"
        assert message(locate, "custom_cnn") == expected

    def test_damaged_weights_are_never_deserialised(self, folder, monkeypatch):
        install(folder, FILES)
        (folder / SHARD).write_bytes(FILES[SHARD] + b"\0")
        monkeypatch.setattr(weights, "_deserialise", lambda *_: pytest.fail("deserialised"))
        expected = f"The weights of Custom CNN are damaged: {SHARD} is not the file that was published."
        assert message(load_network, "custom_cnn") == expected

    def test_ensemble_is_not_a_network(self):
        assert message(load_network, "ensemble") == "Ensemble of both is not a single network."

    @pytest.mark.parametrize("name", MODEL_NAMES)
    def test_shipped_models_are_whole_and_small_enough_for_a_git_push(self, name):
        place, facts = locate(name)
        assert place == MODELS_DIR
        assert all((place / file).stat().st_size <= 10 * 2**20 for file in facts.files)


class TestDeserialise:
    """Files whose SHA-256 is right, and whose content is not."""

    @pytest.mark.parametrize(
        "files",
        [
            {"custom_cnn.keras": b""},
            {"custom_cnn.keras": b"garbage"},
            {"custom_cnn.keras": b"PK\5\6" + bytes(18)},  # an empty zip
            {"custom_cnn.weights.json": b"{"},
            {"custom_cnn.weights.json": b'{"weight_map": []}'},
            FILES,
        ],
    )
    def test_garbage(self, folder, files):
        install(folder, files)
        assert message(load_network, "custom_cnn") == "The weights of Custom CNN cannot be read."

    def test_truncated(self, folder, tmp_path):
        content = saved(NETWORKS["custom_cnn"].build(), tmp_path / "whole.keras")["custom_cnn.keras"]
        install(folder, {"custom_cnn.keras": content[: len(content) // 2]})
        assert message(load_network, "custom_cnn") == "The weights of Custom CNN cannot be read."

    def test_code_in_a_lambda_layer_is_refused(self, folder, tmp_path):
        ran = tmp_path / "ran"
        layer = keras.layers.Lambda(eval(f"lambda x: (__import__('os').mkdir({str(ran)!r}), x)[1]"))
        inputs = keras.Input((48, 48, 3))
        outputs = keras.layers.Dense(7)(keras.layers.Flatten()(layer(inputs)))
        files = saved(keras.Model(inputs, outputs), tmp_path / "lambda.keras")
        ran.rmdir()
        install(folder, files)
        assert message(load_network, "custom_cnn") == "The weights of Custom CNN cannot be read."
        assert not ran.exists()

    def test_another_network(self, folder, tmp_path):
        install(folder, saved(with_heads({"scores": 7}, side=96), tmp_path / "other.keras"))
        assert message(load_network, "custom_cnn") == "The weights of Custom CNN are those of another network."

    @pytest.mark.parametrize(
        ("heads", "found"),
        [
            ({"scores": 8}, "8 scores"),
            ({"scores": 7, "people": 8}, "7 scores, 8 people"),
            ({"people": 7, "scores": 7}, "7 people, 7 scores"),
            ({"scores": 7, "people": 7, "valence": 7}, "7 scores, 7 people, 7 valence"),
        ],
    )
    def test_other_heads(self, folder, tmp_path, heads, found):
        install(folder, saved(with_heads(heads), tmp_path / "other.keras"))
        expected = "Expected the weights of Custom CNN to give 7 scores, once or as scores and people."
        assert message(load_network, "custom_cnn") == f"{expected} Received: {found}"

    def test_a_sequence_of_layers(self, folder, tmp_path):
        parts = keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(7)
        files = saved(keras.Sequential([keras.Input((48, 48, 3)), *parts]), tmp_path / "good.keras")
        install(folder, files)
        assert len(load_network("custom_cnn")[1].outputs) == 1

    @pytest.mark.parametrize("heads", [{"anything": 7}, {"scores": 7, "people": 7}])
    def test_one_head_or_two(self, folder, tmp_path, heads):
        install(folder, saved(with_heads(heads), tmp_path / "good.keras"))
        _, network = load_network("custom_cnn")
        assert len(network.outputs) == len(heads)


@pytest.mark.parametrize("name", NETWORKS)
def test_saved_network_comes_back_in_half_precision(folder, name):
    rng = np.random.default_rng(1)
    network = NETWORKS[name].build()
    values = [rng.uniform(0.1, 1, value.shape).astype(np.float32) for value in network.get_weights()]
    network.set_weights(values)
    policy = keras.config.dtype_policy().name

    files = save_network(network, name, folder)

    assert keras.config.dtype_policy().name == policy
    assert {path.name for path in folder.iterdir()} == set(files)
    assert all((folder / file).stat().st_size <= 10 * 2**20 for file in files)
    document = json.loads((MODELS_DIR / f"{name}.json").read_text())
    (folder / f"{name}.json").write_text(json.dumps(document | {"files": files}))
    _, loaded = load_network(name)
    for value, back in zip(values, loaded.get_weights(), strict=True):
        np.testing.assert_allclose(back, value, rtol=HALF_PRECISION)


LOCATE = """
import json, sys, time
from femr.errors import ModelError
from femr.expression import weights
start = time.perf_counter()
try:
    folder, facts = weights.locate(sys.argv[1])
    answer = {"error": None, "commit": folder.name, "folder": str(folder), "title": facts.title}
except ModelError as error:
    answer = {"error": str(error)}
answer["seconds"] = time.perf_counter() - start
answer["loaded"] = [name for name in ("huggingface_hub", "tensorflow", "keras") if name in sys.modules]
print(json.dumps(answer))
"""


class TestHub:
    """The real Hub client against a stand-in on loopback."""

    @pytest.fixture
    def hub(self):
        with HubServer() as server:
            yield server

    @pytest.fixture
    def commit(self, hub):
        """A repository with the model's files and facts, and its commit."""
        return hub.add(REPO, THERE)

    @pytest.fixture
    def ask(self, hub, tmp_path, monkeypatch):
        """Locates a model, by default at the stand-in, with a cache that lives as long as the test.

        The model's facts name a repository and a commit.
        """

        def locate_there(commit, repo=REPO, endpoint=None):
            entry = {"repo": repo, "revision": commit}
            (tmp_path / "custom_cnn.json").write_bytes(facts_json(hub=entry))
            monkeypatch.setattr(weights, "MODELS_DIR", tmp_path)
            ask_here(monkeypatch, tmp_path / "home", endpoint or hub.url)
            try:
                folder, facts = locate("custom_cnn")
            except ModelError as error:
                return {"error": str(error)}
            return {"error": None, "commit": folder.name, "folder": str(folder), "title": facts.title}

        return locate_there

    @pytest.fixture
    def ask_anew(self, hub, tmp_path):
        """The same in a new process, for what the client reads when it is imported."""

        def locate_there(commit, endpoint=None, **environment):
            (tmp_path / "custom_cnn.json").write_bytes(facts_json(hub={"repo": REPO, "revision": commit}))
            environment = {"FEMR_MODELS_DIR": str(tmp_path)} | environment
            done = run_client(tmp_path / "home", endpoint or hub.url, "-c", LOCATE, "custom_cnn", **environment)
            return json.loads(done.stdout)

        return locate_there

    @staticmethod
    def contents(answer):
        return {name: (Path(answer["folder"]) / name).read_bytes() for name in FILES}

    @pytest.mark.parametrize("name", MODEL_NAMES)
    def test_local_models_need_no_network_and_no_client(self, tmp_path, name):
        done = run_client(tmp_path, NOWHERE, "-c", LOCATE, name)
        answer = json.loads(done.stdout)
        assert answer["error"] is None
        assert answer["folder"] == str(MODELS_DIR)
        assert answer["loaded"] == []

    def test_fresh_download_of_the_commit_that_the_facts_name(self, ask, hub, commit):
        hub.add(REPO, {"custom_cnn.weights.json": b"newer"})
        answer = ask(commit)
        asked = {request.split("/resolve/")[1] for request in hub.requests if "/resolve/" in request}
        assert asked == {f"{commit}/{name}" for name in THERE}
        assert (answer["error"], answer["commit"], answer["title"]) == (None, commit, "Custom CNN")
        assert self.contents(answer) == FILES

    def test_what_is_in_the_cache_is_never_asked_for(self, ask, ask_anew, hub, commit):
        ask(commit)
        hub.requests.clear()
        assert ask(commit)["commit"] == commit
        assert hub.requests == []
        assert ask(commit, endpoint=NOWHERE)["commit"] == commit
        assert ask_anew(commit, HF_HUB_OFFLINE="1")["commit"] == commit

    def test_the_facts_decide_what_the_hub_may_send(self, ask, hub):
        commit = hub.add(REPO, THERE | {SHARD: b"\0another file"})
        expected = f"The weights of Custom CNN are damaged: {SHARD} is not the file that was published."
        assert ask(commit)["error"] == expected

    @pytest.mark.parametrize(
        ("repo", "error"),
        [
            ("nobody/femr", "There is no repository nobody/femr on the Hub, or it is private."),
            (f"a/{'b' * 97}", f"Expected a Hub repository such as user/name. Received: a/{'b' * 97}"),
            (REPO, f"There is no revision {UNKNOWN_COMMIT} of {REPO} on the Hub."),
        ],
    )
    def test_unknown_repository_or_revision(self, ask, commit, repo, error):
        assert ask(UNKNOWN_COMMIT, repo)["error"] == error

    def test_unknown_file(self, ask, hub):
        commit = hub.add(REPO, {name: content for name, content in THERE.items() if name != SHARD})
        assert ask(commit)["error"] == f"There is no file {SHARD} in {REPO} on the Hub."

    def test_changed_bytes_are_refused(self, ask, hub, commit):
        hub.faults.changed.add(SHARD)
        expected = f"The weights of Custom CNN are damaged: {SHARD} is not the file that was published."
        assert ask(commit)["error"] == expected

    def test_a_damaged_cache_heals(self, ask, hub, commit):
        cached = Path(ask(commit)["folder"]) / SHARD
        cached.resolve().write_bytes(b"\0damaged on the disk")
        down = ask(commit, endpoint=NOWHERE)
        assert down["error"] == f"{SHARD} of {REPO} could not be fetched: the Hub cannot be reached."
        healed = ask(commit)
        assert healed["error"] is None
        assert self.contents(healed) == FILES

    @pytest.mark.parametrize(
        ("fault", "reason"), [("truncated", "connection broke off"), ("stalled", "does not answer")]
    )
    def test_a_body_that_stops(self, ask, hub, commit, fault, reason):
        getattr(hub.faults, fault).add(SHARD)
        answer = ask(commit)
        assert reason in answer["error"]
        setattr(hub.faults, fault, set())
        assert self.contents(ask(commit)) == FILES  # nothing half-fetched was left behind

    def test_a_hub_that_cannot_be_reached_is_told_at_once(self, ask, commit):
        answer = ask(commit, endpoint=NOWHERE)
        assert answer["error"] == f"femr.json of {REPO} could not be fetched: the Hub cannot be reached."

    def test_a_hub_that_does_not_answer(self, ask_anew, hub, commit):
        hub.faults.silent = True
        answer = ask_anew(commit)
        assert answer["error"] == f"femr.json of {REPO} could not be fetched: the Hub does not answer."
        assert answer["seconds"] < 10

    def test_a_hub_with_a_fault_of_its_own(self, ask, hub, commit):
        hub.faults.status = 503
        answer = ask(commit)
        assert answer["error"] == f"femr.json of {REPO} could not be fetched: the Hub answered 503."
