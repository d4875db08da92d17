"""Both engines give the same answers, and what can go wrong with a network's file is told in a sentence."""

import gc
import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from weakref import ref

import numpy as np
import pytest

import femr
from builders import PORTRAIT
from femr import engine
from femr.engine import ENGINES, run
from femr.engine.openvino import OpenvinoNetwork
from femr.errors import ModelError
from femr.expression import weights
from femr.expression.networks import NETWORKS
from femr.expression.weights import MODEL_NAMES, MODELS_DIR, load_facts, open_network, read_facts
from femr.faces import mtcnn_networks
from femr.faces.mtcnn import MtcnnDetector
from femr.images import to_picture
from femr.publish.export import export_detector

FAST_WAY = """
import sys
asked = []
sys.addaudithook(lambda event, _: asked.append(event) if event.startswith(("socket.", "urllib.")) else None)
import femr
analysis = femr.load()(sys.argv[1])
assert analysis.song and analysis.faces
print(sorted({"tensorflow", "keras", "mtcnn", "onnx", "scipy"} & set(sys.modules)), asked)
"""

FIRST_CALLS = """
import faulthandler, sys, threading
faulthandler.dump_traceback_later(30, exit=True)
import femr.engine.openvino
import openvino
sys.setswitchinterval(1e-6)
together = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (together.wait(), openvino.Type.f32.to_dtype())) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.fixture
def models(tmp_path, monkeypatch, unopened):
    """An empty models/ folder."""
    monkeypatch.setattr(weights, "MODELS_DIR", tmp_path)
    return tmp_path


def install(folder, name, files):
    """A model's facts with these ONNX files, as published; `files` is name → content."""
    document = json.loads((MODELS_DIR / f"{name}.json").read_text())
    document["onnx"] = {file: sha256(content).hexdigest() for file, content in files.items()}
    (folder / f"{name}.json").write_text(json.dumps(document))
    for file, content in files.items():
        (folder / file).write_bytes(content)


def shipped(name):
    return {file: (MODELS_DIR / file).read_bytes() for file in read_facts(MODELS_DIR / f"{name}.json").onnx}


@pytest.fixture(scope="module")
def kept():
    """Both networks in both engines, open while this module's tests run."""
    return [femr.load("ensemble", engine=one) for one in ENGINES]


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_both_engines_give_the_same_answers(kept, model, portrait, group, library):
    fast, reference = (femr.load(model, engine=one, library=library) for one in ENGINES)
    for picture in (portrait, group[0], np.rot90(portrait)):
        found, expected = fast(picture), reference(picture)
        assert len(found.faces) == len(expected.faces) > 0
        assert found.mood == expected.mood
        for one, other in zip(found.faces, expected.faces, strict=True):
            assert one.box == pytest.approx(other.box, abs=0.05)
            assert one.face.confidence == pytest.approx(other.face.confidence, abs=1e-3)
            for answer in ("scores", "vote_shares", "label_scores"):
                pair = (getattr(each, answer).probabilities for each in (one, other))
                assert next(pair) == pytest.approx(next(pair), abs=1e-3)


def test_from_photo_to_song_without_tensorflow_or_a_network(tmp_path):
    """OpenVINO's telemetry would make folders at home and send each import of it."""
    command = [sys.executable, "-W", "error", "-c", FAST_WAY, str(PORTRAIT)]
    env = {name: value for name, value in os.environ.items() if name != "CI"} | {"HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert (done.stdout.strip(), done.stderr) == ("[] []", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("asked", ENGINES)
def test_a_network_is_in_memory_once(asked):
    with ThreadPoolExecutor(4) as pool:
        networks = list(pool.map(lambda _: open_network("mobilenet_v2", asked)[1], range(4)))
    assert len({id(network) for network in networks}) == 1
    alone, both = femr.load("mobilenet_v2", engine=asked), femr.load("ensemble", engine=asked)
    assert {alone.model, both.model} == {"mobilenet_v2", "ensemble"}
    assert open_network("mobilenet_v2", asked)[1] is networks[0]
    assert mtcnn_networks.load(asked) is mtcnn_networks.load(asked)


def test_a_network_that_nobody_uses_is_given_back(unopened):
    network = ref(open_network("custom_cnn", "openvino")[1])
    gc.collect()
    assert network() is None


@pytest.mark.parametrize("asked", ENGINES)
@pytest.mark.parametrize("count", [0, 1, 3, 150])
def test_any_number_of_inputs_at_once_gives_what_each_gives_alone(asked, count):
    rnet = mtcnn_networks.load(asked).rnet
    patches = np.random.default_rng(count).integers(0, 256, (count, 24, 24, 3), np.uint8)
    outputs = run(rnet, patches)
    assert [output.shape for output in outputs] == [(count, 4), (count, 1)]
    for number in range(0, count, 40):
        for together, alone in zip(outputs, run(rnet, patches[number : number + 1]), strict=True):
            np.testing.assert_allclose(together[number], alone[0], atol=1e-4)


def test_threads_whose_first_pictures_come_at_once_do_not_wait_for_each_other():
    for _ in range(3):  # without the remedy three of four processes stand still
        subprocess.run([sys.executable, "-c", FIRST_CALLS], check=True)


FORK = """
import os, sys
import femr
engine, picture = sys.argv[1:]
analyzer = femr.load("mobilenet_v2", engine=engine)
analyzer(picture)
if os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
try:
    analyzer(picture)
except femr.ModelError as error:
    print(error)
if engine == "openvino":
    print(femr.load("mobilenet_v2", engine=engine)(picture).mood.emotion)
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.parametrize("asked", ENGINES)
def test_an_analyzer_says_that_it_came_with_a_fork(asked):
    """There its engine's threads are missing, and it would wait for them for ever."""
    command = [sys.executable, "-c", FORK, asked, str(PORTRAIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    told, *anew = done.stdout.splitlines()
    assert told.startswith("Expected an analyzer that was loaded in this process: call femr.load() in each.")
    assert anew == (["happy"] if asked == "openvino" else [])


def test_an_analyzer_is_not_pickled(library):
    with pytest.raises(ModelError, match=r"^An analyzer cannot be pickled: call femr\.load\(\) in each process\.$"):
        pickle.dumps(femr.load("mobilenet_v2", library=library))


BACKEND = """
import femr
from femr.__main__ import main
try:
    femr.load("mobilenet_v2", engine="keras")
except femr.ModelError as error:
    print(error)
raise SystemExit(main(["evaluate", "ensemble", "--data", "anywhere"]))
"""


def test_a_backend_that_keras_does_not_have():
    environment = os.environ | {"KERAS_BACKEND": "tensrflow"}
    done = subprocess.run([sys.executable, "-c", BACKEND], capture_output=True, text=True, env=environment)
    told = "Keras cannot be loaded: Unable to import backend : tensrflow. KERAS_BACKEND names its backend"
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith(told)
    assert f"femr: {told}" in done.stderr


OLD_PROCESSOR = """
import cv2, platform
platform.machine = lambda: "x86_64"
cv2.checkHardwareSupport = lambda feature: False
from femr.engine.openvino import OpenvinoNetwork
from femr.expression.weights import MODELS_DIR
try:
    OpenvinoNetwork(MODELS_DIR / "rnet.onnx")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_processor_that_is_too_old_is_told():
    told = subprocess.run([sys.executable, "-c", OLD_PROCESSOR], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("ModelError The networks need a processor with AVX")


def test_several_threads_share_a_network(portrait):
    detector = MtcnnDetector()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(detector.detect, [[to_picture(portrait)]] * 12))
    assert found == [found[0]] * 12


class TestChoice:
    def test_the_environment_names_one(self, monkeypatch):
        assert engine.choose() == "openvino"
        monkeypatch.setenv("FEMR_ENGINE", "keras")
        assert engine.choose() == "keras"
        assert engine.choose("openvino") == "openvino"

    def test_there_is_no_such_engine(self, monkeypatch):
        expected = "Expected an engine named openvino, keras. Received: onnxruntime"
        with pytest.raises(ModelError, match=expected):
            femr.load(engine="onnxruntime")
        monkeypatch.setenv("FEMR_ENGINE", "onnxruntime")
        with pytest.raises(ModelError, match=expected):
            femr.load()

    @pytest.mark.parametrize(("asked", "packages"), [("openvino", "openvino"), ("keras", "keras tensorflow")])
    def test_it_is_not_installed(self, monkeypatch, asked, packages):
        monkeypatch.setattr(engine, "find_spec", lambda name: name != asked or None)
        with pytest.raises(ModelError, match=rf"The engine {asked} is not installed: pip install {packages}\."):
            femr.load(engine=asked)
        (other,) = set(ENGINES) - {asked}
        assert engine.choose() == other


class TestFiles:
    def test_shipped_files_are_whole_and_small_enough_for_a_git_push(self):
        for name in NETWORKS:
            folder, facts = weights.locate(name, "openvino")
            assert folder == MODELS_DIR
            assert facts.onnx
            assert all((folder / file).stat().st_size <= 10 * 2**20 for file in facts.onnx)

    def test_a_damaged_file_is_never_read(self, models):
        install(models, "custom_cnn", shipped("custom_cnn"))
        with (models / "custom_cnn_00000.onnx_data").open("ab") as file:
            file.write(b"\0")
        with pytest.raises(ModelError, match=r"Custom CNN are damaged: custom_cnn_00000\.onnx_data is not the file"):
            open_network("custom_cnn", "openvino")

    def test_garbage(self, models):
        install(models, "custom_cnn", {"custom_cnn.onnx": b"garbage"})
        with pytest.raises(ModelError, match=r"^The network in custom_cnn\.onnx cannot be read by OpenVINO\.$"):
            open_network("custom_cnn", "openvino")

    def test_somebody_elses_network(self, models):
        (content,) = shipped("mobilenet_v2").values()
        install(models, "custom_cnn", {"custom_cnn.onnx": content})
        with pytest.raises(ModelError, match=r"^The weights of Custom CNN are those of another network\.$"):
            open_network("custom_cnn", "openvino")

    def test_a_model_that_was_never_exported(self, models):
        install(models, "mobilenet_v2", {})
        for file in load_facts("mobilenet_v2").files:
            (models / file).write_bytes((MODELS_DIR / file).read_bytes())
        with pytest.raises(ModelError, match="has no file for the engine openvino: publish it anew, or choose keras"):
            open_network("mobilenet_v2", "openvino")
        _, network = open_network("mobilenet_v2")
        assert list(network.outputs) == ["scores", "people"]

    def test_an_input_of_another_size_is_not_taken_for_an_answer(self):
        network = OpenvinoNetwork(MODELS_DIR / "rnet.onnx")
        with pytest.raises(ModelError, match="could not be run"):
            network([np.zeros((1, 25, 24, 3), np.uint8)])

    def test_the_detectors_networks_are_those_that_export_writes(self, tmp_path, portrait):
        assert json.loads(export_detector(tmp_path).read_text()).keys() == {"source", "onnx"}
        patches = np.stack([portrait[y : y + 48, 200:248] for y in (60, 90)])
        for name, side in (("pnet", 48), ("rnet", 24), ("onet", 48)):
            written, shipped = (OpenvinoNetwork(folder / f"{name}.onnx") for folder in (tmp_path, MODELS_DIR))
            for one, other in zip(
                written([patches[:, :side, :side]])[0], shipped([patches[:, :side, :side]])[0], strict=True
            ):
                np.testing.assert_allclose(one, other, atol=1e-5)

    def test_the_detectors_networks_are_damaged(self, tmp_path, monkeypatch):
        for file in ("mtcnn.json", "pnet.onnx", "rnet.onnx"):
            (tmp_path / file).write_bytes((MODELS_DIR / file).read_bytes())
        monkeypatch.setattr(mtcnn_networks, "own_folder", lambda _: tmp_path)
        with pytest.raises(ModelError, match="that find faces are missing or damaged"):
            MtcnnDetector(engine="openvino")
        (tmp_path / "onet.onnx").write_bytes(b"other")
        with pytest.raises(ModelError, match=r"are damaged: onet\.onnx is not the file that was published"):
            MtcnnDetector(engine="openvino")
