"""The four windows of the mosaic: where they lie on a flow map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mer_lib.datasets import MAP_SIZE
from mer_lib.errors import ParameterError
from mer_lib.faces.published import published_points
from mer_lib.faces.regions import four_windows


class Region(NamedTuple):
    """A window in map pixels: rows y0 to y1, columns x0 to x1, the ends not included."""

    name: str
    y0: int
    x0: int
    y1: int
    x1: int


def region_boxes(block: int = 7, legacy_swap: bool = False, points: np.ndarray | None = None) -> tuple[Region, ...]:
    """The four windows in the reading order of the mosaic.

    >>> region_boxes(7)[1]
    Region(name='right eye', y0=3, x0=14, y1=17, x1=28)

    Args:
        block: half the side of a window in pixels, 1 to 14. Centres are moved into [block, 28 - block],
            so that windows stay inside, then cut to whole pixels as in the authors' code.
        legacy_swap: as in :class:`mer_lib.features.FourRegionMosaic`.
        points: (5, 2), x then y in map pixels: left eye, right eye, nose, left and right corner of the lips, left and
            right being those of the image; those of the published maps where None.

    Raises:
        ParameterError: `block` is out of range.
    """
    if not 1 <= block <= MAP_SIZE // 2:
        raise ParameterError(f"block: expected 1 to {MAP_SIZE // 2} pixels (a window is twice as wide), got {block}")
    five = published_points(MAP_SIZE, MAP_SIZE) if points is None else points
    windows = four_windows(five, 2 * block, legacy_swap, within=(MAP_SIZE, MAP_SIZE))
    return tuple(Region(w.name, w.box.top, w.box.left, w.box.bottom, w.box.right) for w in windows)
