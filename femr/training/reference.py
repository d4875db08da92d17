"""What stays of a run by the reference's recipe: its figures and curves, to compare with. Its weights do not."""

from pathlib import Path

from femr.errors import ModelError
from femr.expression import weights
from femr.training import data, facts, plots
from femr.training import record as records
from femr.training.checkpoint import make_folder
from femr.training.evaluate import evaluate_loaded
from femr.training.run import FINAL

RECIPE = "reference"
CURVES = "reference_curves.png"


def keep(run: Path, source: str | Path) -> Path:
    """The path of models/reference/<network>.json: a finished run's record, and its scores on PrivateTest.

    Its curves are drawn beside the pictures of femr's own model. Raises: ModelError if the run is not finished, or of
    another recipe; DataError.
    """
    record = records.read(run)
    if not records.finished(run) or record["recipe"]["name"] != RECIPE:
        raise ModelError(f"Expected a finished run by the recipe {RECIPE}. Received: another")
    network = record["network"]
    private = evaluate_loaded(str(run / FINAL), data.load(source))
    document = {"network": network, "title": facts.TITLES[network], "notes": [], **record}
    if plots.available():
        plots.draw_curves(record["history"], make_folder(facts.picture_folder(network)) / CURVES)
    folder = make_folder(weights.MODELS_DIR / "reference")
    return facts.write_json(folder / f"{network}.json", document | {"scores": {data.PRIVATE_TEST: private}})
