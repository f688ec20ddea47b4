"""The three regions of D&C-RoIs: each eye with its brow, and the mouth."""

from __future__ import annotations

import numpy as np

from mer_lib.datasets.synthetic.mesh import (
    LEFT_BROW_LOWER,
    LEFT_BROW_UPPER,
    LEFT_EYE_LOWER,
    LEFT_EYE_UPPER,
    LOWER_LIP_OUTER,
    RIGHT_BROW_LOWER,
    RIGHT_BROW_UPPER,
    RIGHT_EYE_LOWER,
    RIGHT_EYE_UPPER,
    UPPER_LIP_OUTER,
)
from mer_lib.faces.regions.region import Region, Side, checked_mesh, rectangle

# The mesh names the subject's own sides, regions those of the image.
_PARTS: tuple[tuple[str, Side, tuple[int, ...]], ...] = (
    ("left eye and brow", "left", (*RIGHT_BROW_UPPER, *RIGHT_BROW_LOWER, *RIGHT_EYE_UPPER, *RIGHT_EYE_LOWER)),
    ("right eye and brow", "right", (*LEFT_BROW_UPPER, *LEFT_BROW_LOWER, *LEFT_EYE_UPPER, *LEFT_EYE_LOWER)),
    ("mouth", "middle", (*UPPER_LIP_OUTER, *LOWER_LIP_OUTER)),
)
# Room around the landmarks, as a share of the distance from the one outer eye corner to the other.
_MARGIN = 0.08
_OUTER_EYE_CORNERS = (33, 263)


def dnc_rois(points: np.ndarray) -> tuple[Region, ...]:
    """Return three upright rectangles: left eye with its brow, right eye with its brow, mouth.

    Each surrounds the landmarks of its parts with a margin of 8 % of the distance between the outer eye corners, so
    that it also holds what a brow or a lip corner moves into.

    Args:
        points: (478, 2) landmarks in pixels. Left and right are those of the image.

    Raises:
        ParameterError: `points` are no finite landmarks of the mesh.

    Source: Liong, See, Wong, Le Ngo, Oh, Phan, "Automatic apex frame spotting in micro-expression database", ACPR 2015:
    the regions by name; their borders and the margin are not printed.
    """
    points = checked_mesh(points)
    margin = _MARGIN * float(np.linalg.norm(points[_OUTER_EYE_CORNERS[1]] - points[_OUTER_EYE_CORNERS[0]]))
    return tuple(_around(name, points[list(part)], margin, side) for name, side, part in _PARTS)


def _around(name: str, part: np.ndarray, margin: float, side: Side) -> Region:
    (left, top), (right, bottom) = part.min(axis=0) - margin, part.max(axis=0) + margin
    return Region(name, rectangle(left, top, right, bottom), side)
