"""The lines of a face along which skin parts: between the lips, and the edges of the eyelids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from mer_lib.datasets.synthetic.mesh import (
    LEFT_EYE_LOWER,
    LEFT_EYE_UPPER,
    LOWER_LIP_INNER,
    RIGHT_EYE_LOWER,
    RIGHT_EYE_UPPER,
    UPPER_LIP_INNER,
)


@dataclass(frozen=True, eq=False)
class Line:
    """A line y(x) through landmarks, level beyond its ends.

    Attributes:
        x: (N,) px, increasing, closely spaced.
        y: (N,) px.
    """

    x: np.ndarray
    y: np.ndarray

    @classmethod
    def through(cls, points: np.ndarray) -> Line:
        """The line through points (N, 2), which may come in any order."""
        points = points[np.argsort(points[:, 0])]
        x = np.linspace(points[0, 0], points[-1, 0], 20 * len(points))
        return cls(x, PchipInterpolator(points[:, 0], points[:, 1])(x))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Height of the line at `x`, in px, in the shape of `x`."""
        return np.interp(x, self.x, self.y).astype(np.float32)

    @property
    def middle(self) -> float:
        """The x midway between the ends, in px."""
        return float(self.x[0] + self.x[-1]) / 2

    @property
    def half_width(self) -> float:
        """Half the distance between the ends, in px."""
        return float(self.x[-1] - self.x[0]) / 2

    def along(self, x: np.ndarray) -> np.ndarray:
        """Place along the line: -1 and 1 at its ends, 0 in the middle."""
        return (x - self.middle) / self.half_width


@dataclass(frozen=True, eq=False)
class Eye:
    """The edges of one eye's lids."""

    upper: Line
    lower: Line


@dataclass(frozen=True, eq=False)
class FaceLines:
    """Mouth line, lid edges and midline of a portrait, in frame px.

    Attributes:
        mouth: the line where the closed lips meet.
        eyes: the eye in the image's left half (side -1), then the other (side +1).
        midline: x of the face's plane of symmetry.
    """

    mouth: Line
    eyes: tuple[Eye, Eye]
    midline: float

    @classmethod
    def of(cls, landmarks: np.ndarray) -> FaceLines:
        """The lines of a face with `landmarks` (478, 2) in px."""

        def eye(upper: tuple[int, ...], lower: tuple[int, ...]) -> Eye:
            return Eye(Line.through(landmarks[list(upper)]), Line.through(landmarks[list(lower)]))

        lips = (landmarks[list(UPPER_LIP_INNER)] + landmarks[list(LOWER_LIP_INNER)]) / 2
        eyes = (eye(RIGHT_EYE_UPPER, RIGHT_EYE_LOWER), eye(LEFT_EYE_UPPER, LEFT_EYE_LOWER))
        return cls(Line.through(lips), eyes, float(landmarks[168, 0]))

    def eye(self, side: int) -> Eye:
        """The eye of `side`: -1 in the image's left half, +1 in its right half."""
        return self.eyes[(side + 1) // 2]
