"""Faces: where their parts are, how they are brought into one place, and which regions are looked at.

>>> import numpy as np
>>> from mer_lib.faces import detector, four_windows
>>> face = detector("published").detect(np.zeros((28, 28), np.uint8)).face
>>> [region.name for region in four_windows(face.points, size=14)]
['left eye', 'right eye', 'left lip', 'right lip']
"""

from __future__ import annotations

from mer_lib.faces.alignment import ALIGNMENTS, Alignment, align, box, similarity, square, whole_face
from mer_lib.faces.landmarks import (
    DETECTORS,
    FIVE_POINTS,
    MESH_68,
    Detection,
    Detector,
    Face,
    detector,
    five_points,
    points_68,
)
from mer_lib.faces.regions import (
    SCHEMES,
    Region,
    dnc_rois,
    four_windows,
    muscle_regions,
    stable_mask,
    stable_regions,
    ten_cells,
)

__all__ = [
    "ALIGNMENTS",
    "DETECTORS",
    "FIVE_POINTS",
    "MESH_68",
    "SCHEMES",
    "Alignment",
    "Detection",
    "Detector",
    "Face",
    "Region",
    "align",
    "box",
    "detector",
    "dnc_rois",
    "five_points",
    "four_windows",
    "muscle_regions",
    "points_68",
    "similarity",
    "square",
    "stable_mask",
    "stable_regions",
    "ten_cells",
    "whole_face",
]
