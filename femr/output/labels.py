"""Where the labels of faces go: beside their boxes, all sides tried, on no face and on no other label."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from femr.faces.boxes import shared_areas

Rectangle: TypeAlias = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels, x2 and y2 exclusive."""
Size: TypeAlias = tuple[int, int]

_ROOM = 3  # widths of its face that a label may have
_SHORT = 2  # forms that may be wider


def place_labels(
    picture: Size, boxes: Sequence[Rectangle], sizes: Sequence[Sequence[Size]]
) -> list[tuple[int, Rectangle] | None]:
    """For each face which form of its label fits and where; None where none does.

    Args:
        picture: Its width and height in pixels.
        boxes: The faces', in pixels of the picture.
        sizes: Width and height of each face's label in all its forms, the smallest first, in pixels.
    """
    chosen: list[tuple[int, Rectangle] | None] = [None] * len(boxes)
    # all small ones first: a large label never takes another's place
    for form in range(max(map(len, sizes), default=0)):
        for number, box in enumerate(boxes):
            if form < _SHORT or sizes[number][form][0] <= _ROOM * (box[2] - box[0]):
                taken = [*boxes, *(one[1] for other, one in enumerate(chosen) if one and other != number)]
                if place := _first_free(list(_around(box, sizes[number][form], picture)), taken):
                    chosen[number] = form, place
    return chosen


def _around(box: Rectangle, label: Size, picture: Size) -> Iterator[Rectangle]:
    """Places of that size at a box, in the picture: above it, below it, on its right and on its left."""
    (x1, y1, x2, y2), (wide, high) = box, label
    along_x = (x1, (x1 + x2 - wide) // 2, x2 - wide, x1 - wide // 2, x2 - wide // 2)
    along_y = (y1, (y1 + y2 - high) // 2, y2 - high, y1 - high // 2, y2 - high // 2)
    corners = [(x, y) for y in (y1 - high, y2) for x in along_x] + [(x, y) for x in (x2, x1 - wide) for y in along_y]
    for x, y in corners:
        left, top = max(0, min(x, picture[0] - wide)), max(0, min(y, picture[1] - high))
        if left + wide <= picture[0] and top + high <= picture[1]:
            yield left, top, left + wide, top + high


def _first_free(places: Sequence[Rectangle], taken: Sequence[Rectangle]) -> Rectangle | None:
    """The first place that shares no pixel with what is taken."""
    if not places:
        return None
    free = ~shared_areas(np.array(places)[:, np.newaxis], taken).any(axis=1)
    return places[int(free.argmax())] if free.any() else None
