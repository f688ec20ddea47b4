"""The ten cells in which CapsuleNet's authors look for the apex."""

from __future__ import annotations

import numpy as np

from mer_lib.errors import DataError
from mer_lib.faces.regions.region import Region, Side, checked_mesh, rectangle

# Landmarks of the mesh. Left and right are those of the image.
_LIP_CORNERS = (61, 291)
_UPPER_LIP = (37, 0, 267)  # the highest points of the red of the lip
_CHIN = 152
_NOSE_WINGS = (129, 358)
_OUTER_EYE_CORNERS = (33, 263)
_INNER_BROW_ENDS = ((107, 55), (336, 285))
# Of a cell's side: how far the cells beside the brows' inner ends reach towards the midline beyond those ends.
_OVER_THE_END = 0.25
# Of a cell's side: how far the centres of the cells at the brows lie above the brows' inner ends, clear of the lids.
_ABOVE_THE_ENDS = 0.2


def ten_cells(points: np.ndarray) -> tuple[Region, ...]:
    """Return ten upright square cells, each half as wide as the mouth.

    At both lip corners, above the lowest point of the chin, on both sides of the nose above the lips, on the outer side
    of both eyes, between the brows, and on the inner part of both brows. Neighbours may overlap a little.

    Args:
        points: (478, 2) landmarks in pixels. Left and right are those of the image.

    Returns:
        Ten regions, each pair left before right.

    Raises:
        ParameterError: `points` are no finite landmarks of the mesh.
        DataError: the mouth has no width.

    Source: Quang, Chun, Tokuyama, "CapsuleNet for micro-expression recognition", IEEE FG 2019, section on apex
    spotting: the places in words and half the mouth's width as side. Which edge of a cell touches which landmark is not
    printed and is chosen here.
    """
    points = checked_mesh(points)
    side = float(np.linalg.norm(points[_LIP_CORNERS[1]] - points[_LIP_CORNERS[0]])) / 2
    if side == 0:
        raise DataError("ten cells: the mouth has no width, both lip corners are one point")
    return (*_lower_face(points, side), *_upper_face(points, side))


def _lower_face(points: np.ndarray, side: float) -> list[Region]:
    lips = _pair("lip corner", points[list(_LIP_CORNERS)], side)
    chin = points[_CHIN] - (0, side / 2)
    wings = points[list(_NOSE_WINGS), 0] + (-side / 2, side / 2)
    above_lips = points[list(_UPPER_LIP), 1].min() - side / 2
    nose = _pair("side of the nose", np.stack([wings, [above_lips, above_lips]], axis=1), side)
    return [*lips, _square("chin", chin, side, "middle"), *nose]


def _upper_face(points: np.ndarray, side: float) -> list[Region]:
    eyes = points[list(_OUTER_EYE_CORNERS)] + [(-side / 2, 0), (side / 2, 0)]
    ends = np.stack([points[list(end)].mean(axis=0) for end in _INNER_BROW_ENDS])
    ends -= (0, _ABOVE_THE_ENDS * side)
    away = (0.5 - _OVER_THE_END) * side
    return [
        *_pair("outer eye", eyes, side),
        _square("between the brows", ends.mean(axis=0), side, "middle"),
        *_pair("inner brow", ends + [(-away, 0), (away, 0)], side),
    ]


def _pair(name: str, centres: np.ndarray, side: float) -> list[Region]:
    return [
        _square(f"left {name}", centres[0], side, "left"),
        _square(f"right {name}", centres[1], side, "right"),
    ]


def _square(name: str, centre: np.ndarray, side: float, where: Side) -> Region:
    x, y = centre
    return Region(name, rectangle(x - side / 2, y - side / 2, x + side / 2, y + side / 2), where)
