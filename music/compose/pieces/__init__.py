"""The pieces: every module here has a function compose() that returns a Score."""

from importlib import import_module
from pkgutil import iter_modules

from music.compose.score import Score


def names() -> list[str]:
    """Module names of all pieces, sorted."""
    return sorted(module.name for module in iter_modules(__path__))


def compose(name: str) -> Score:
    """The score of the piece in module `name`, composed anew."""
    score = import_module(f"{__name__}.{name}").compose()
    if not isinstance(score, Score):
        raise TypeError(f"Expected compose() of {name} to return a Score. Received: {type(score).__name__}")
    return score


def scores() -> list[Score]:
    """All pieces, in order of expression and title."""
    return sorted((compose(name) for name in names()), key=lambda score: (score.expression, score.title))
