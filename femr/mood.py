"""The vote: the faces' expressions → the group's mood, and the sentence that explains it.

The rule: each face has one vote, its most probable expression; most votes win. Faces that the model is unsure of do not
vote while others do; where all are unsure, all vote and the sentence says so. A tie goes to the larger sum of
probabilities over the voters. No face, no mood.
"""

from collections import Counter
from collections.abc import Sequence

from femr.emotions import EMOTIONS, Emotion
from femr.results import FaceEmotion, Mood

NO_FACE = "No face found. Try a picture in which faces are larger, brighter and turned to the camera."


def vote(faces: Sequence[FaceEmotion]) -> Mood:
    """The group's mood, by the rule above. `counts` holds the votes that were cast, most first."""
    if not faces:
        return Mood(None, NO_FACE)
    voters = [face for face in faces if not face.unsure] or list(faces)
    votes = Counter(face.scores.top for face in voters)
    sums = {emotion: sum(face.scores[emotion] for face in voters) for emotion in EMOTIONS}
    ranking = sorted(votes, key=lambda emotion: (votes[emotion], sums[emotion]), reverse=True)
    winner = ranking[0]
    tied = [emotion for emotion in ranking if votes[emotion] == votes[winner]]
    counts = {emotion: votes[emotion] for emotion in ranking}
    return Mood(winner, _reason(faces, votes[winner], tied), counts)


def _reason(faces: Sequence[FaceEmotion], most: int, tied: Sequence[Emotion]) -> str:
    unclear = sum(face.unsure for face in faces)
    if unclear == len(faces):
        return _all_unclear(len(faces), tied[0])
    sentence = _tie(most, tied) if len(tied) > 1 else _majority(len(faces), most, tied[0])
    return f"{sentence}; {unclear} {'was' if unclear == 1 else 'were'} unclear" if unclear else sentence


def _majority(faces: int, most: int, winner: Emotion) -> str:
    if faces == 1:
        return f"The face looks {winner.adjective}"
    if most == faces:
        return f"{'Both' if faces == 2 else f'All {faces}'} faces look {winner.adjective}"
    return f"{most} of {faces} faces {'looks' if most == 1 else 'look'} {winner.adjective}"


def _tie(most: int, tied: Sequence[Emotion]) -> str:
    names = [emotion.adjective for emotion in tied]
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    each = f"{most} face{'s' if most > 1 else ''} each"
    return f"A tie: {listed}, {each}; {names[0]} has the higher scores"


def _all_unclear(faces: int, winner: Emotion) -> str:
    subject = {1: "The face is", 2: "Both faces are"}.get(faces, f"All {faces} faces are")
    return f"{subject} hard to read; the best guess is {winner.adjective}"
