"""How much a run measures: all of it, or the short form that only shows that everything works."""

from dataclasses import dataclass

from femr.benchmark.timing import Repeats

Case = tuple[float, int]  # megapixels, faces


@dataclass(frozen=True)
class Effort:
    """Which cases are measured.

    detection, analysis: (megapixels, faces). typical: the picture that several visitors send at once, and the
    megapixels of pictures with a growing number of faces. models, batches: the networks, and how many faces at once.
    threads: how many visitors. growth_megapixels, growth_faces: the sizes between which growth is fitted. new_sizes:
    how many unseen picture sizes are tried.
    """

    repeats: Repeats
    detection: tuple[Case, ...]
    analysis: tuple[Case, ...]
    typical: Case
    models: tuple[str, ...]
    batches: tuple[int, ...]
    threads: tuple[int, ...]
    growth_megapixels: tuple[float, ...]
    growth_faces: tuple[int, ...]
    new_sizes: int


FULL = Effort(
    repeats=Repeats(3, 15, 2.5),
    detection=tuple((megapixels, faces) for megapixels in (0.3, 2, 12) for faces in (1, 5, 30)),
    analysis=((0.3, 1), (2, 1), (2, 5), (2, 30), (12, 5)),
    typical=(2, 5),
    models=("mobilenet_v2", "custom_cnn"),
    batches=(1, 4, 16, 64),
    threads=(1, 2, 4),
    growth_megapixels=(0.3, 0.75, 2, 5, 12),
    growth_faces=(1, 2, 5, 10, 30, 64),
    new_sizes=5,
)
"""Five to six minutes on two cores, most of them the package's and the reference's on large pictures."""

QUICK = Effort(
    repeats=Repeats(1, 2, 0.5),
    detection=((0.3, 1),),
    analysis=((0.3, 1),),
    typical=(0.3, 1),
    models=("mobilenet_v2",),
    batches=(1, 4),
    threads=(1, 2),
    growth_megapixels=(0.1, 0.3),
    growth_faces=(1, 4),
    new_sizes=1,
)
"""Half a minute; its figures are for looking at, not for quoting."""
