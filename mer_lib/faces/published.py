"""The published points: where HTNet's authors put eyes and lips when their detector finds no face."""

from __future__ import annotations

import numpy as np

from mer_lib.datasets.maps import CONSTANT_POINTS, MAP_SIZE
from mer_lib.faces.detection import Detection, Face
from mer_lib.faces.points import FIVE_POINTS
from mer_lib.motion import rgb8


class Published:
    """The same five points for every image, which is taken to be a cropped face; a fallback, to be counted.

    The authors' code does not use the nose, and :data:`mer_lib.datasets.maps.CONSTANT_POINTS` leaves it out: the middle
    of the other four points stands in its place.
    """

    name = "published"
    n_points = len(FIVE_POINTS)

    def detect(self, image: np.ndarray) -> Detection:
        """Return the points for an image: see :meth:`mer_lib.faces.Detector.detect`. No confidence is told."""
        height, width = rgb8(image).shape[:2]
        box = (-0.5, -0.5, width - 0.5, height - 0.5)
        return Detection(self.name, height, width, (Face(published_points(height, width), box, None),))


def published_points(height: int, width: int) -> np.ndarray:
    """Return the five published points scaled to an image: float32 (5, 2) in pixels."""
    eyes_and_lips = np.array(list(CONSTANT_POINTS.values()))
    on_map = np.insert(eyes_and_lips, 2, eyes_and_lips.mean(axis=0), axis=0)
    points = (on_map + 0.5) * (width, height) / MAP_SIZE - 0.5
    return points.astype(np.float32)
