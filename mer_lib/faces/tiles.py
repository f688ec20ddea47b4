"""Looking closer: parts of an image in which a small face is large enough to be found."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from mer_lib.faces.detection import Face
from mer_lib.motion import Box

# Two finds are one face where they share more than this part of the smaller one's box.
_SAME = 0.5


def tiles(height: int, width: int) -> Iterator[Box]:
    """Yield overlapping squares, half as wide as the image's longer side, that cover an image row by row.

    Neighbours overlap by half or more: whatever is not larger than a quarter of the longer side is whole in one.

    >>> [tuple(tile) for tile in tiles(40, 80)]
    [(0, 0, 40, 40), (20, 0, 60, 40), (40, 0, 80, 40)]
    """
    side = max(1, math.ceil(max(height, width) / 2))
    for top in _starts(height, side):
        for left in _starts(width, side):
            yield Box(left, top, min(left + side, width), min(top + side, height))


def _starts(length: int, side: int) -> list[int]:
    room = max(0, length - side)
    return [round(start) for start in np.linspace(0, room, 1 + math.ceil(2 * room / side))]


def distinct(faces: Iterable[Face]) -> list[Face]:
    """Return faces without those that lie on a larger one: a face is found in every tile that holds it."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.area):
        if all(_shared(face.box, other.box) <= _SAME * face.area for other in kept):
            kept.append(face)
    return kept


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the area of what two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, down)
