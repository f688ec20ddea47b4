"""The four windows of the mosaic: where they lie on a flow map."""

from __future__ import annotations

from typing import NamedTuple

from mer_lib.datasets import MAP_SIZE
from mer_lib.datasets.maps import CONSTANT_POINTS
from mer_lib.errors import ParameterError

# Reading order of the mosaic: top left, top right, bottom left, bottom right.
_ORDER = ("left eye", "right eye", "left lip", "right lip")
_LEGACY_ORDER = ("left eye", "left lip", "right eye", "right lip")
# Which point the authors' code takes for which area: it reads the detector's order (left eye, right eye,
# nose, left lip, right lip) as left eye, left lip, nose, right eye, right lip.
_LEGACY_POINT = {
    "left eye": "left eye",
    "left lip": "right eye",
    "right eye": "left lip",
    "right lip": "right lip",
}


class Region(NamedTuple):
    """A window in map pixels: rows y0 to y1, columns x0 to x1, the ends not included."""

    name: str
    y0: int
    x0: int
    y1: int
    x1: int


def region_boxes(block: int = 7, legacy_swap: bool = False) -> tuple[Region, ...]:
    """The four windows in the reading order of the mosaic.

    >>> region_boxes(7)[1]
    Region(name='right eye', y0=3, x0=14, y1=17, x1=28)

    Args:
        block: half the side of a window in pixels, 1 to 14. Centres are moved into [block, 28 - block],
            so that windows stay inside, then cut to whole pixels as in the authors' code.
        legacy_swap: as in :class:`mer_lib.features.FourRegionMosaic`.

    Raises:
        ParameterError: `block` is out of range.
    """
    if not 1 <= block <= MAP_SIZE // 2:
        raise ParameterError(f"block: expected 1 to {MAP_SIZE // 2} pixels (a window is twice as wide), got {block}")
    if legacy_swap:
        # A point is (x, y); the authors' code takes it for (row, column).
        points = {name: CONSTANT_POINTS[_LEGACY_POINT[name]] for name in _LEGACY_ORDER}
    else:
        points = {name: CONSTANT_POINTS[name][::-1] for name in _ORDER}
    return tuple(_around(name, row, column, block) for name, (row, column) in points.items())


def _around(name: str, row: float, column: float, block: int) -> Region:
    y, x = (int(min(max(value, block), MAP_SIZE - block)) for value in (row, column))
    return Region(name, y - block, x - block, y + block, x + block)
