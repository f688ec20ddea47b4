"""Regions of a face by name: windows, cells, muscle regions, and where a face moves with the head alone.

Left and right are those of the image.
"""

from __future__ import annotations

from mer_lib.faces.regions.cells import ten_cells
from mer_lib.faces.regions.muscles import MusclePair, muscle_pairs, muscle_regions
from mer_lib.faces.regions.region import Region
from mer_lib.faces.regions.rois import dnc_rois
from mer_lib.faces.regions.schemes import SCHEMES, regions
from mer_lib.faces.regions.stable import stable_mask, stable_regions
from mer_lib.faces.regions.windows import four_windows

__all__ = [
    "SCHEMES",
    "MusclePair",
    "Region",
    "dnc_rois",
    "four_windows",
    "muscle_pairs",
    "muscle_regions",
    "regions",
    "stable_mask",
    "stable_regions",
    "ten_cells",
]
