"""The expression networks: milliseconds a face, by how many faces are read at once."""

from typing import Any

import numpy as np

from femr.benchmark.effort import Effort
from femr.benchmark.progress import Progress
from femr.benchmark.timing import Repeats, side_by_side
from femr.expression.classifier import Classifier, load_classifier
from femr.faces.crop import FACE_SIDE, VIEWS


def measure(effort: Effort) -> list[dict[str, Any]]:
    """One row a model and batch: model, batch (faces), views, ms_per_face, ms_per_view.

    ms_per_face reads each face from all its views, ms_per_view from one.
    """
    progress = Progress("classifier", len(effort.models) * len(effort.batches))
    rows = []
    for model in effort.models:
        classifier = load_classifier(model)
        for batch in effort.batches:
            rows.append({"model": model, **_row(classifier, batch, effort.repeats)})
            progress.step()
    return rows


def _row(classifier: Classifier, batch: int, repeats: Repeats) -> dict[str, Any]:
    # noise: the networks' work does not depend on what they see
    faces = np.random.default_rng(batch).integers(0, 256, (batch, len(VIEWS), FACE_SIDE, FACE_SIDE), np.uint8)
    calls = {"all": lambda: classifier.classify(list(faces)), "one": lambda: classifier.classify(list(faces[:, :1]))}
    times = side_by_side(calls, repeats)
    per_face = {"ms_per_face": times["all"] / batch, "ms_per_view": times["one"] / batch}
    return {"batch": batch, "views": len(VIEWS), **per_face}
