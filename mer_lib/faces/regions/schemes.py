"""The schemes of regions by name."""

from __future__ import annotations

import numpy as np

from mer_lib.errors import ParameterError
from mer_lib.faces.regions.cells import ten_cells
from mer_lib.faces.regions.muscles import muscle_regions
from mer_lib.faces.regions.region import Region
from mer_lib.faces.regions.rois import dnc_rois
from mer_lib.faces.regions.windows import four_windows

#: By their number of regions: 4, 10, 42 and 3.
SCHEMES: tuple[str, ...] = ("four_windows", "ten_cells", "muscle_regions", "dnc_rois")
_WITHOUT_OPTIONS = {"ten_cells": ten_cells, "muscle_regions": muscle_regions, "dnc_rois": dnc_rois}


def regions(
    scheme: str, points: np.ndarray, *, size: int | None = None, legacy_swap: bool = False
) -> tuple[Region, ...]:
    """Return the regions of a scheme around the landmarks of a face.

    Args:
        scheme: one of :data:`SCHEMES`.
        points: (478, 2) landmarks in pixels; (5, 2) will do for "four_windows".
        size: side of a window in pixels, for "four_windows" alone.
        legacy_swap: for "four_windows" alone, see :func:`four_windows`.

    Raises:
        ParameterError: the scheme is unknown, the points are no landmarks, or an option is not the scheme's.
        DataError: the landmarks have no extent.
    """
    if scheme == "four_windows":
        return four_windows(points, size, legacy_swap)
    if scheme not in _WITHOUT_OPTIONS:
        raise ParameterError(f"scheme: expected one of {', '.join(SCHEMES)}, got {scheme!r}")
    if size is not None or legacy_swap:
        raise ParameterError(f"scheme {scheme!r} takes neither size nor legacy_swap: they belong to four_windows")
    return _WITHOUT_OPTIONS[scheme](points)
