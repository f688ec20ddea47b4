"""Landmarks of a face behind one protocol: MediaPipe's mesh, MTCNN's five points, and the published fallback."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from mer_lib.errors import ParameterError
from mer_lib.faces.detection import Detection, Detector, Face
from mer_lib.faces.mediapipe_mesh import MediaPipeMesh
from mer_lib.faces.mtcnn import Mtcnn
from mer_lib.faces.points import FIVE_POINTS, MESH_68, five_points, points_68
from mer_lib.faces.published import Published

__all__ = [
    "DETECTORS",
    "FIVE_POINTS",
    "MESH_68",
    "Detection",
    "Detector",
    "Face",
    "detector",
    "five_points",
    "points_68",
]

_MAKERS: Mapping[str, Callable[[], Detector]] = MappingProxyType(
    {"mediapipe": MediaPipeMesh, "mtcnn": Mtcnn, "published": Published}
)
DETECTORS: tuple[str, ...] = tuple(_MAKERS)


def detector(name: str = "mediapipe") -> Detector:
    """Return the detector called `name`: one instance a process, also in a process forked from one that has its own.

    >>> detector("published").n_points
    5

    Args:
        name: "mediapipe" (478 points), "mtcnn" (five), or "published" (five, always the same).

    Raises:
        ParameterError: the name is unknown, or the package it needs is not installed.
    """
    if name not in _MAKERS:
        raise ParameterError(f"detector: expected one of {', '.join(DETECTORS)}, got {name!r}")
    return _instance(name, os.getpid())


@cache
def _instance(name: str, process: int) -> Detector:
    return _MAKERS[name]()
