"""The four windows of HTNet: around both eyes and both lip corners."""

from __future__ import annotations

import math

import numpy as np

from mer_lib.datasets.maps import MAP_SIZE
from mer_lib.errors import ParameterError
from mer_lib.faces.alignment import similarity
from mer_lib.faces.points import FIVE_POINTS, five_points
from mer_lib.faces.regions.region import Region, Side, rectangle

_SIDES: dict[str, Side] = {"left eye": "left", "right eye": "right", "left lip": "left", "right lip": "right"}
# Reading order of the mosaic: top left, top right, bottom left, bottom right.
_ORDER = ("left eye", "right eye", "left lip", "right lip")
_LEGACY_ORDER = ("left eye", "left lip", "right eye", "right lip")
# Which point the authors' code takes for which area: it reads the detector's order (left eye, right eye, nose, left
# lip, right lip) as left eye, left lip, nose, right eye, right lip.
_LEGACY_POINT = {"left eye": "left eye", "left lip": "right eye", "right eye": "left lip", "right lip": "right lip"}


def four_windows(
    points: np.ndarray,
    size: int | None = None,
    legacy_swap: bool = False,
    within: tuple[int, int] | None = None,
) -> tuple[Region, ...]:
    """Return four upright square windows of whole pixels, in the reading order of the mosaic.

    Args:
        points: (478, 2) or (5, 2) landmarks in pixels; of five: left eye, right eye, nose, left lip corner, right lip
            corner. Left and right are those of the image.
        size: side of a window in pixels. None: half the side of the published map in which this face would lie as
            published faces do.
        legacy_swap: as the authors' code: x is taken for the row and y for the column, and two points for each other's,
            which nearly cancel; the order is then left eye, left lip, right eye, right lip.
        within: (height, width) of the image. Windows that would leave it are moved inside. None: they may leave it.

    Raises:
        ParameterError: the points or the size are out of range, or a window does not fit into the image.
        DataError: all points are one.

    Source: Wang, Zhang, Luo, Sankaranarayana, "HTNet for micro-expression recognition", Neurocomputing 2024, section on
    the four areas, and the authors' code.
    """
    five = five_points(points).astype(np.float64)
    size = _natural_size(five) if size is None else size
    _check_size(size, within)
    at = dict(zip(FIVE_POINTS, five, strict=True))
    if legacy_swap:
        centres = {name: at[_LEGACY_POINT[name]][::-1] for name in _LEGACY_ORDER}
    else:
        centres = {name: at[name] for name in _ORDER}
    return tuple(_window(name, centre, size, within) for name, centre in centres.items())


def _natural_size(five: np.ndarray) -> int:
    return max(1, round(MAP_SIZE / 2 / similarity(five, side=MAP_SIZE).scale))


def _check_size(size: int, within: tuple[int, int] | None) -> None:
    if size < 1:
        raise ParameterError(f"size: expected at least 1 pixel, got {size}")
    if within is not None and size > min(within):
        raise ParameterError(
            f"size: a window of {size} pixels does not fit into an image of {within[1]}x{within[0]}; make it smaller"
        )


def _window(name: str, centre: np.ndarray, size: int, within: tuple[int, int] | None) -> Region:
    low = [float(value) - size / 2 for value in centre]
    if within is not None:
        low = [min(max(value, 0.0), length - size) for value, length in zip(low, within[::-1], strict=True)]
    left, top = (math.floor(value) - 0.5 for value in low)
    return Region(name, rectangle(left, top, left + size, top + size), _SIDES[name])
