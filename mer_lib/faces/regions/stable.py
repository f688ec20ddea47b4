"""Where a face moves with the head and hardly by itself: for fits of the head's motion."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from mer_lib.faces.regions.region import Region, Side, checked_mesh

# Landmarks of the mesh around each region; left and right are those of the image.
_OUTLINES: Mapping[str, tuple[Side, tuple[int, ...]]] = MappingProxyType(
    {
        "upper forehead": ("middle", (10, 338, 297, 332, 333, 299, 337, 151, 108, 69, 104, 103, 67, 109)),
        "left temple": ("left", (162, 139, 143, 116, 137, 93, 234, 127)),
        "right temple": ("right", (389, 368, 372, 345, 366, 323, 454, 356)),
        "nose bridge": ("middle", (168, 351, 399, 456, 281, 4, 51, 236, 174, 122)),
    }
)


def stable_regions(points: np.ndarray) -> tuple[Region, ...]:
    """Return upper forehead, both temples down to the skin before the ears, and the bridge of the nose.

    Brows, lids, cheeks and everything around the mouth are left out: facial muscles move them. No skin is quite still:
    a strong raising of the brows reaches the upper forehead, a strong smile the temples.

    Args:
        points: (478, 2) landmarks in pixels. Left and right are those of the image.

    Raises:
        ParameterError: `points` are no finite landmarks of the mesh.
    """
    points = checked_mesh(points)
    return tuple(Region(name, points[list(around)], side) for name, (side, around) in _OUTLINES.items())


def stable_mask(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the pixels of :func:`stable_regions`: bool (height, width).

    Args:
        points: (478, 2) landmarks in pixels of that image.
        height: rows of the image.
        width: columns of the image.

    Raises:
        ParameterError: `points` are no finite landmarks of the mesh, or the image has no pixel.
    """
    masks = [region.mask(height, width) for region in stable_regions(points)]
    return np.logical_or.reduce(masks)
