"""The Ray engine on a local cluster of two workers: slow, about half a minute, nearly all of it TensorFlow's start."""

import shutil

import cv2
import psutil
import pytest
from PIL import Image

from femr.batch.folder import BATCH
from femr.batch.folder import analyze_inputs as analyze_locally
from femr.batch.inputs import find
from femr.batch.ray import analyze_inputs
from femr.errors import FemrError, ModelError
from femr.output.table import TableWriter
from videos import scene, write_video


@pytest.fixture(scope="module")
def inputs(portrait, tmp_path_factory):
    """Five batches of photos, one of them broken, one by an address, and a video."""
    folder = tmp_path_factory.mktemp("album")
    for number in range(5 * BATCH):
        side = 120 + 2 * number
        small = cv2.resize(portrait[:300, 60:360], (side, side), interpolation=cv2.INTER_AREA)
        Image.fromarray(small).save(folder / f"{number:02}.png")
    (folder / "11.png").write_bytes(b"broken")
    write_video(folder / "clip.mp4", [scene(portrait, (0, 50))] * 6, [i / 4 for i in range(6)])
    shutil.copy(folder / "00.png", folder / "x.png")
    return find([*sorted(folder.glob("??.png")), folder / "clip.mp4", f"file://{folder / 'x.png'}"])


def write(path, analyses):
    with TableWriter(path) as table:
        for analysis in analyses:
            table.write(analysis)
    return path.read_bytes()


def workers():
    """The processes of the actors that hold an analyzer."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "Worker" in child.name() or "_Worker" in " ".join(child.cmdline())]


def listening():
    """The addresses that this process's descendants listen on."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            found |= {each.laddr.ip for each in child.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
        except psutil.NoSuchProcess:
            continue
    return found


def test_without_inputs_nothing_is_started():
    assert list(analyze_inputs([])) == []
    assert listening() == set()


def test_a_wrong_model_is_said_before_anything_starts(inputs):
    with pytest.raises(ModelError, match="Expected a model named"):
        next(analyze_inputs(inputs, "vgg"))


def test_the_table_is_the_local_engines_though_a_worker_is_killed(inputs, analyzer, tmp_path, capfd):
    expected = write(tmp_path / "local.parquet", analyze_locally(analyzer, inputs))
    analyses = analyze_inputs(inputs, "mobilenet_v2", workers=2)
    found = [next(analyses)]
    assert capfd.readouterr().err == ""  # Ray has nothing to say
    before = workers()
    assert len(before) == 2
    addresses = listening()
    before[0].kill()
    found.extend(analyses)
    assert len(found) == 5 * BATCH + 6 + 1
    assert write(tmp_path / "ray.parquet", found) == expected
    # nothing was reachable from outside
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert workers() == []


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_a_cluster_that_is_not_there_is_said(inputs, address):
    with pytest.raises(FemrError, match=f"Expected the HOST:PORT of a running Ray cluster. Received: {address}"):
        next(analyze_inputs(inputs, address=address))
