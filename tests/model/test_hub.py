"""Networks on the Hub: pushed by `femr push`, read by plain Keras and by `femr.load`, from a stand-in on loopback."""

import gc
import json
import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import ModelCard, close_session

import femr
from builders import PORTRAIT
from femr.__main__ import main
from femr.errors import ImageError, ModelError
from femr.expression import weights
from femr.expression.weights import MODELS_DIR, load_facts, locate
from femr.images import fetch
from femr.publish.push import repositories
from hub_server import NOWHERE, TOKEN, HubServer, ask_here, run_client

REPO, SPACE = "somebody/femr", "somebody/mood"
NETWORKS = repositories(REPO)
MOBILENET = NETWORKS["mobilenet_v2"]
SNIPPET = re.compile(r"^```python\n(import keras\n.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def pushed(tmp_path_factory):
    """A Hub to which both networks were pushed."""
    with HubServer() as server, pytest.MonkeyPatch.context() as patch:
        ask_here(patch, tmp_path_factory.mktemp("home"), server.url, TOKEN)
        assert main(["push", "--repo", REPO]) == 0
        yield server


@pytest.fixture
def hub(pushed):
    """The same Hub, which is put back after the test."""
    kept = {key: (dict(one.commits), dict(one.refs)) for key, one in pushed.repositories.items()}
    pushed.requests.clear()
    yield pushed
    pushed.faults.changed.clear()
    pushed.faults.status = 0
    pushed.repositories = {key: one for key, one in pushed.repositories.items() if key in kept}
    for key, (commits, refs) in kept.items():
        pushed.repositories[key].commits, pushed.repositories[key].refs = commits, refs


@pytest.fixture
def ask(hub, tmp_path, monkeypatch):
    """Has this process ask the stand-in, or nobody, with a cache that lives as long as the test."""

    def at(endpoint=hub.url):
        ask_here(monkeypatch, tmp_path / "home", endpoint)

    at()
    return at


def newest(hub, repo=MOBILENET):
    return hub.repositories[f"models/{repo}"].refs["main"]


def refusal(address, **asked):
    with pytest.raises(ModelError) as caught:
        femr.load(address, **asked)
    return str(caught.value)


@pytest.fixture(scope="module")
def by_snippet(pushed, tmp_path_factory):
    """Network → what plain Keras sees by the snippet on its card, of black pictures; and whether that needed femr."""
    cards = {name: pushed.repositories[f"models/{there}"].files["README.md"] for name, there in NETWORKS.items()}
    snippets = [SNIPPET.findall(card.decode()) for card in cards.values()]
    seen = "import sys, json; print(json.dumps([scores.tolist(), people.tolist(), 'femr' in sys.modules]))"
    code = "\n".join(f"{snippet}\n{seen}" for (snippet,) in snippets)
    done = run_client(tmp_path_factory.mktemp("client"), pushed.url, "-c", code)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[[")]
    return dict(zip(NETWORKS, told, strict=True))


@pytest.mark.parametrize("name", NETWORKS)
class TestPushed:
    def test_it_is_one_network_in_keras_own_layout(self, pushed, name):
        files = pushed.repositories[f"models/{NETWORKS[name]}"].files
        facts = load_facts(name)
        top = {path for path in files if "/" not in path}
        keras_own = {"config.json", "metadata.json", "model.weights.h5"}
        assert top == {".gitattributes", "README.md", "femr.json", *keras_own, f"{name}.onnx"}
        assert {path.split("/")[1].removesuffix(".json") for path in files if "/" in path} == {name}
        told = json.loads(files["femr.json"])
        assert all(sha256(files[file]).hexdigest() == digest for file, digest in (told["files"] | told["onnx"]).items())
        local = sum((MODELS_DIR / file).stat().st_size for file in facts.files if file.endswith(".h5"))
        assert len(files["model.weights.h5"]) == pytest.approx(local, rel=0.01)  # in half precision too

    def test_plain_keras_reads_it_by_the_snippet_on_its_card(self, pushed, by_snippet, name):
        card = ModelCard(pushed.repositories[f"models/{NETWORKS[name]}"].files["README.md"].decode())
        assert (card.data.library_name, card.data.license) == ("keras", "mit")
        assert {one.metric_name.partition(":")[0] for one in card.data.eval_results} == {load_facts(name).title}
        assert "never been cleared" in " ".join(card.text.split())
        *heads, with_femr = by_snippet[name]
        _, network = weights.load_network(name)
        side = load_facts(name).side
        expected = network.predict(np.zeros((1, side, side, 3), "float32"), verbose=0)
        for head, own in zip(heads, expected, strict=True):
            assert head[0] == pytest.approx(own[0].tolist(), abs=1e-5)
        assert not with_femr

    @pytest.mark.parametrize("engine", ["openvino", "keras"])
    def test_femr_reads_it_and_sees_what_the_shipped_network_sees(self, ask, name, engine):
        there = femr.load(NETWORKS[name], engine=engine)(PORTRAIT).faces[0].scores
        here = femr.load(name, engine=engine)(PORTRAIT).faces[0].scores
        assert list(there.probabilities) == pytest.approx(list(here.probabilities), abs=1e-6)


class TestRevisions:
    def test_everything_comes_from_one_commit(self, hub, ask):
        first = newest(hub)
        facts = load_facts(MOBILENET)
        hub.add(MOBILENET, {"femr.json": b"newer"})
        assert facts.address == f"{MOBILENET}@{first}"
        folder, _ = locate(facts.address, "openvino")
        assert folder.name == first

    @pytest.mark.parametrize("revision", ["main", "v1", "refs/pr/1", None])
    def test_a_branch_a_tag_a_commit(self, hub, ask, revision):
        first = newest(hub)
        hub.repositories[f"models/{MOBILENET}"].refs |= {"v1": first, "refs/pr/1": first}
        assert load_facts(f"hf://{MOBILENET}@{revision or first}").address == f"{MOBILENET}@{first}"

    def test_a_branch_moves_on(self, hub, ask):
        content = hub.repositories[f"models/{MOBILENET}"].files["femr.json"]
        before = load_facts(MOBILENET)
        second = hub.add(MOBILENET, {"femr.json": content.replace(b'"title": "MobileNetV2"', b'"title": "Mine"')})
        assert (load_facts(MOBILENET).title, load_facts(MOBILENET).address) == ("Mine", f"{MOBILENET}@{second}")
        assert load_facts(before.address).title == "MobileNetV2"

    def test_offline_the_last_one_is_read_and_a_commit_is_never_asked_for(self, hub, ask):
        first = newest(hub)
        femr.load(MOBILENET, engine="openvino")
        hub.requests.clear()
        assert femr.load(f"{MOBILENET}@{first}", engine="openvino").model == "mobilenet_v2"
        assert hub.requests == []
        ask(NOWHERE)
        assert femr.load(MOBILENET, engine="openvino")(PORTRAIT).mood.emotion == "happy"

    @pytest.mark.parametrize("status", [403, 429, 500, 503])
    def test_a_hub_with_a_fault_is_not_needed_for_the_last_one(self, hub, ask, status):
        femr.load(MOBILENET, engine="openvino")
        hub.faults.status = status
        assert femr.load(MOBILENET, engine="openvino").model == "mobilenet_v2"

    def test_told_to_stay_offline_it_reads_the_last_one(self, hub, ask, tmp_path):
        load_facts(MOBILENET)
        look = f"from femr.expression.weights import load_facts; print(load_facts('{MOBILENET}').address)"
        done = run_client(tmp_path / "home", hub.url, "-c", look, HF_HUB_OFFLINE="1")
        assert done.stdout.strip() == f"{MOBILENET}@{newest(hub)}"


class TestBadInput:
    @pytest.mark.parametrize("name", ["../x", "a/b/c", "somebody/femr@", "https://example.org/a", "a b/c", "/x"])
    def test_malformed(self, hub, ask, name):
        expected = f"Expected a Hub repository such as user/name or user/name@revision. Received: {name}"
        assert refusal(name) == expected
        assert hub.requests == []

    def test_no_such_repository_or_revision(self, ask):
        assert refusal("nobody/femr") == "There is no repository nobody/femr on the Hub, or it is private."
        assert refusal(f"{MOBILENET}@v9") == f"There is no revision v9 of {MOBILENET} on the Hub."

    def test_no_network_of_femrs(self, hub, ask):
        hub.add("somebody/bert", {"config.json": b"{}"})
        expected = "There is no file femr.json in somebody/bert on the Hub: it is no network of femr's."
        assert refusal("somebody/bert") == expected

    @pytest.mark.parametrize("changes", [None, {"name": "ensemble"}, {"files": {"../x.h5": "0" * 64}}, {"labels": []}])
    def test_facts_that_cannot_be(self, hub, ask, changes):
        document = json.loads(hub.repositories[f"models/{MOBILENET}"].files["femr.json"])
        hub.add(MOBILENET, {"femr.json": json.dumps(document | changes).encode() if changes else b"<html>"})
        told = "is for other expressions" if changes == {"labels": []} else "The model's facts, femr.json, are damaged."
        assert told in refusal(MOBILENET)

    @pytest.mark.parametrize(("engine", "file"), [("openvino", "mobilenet_v2.onnx"), ("keras", "model.weights.h5")])
    def test_a_damaged_file(self, hub, ask, unopened, engine, file):
        hub.faults.changed.add(file)
        expected = f"The weights of MobileNetV2 are damaged: {file} is not the file that was published."
        assert refusal(MOBILENET, engine=engine) == expected

    def test_it_may_not_be_read(self, hub, ask):
        hub.faults.status = 403
        expected = f"femr.json of {MOBILENET} could not be fetched: the Hub does not let you read it."
        assert refusal(MOBILENET) == expected

    def test_a_proxy_that_needs_another_package(self, ask, monkeypatch):
        monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
        close_session()
        assert f"femr.json of {MOBILENET} could not be fetched: Using SOCKS proxy, but" in refusal(MOBILENET)
        with pytest.raises(ImageError, match="cannot be fetched: Using SOCKS proxy, but"):
            fetch("http://127.0.0.1:9/photo.jpg")
        monkeypatch.undo()
        close_session()

    def test_offline_without_a_cache(self, ask):
        ask(NOWHERE)
        assert refusal(MOBILENET) == f"femr.json of {MOBILENET} could not be fetched: the Hub cannot be reached."

    def test_the_command_line_says_it_too(self, ask, capsys):
        assert main([str(PORTRAIT), "--model", "nobody/femr"]) == 2
        assert capsys.readouterr().err == "femr: There is no repository nobody/femr on the Hub, or it is private.\n"


@pytest.mark.parametrize(("engine", "model"), [("openvino", "ensemble"), ("keras", "mobilenet_v2")])
def test_an_app_without_weights_takes_them_from_the_commit_that_its_facts_name(
    hub, ask, unopened, tmp_path, monkeypatch, engine, model
):
    models = tmp_path / "models"
    models.mkdir()
    for name in (*NETWORKS, "ensemble"):
        document = json.loads((MODELS_DIR / f"{name}.json").read_text())
        if name in NETWORKS:
            document["hub"] = {"repo": NETWORKS[name], "revision": newest(hub, NETWORKS[name])}
        (models / f"{name}.json").write_text(json.dumps(document))
    expected = femr.load(model, engine=engine)(PORTRAIT).faces[0].scores
    monkeypatch.setattr(weights, "MODELS_DIR", models)
    gc.collect()  # a network that is open is not opened again
    found = femr.load(model, engine=engine)(PORTRAIT).faces[0].scores
    assert list(found.probabilities) == pytest.approx(list(expected.probabilities), abs=1e-6)
    assert any("/resolve/" in request for request in hub.requests)


def test_facts_that_name_another_network_are_refused(hub, ask, tmp_path, monkeypatch):
    document = json.loads(Path(MODELS_DIR / "custom_cnn.json").read_text())
    document["hub"] = {"repo": MOBILENET, "revision": newest(hub)}
    (tmp_path / "custom_cnn.json").write_text(json.dumps(document))
    monkeypatch.setattr(weights, "MODELS_DIR", tmp_path)
    with pytest.raises(ModelError) as caught:
        locate("custom_cnn", "openvino")
    assert str(caught.value) == f"Expected {MOBILENET} to hold the network of custom_cnn.json. Received: another's"
