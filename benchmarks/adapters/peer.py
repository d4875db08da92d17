"""A Python package that reads faces, behind one call, in an environment of its own: benchmarks.peers starts it.

    python peer.py NAME OPTIONS

A request is a line of JSON: {"file": RGB bytes, picture after picture, "shapes": [[height, width], …], "whole": whether
these are photos to find faces in, or faces to classify}. So is the answer: {"words": what each picture's faces are
named, the largest first, "seconds": what finding them took}. Nothing but NumPy and the package is needed here.
"""

import json
import os
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

Scores = dict[str, float]
Find = Callable[[Any], list[tuple[float, Scores]]]
"""The faces in a picture, RGB uint8 (h, w, 3): how large each is, and the scores of its expressions."""
Classify = Callable[[list[Any]], list[Scores]]
"""The scores of each picture that is a face."""


def femr(model: str = "ensemble", balance: float | None = None, labels: bool = False) -> tuple[Find, Classify]:
    """Ourselves. Args: `labels`, whether to tell FER2013's label instead of what people would say."""
    import cv2

    from femr import load
    from femr.expression.classifier import load_classifier
    from femr.faces.crop import FACE_SIDE

    analyzer, classifier = load(model, balance=balance), load_classifier(model, balance)

    def scores(reading: Any) -> Scores:
        return dict((reading.label_scores if labels else reading.scores).as_dict())

    def find(picture: Any) -> list[tuple[float, Scores]]:
        return [(face.face.size, scores(face)) for face in analyzer(picture).faces]

    def face(picture: Any) -> Any:
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        return cv2.resize(gray, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA)

    def classify(pictures: list[Any]) -> list[Scores]:
        faces = [face(picture) for picture in pictures]
        return [scores(one) for one in classifier.classify([np.stack([face, face[:, ::-1]]) for face in faces])]

    return find, classify


def fer(mtcnn: bool = False, use_tflite: bool = True) -> tuple[Find, Classify]:
    """The package fer; both arguments are its own."""
    if mtcnn:
        import facenet_pytorch  # noqa: F401 - after TensorFlow it ends the process: two LLVMs
    from fer.fer import FER

    finder, bare = FER(mtcnn=mtcnn, use_tflite=use_tflite), FER(use_tflite=use_tflite, offsets=(0, 0))

    def find(picture: Any) -> list[tuple[float, Scores]]:
        faces = finder.detect_emotions(np.ascontiguousarray(picture[:, :, ::-1]))
        return [(float(face["box"][2] * face["box"][3]), face["emotions"]) for face in faces]

    def scores(picture: Any) -> Scores:
        height, width, _ = picture.shape
        (face,) = bare.detect_emotions(np.ascontiguousarray(picture[:, :, ::-1]), [(0, 0, width, height)])
        return dict(face["emotions"])

    return find, lambda pictures: [scores(picture) for picture in pictures]


def facex() -> tuple[Find, Classify]:
    """The package facex."""
    import cv2
    from facex import PoolManager

    reader = PoolManager(1).get_classifier()

    def find(picture: Any) -> list[tuple[float, Scores]]:
        faces = reader.predict(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return [(float(face["bbox"][2] * face["bbox"][3]), face["emot"]) for face in faces]

    return find, lambda pictures: [reader.detect_emotion(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)) for one in pictures]


def word(scores: Scores) -> str:
    """The most probable expression."""
    return max(scores, key=scores.__getitem__)


def main(name: str, options: str) -> None:
    """Answers requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what packages print is no answer
    find, classify = {"femr": femr, "fer": fer, "facex": facex}[name](**json.loads(options))
    for line in sys.stdin:
        request = json.loads(line)
        pixels, ends = np.fromfile(request["file"], np.uint8), np.cumsum([h * w * 3 for h, w in request["shapes"]])
        parts = zip(np.split(pixels, ends[:-1]), request["shapes"], strict=True)
        pictures, words, seconds = [part.reshape(*shape, 3) for part, shape in parts], [], []
        for picture in pictures if request["whole"] else ():
            begun = perf_counter()
            found = find(picture)
            seconds.append(perf_counter() - begun)
            words.append([word(scores) for _, scores in sorted(found, key=lambda face: -face[0])])
        words = words or [[word(scores)] for scores in classify(pictures)]
        print(json.dumps({"words": words, "seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
