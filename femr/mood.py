"""The vote: the faces' expressions → the group's mood, and the sentence that explains it.

The rule: each clear face has one vote, its most probable expression; most votes win, and a tie goes to the larger and
clearer faces. A clear face has no vote beside an unclear one that is more than three times as large, and what may be no
face never has one. Where nobody can vote, the large unclear faces do, and the sentence says that it is a guess; where
there is nothing but what may be no face, there is no mood. A face of which somebody has said what it shows is always a
clear one.
"""

from collections import Counter
from collections.abc import Sequence

from femr.faces.quality import surely_a_face
from femr.results import EMOTIONS, Emotion, FaceEmotion, Mood

BESIDE = 1 / 3
"""How large a face must be beside the largest unclear one, side by side, to vote: an ear, a wrist, a poster is less."""

NO_FACE = "No face found. Try a picture in which faces are larger, brighter and turned to the camera."
NOTHING_SURE = (
    "Nothing here is clearly a face. Try a picture in which faces are larger, brighter and turned to the camera."
)


def vote(faces: Sequence[FaceEmotion]) -> Mood:
    """The group's mood, by the rule above. `counts` holds the votes that were cast, most first."""
    if not faces:
        return Mood(None, NO_FACE)
    real = [face for face in faces if face.told or surely_a_face(face.face)]
    if not real:
        return Mood(None, NOTHING_SURE)
    least = BESIDE * max((face.face.size for face in real if face.unsure), default=0.0)
    large = [face for face in real if face.told or face.face.size >= least]
    clear = [face for face in large if not face.unsure]
    ranking = _ranking(clear or large)
    winner, most = ranking[0]
    tied = [emotion for emotion, votes in ranking if votes == most]
    if clear:
        sentence = _tie(most, tied) if len(tied) > 1 else _majority(len(real), most, winner)
        unclear = sum(face.unsure for face in real)
        reason = sentence + _others(unclear, len(real) - unclear - len(clear), len(faces) - len(real))
    else:
        reason = _guess(len(large), len(real), winner) + _others(0, 0, len(faces) - len(real))
    return Mood(winner, reason, dict(ranking))


def _ranking(voters: Sequence[FaceEmotion]) -> list[tuple[Emotion, int]]:
    """The expressions that were voted for, each with its votes, the winner first."""
    votes = Counter(face.scores.top for face in voters)
    weights = {emotion: sum(face.face.size * face.scores[emotion] for face in voters) for emotion in EMOTIONS}
    return sorted(votes.items(), key=lambda vote: (vote[1], weights[vote[0]]), reverse=True)


def _majority(faces: int, most: int, winner: Emotion) -> str:
    if faces == 1:
        return f"The face looks {winner.adjective}"
    if most == faces:
        return f"{'Both' if faces == 2 else f'All {faces}'} faces look {winner.adjective}"
    return f"{most} of {faces} faces {'looks' if most == 1 else 'look'} {winner.adjective}"


def _tie(most: int, tied: Sequence[Emotion]) -> str:
    names = [emotion.adjective for emotion in tied]
    each = f"{most} face{'s' if most > 1 else ''} each"
    return f"A tie: {_listed(names)}, {each}; the {names[0]} {'faces are' if most > 1 else 'one is'} larger or clearer"


def _guess(large: int, faces: int, winner: Emotion) -> str:
    """What is said where nobody could vote: all are unclear, or all that are large."""
    if large < faces:
        subject = "The largest face is" if large == 1 else f"The {large} largest faces are"
    else:
        subject = {1: "The face is", 2: "Both faces are"}.get(faces, f"All {faces} faces are")
    return f"{subject} hard to read; the best guess is {winner.adjective}"


def _others(unclear: int, small: int, doubtful: int) -> str:
    """Why the other boxes of the picture did not vote, as the end of a sentence; empty where there are none."""
    parts = [(unclear, "was unclear", "were unclear")]
    parts += [(small, "was too small to vote", "were too small to vote")]
    parts += [(doubtful, "more may not be a face", "more may not be faces")]
    said = [f"{count} {one if count == 1 else several}" for count, one, several in parts if count]
    return f"; {_listed(said)}" if said else ""


def _listed(words: Sequence[str]) -> str:
    """The words with commas, and "and" before the last."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
