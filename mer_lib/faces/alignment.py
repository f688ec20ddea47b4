"""Bringing a face into a square crop: one transform a clip, estimated on its onset frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mer_lib.datasets.maps import CONSTANT_POINTS, MAP_SIZE
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.detection import Face
from mer_lib.faces.points import five_points

ALIGNMENTS: tuple[str, ...] = ("similarity", "whole_face", "square", "box", "frame")
CHIN_ROOM = 0.15  # of the side of the published maps, which end below the mouth

_TYPES = (np.uint8, np.uint16, np.float32, np.float64)
_MOST_CHANNELS = 4  # of OpenCV's warp
_LONGEST = 32766  # pixels along a side that OpenCV's warp can address
_FINEST = 12_000  # pixels along a side of what is shrunk: more would fill the memory
_NOSE = 2  # of the five points: it turns with the head and is left out of the fit


@dataclass(frozen=True, eq=False)
class Alignment:
    """An affine transform from a frame to a square crop.

    Attributes:
        matrix: float64 (2, 3); pixel (x, y) of the frame lies at matrix @ (x, y, 1) of the crop, pixel centres at
            whole numbers.
        side: of the crop, in pixels.
    """

    matrix: np.ndarray
    side: int

    @property
    def scale(self) -> float:
        """Pixels of the crop to one of the frame; the geometric mean where both axes differ."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    def points(self, points: np.ndarray) -> np.ndarray:
        """Return points (..., 2) of the frame as points of the crop, in the type they came in."""
        return self._kept(points, np.asarray(points) @ self.matrix[:, :2].T + self.matrix[:, 2])

    def back(self, points: np.ndarray) -> np.ndarray:
        """Return points (..., 2) of the crop as points of the frame, in the type they came in."""
        inverse = np.linalg.inv(self.matrix[:, :2])
        return self._kept(points, (np.asarray(points) - self.matrix[:, 2]) @ inverse.T)

    def vectors(self, vectors: np.ndarray) -> np.ndarray:
        """Return displacements (..., 2) in pixels of the frame, such as a flow's, in pixels of the crop."""
        return self._kept(vectors, np.asarray(vectors) @ self.matrix[:, :2].T)

    def warp(self, image: np.ndarray) -> np.ndarray:
        """Cut the crop out of a frame.

        Beyond the frame its border goes on. Where the crop is smaller than what it shows, a pixel is the mean of the
        area that it covers.

        Args:
            image: (H, W) or (H, W, C) with 1 to 4 channels; uint8, uint16, float32 or float64.

        Returns:
            (side, side) or (side, side, C) of the same type.

        Raises:
            ParameterError: the image has another shape or type, no pixel, too many, or values that are not finite; or
                the crop would show more than about 12,000 pixels along a side.
        """
        image = _checked(image)
        finer = max(1, math.ceil(1 / self.scale - 1e-6))
        if finer > 1 and finer * self.side > _FINEST:
            raise ParameterError(f"side: {self.side} pixels are too few for a face {1 / self.scale:.0f} times as large")
        matrix = finer * self.matrix
        matrix[:, 2] = matrix[:, 2] + (finer - 1) / 2  # pixel centres at whole numbers, in the finer crop as well
        large = cv2.warpAffine(
            image, matrix, (finer * self.side,) * 2, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if finer > 1:
            large = cv2.resize(large, (self.side, self.side), interpolation=cv2.INTER_AREA)
        return large.reshape((self.side, self.side, *image.shape[2:]))

    @staticmethod
    def _kept(given: np.ndarray, moved: np.ndarray) -> np.ndarray:
        kind = np.asarray(given).dtype
        return moved.astype(kind) if np.issubdtype(kind, np.floating) else moved


def similarity(points: np.ndarray, side: int = 224, margin: float = 0.0) -> Alignment:
    """Turn, scale and shift a face so that it lies as the faces of published 28x28 maps do: the honest default.

    The least-squares similarity that brings both eyes and both lip corners to the published points, made symmetric and
    moved to the middle of the crop: as they are, they would turn every face by half a degree. As on those maps, there
    is no room below the mouth: the crop cuts the chin off; :func:`whole_face` does not.

    Args:
        points: (478, 2) or (5, 2) landmarks of the onset frame in pixels.
        side: of the crop, in pixels.
        margin: room on each side around what the published maps show, as a share of their side; above -0.5.

    Raises:
        ParameterError: the points are no landmarks, or `side` or `margin` is out of range.
        DataError: all points are one.

    Source: the points are those of HTNet's authors, see :data:`mer_lib.datasets.maps.CONSTANT_POINTS`.
    """
    _check_side(side)
    _check_margin(margin)
    five = np.delete(five_points(points).astype(np.float64), _NOSE, axis=0)
    source, target = (_as_complex(array) for array in (five, _targets(side, margin)))
    middle, aim = source.mean(), target.mean()
    spread = np.sum(np.abs(source - middle) ** 2)
    if spread == 0:
        raise DataError("alignment: eyes and lip corners are all one point")
    turn = np.sum(np.conj(source - middle) * (target - aim)) / spread  # scale and angle in one complex number
    if abs(turn) == 0:
        raise DataError("alignment: eyes and lip corners do not lie as in a face")
    shift = aim - turn * middle
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    return Alignment(matrix, side)


def whole_face(points: np.ndarray, side: int = 224) -> Alignment:
    """Bring a face into one place as :func:`similarity` does, with room for its chin; arguments and errors as there."""
    return similarity(points, side, CHIN_ROOM)


def square(points: np.ndarray, side: int = 224, margin: float = 0.15) -> Alignment:
    """Cut an upright square around all points, without turning the face.

    Args:
        points: (N, 2) landmarks of the onset frame in pixels.
        side: of the crop, in pixels.
        margin: room on each side, as a share of the points' greater extent; above -0.5.

    Raises:
        ParameterError: a point is not finite, or `side` or `margin` is out of range.
        DataError: all points are one.

    Source: Quang, Chun, Tokuyama, "CapsuleNet for micro-expression recognition", IEEE FG 2019, crop "based on
    landmarks"; the margin is not printed.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise ParameterError(f"points: expected finite landmarks (N, 2), got an array of shape {points.shape}")
    _check_margin(margin)
    low, high = points.min(axis=0), points.max(axis=0)
    half = (0.5 + margin) * float((high - low).max())
    middle = (low + high) / 2
    return box((*(middle - half), *(middle + half)), side)


def box(edges: tuple[float, float, float, float], side: int = 224) -> Alignment:
    """Squeeze a detector's box into a square, without margin, as HTNet's authors do.

    Args:
        edges: left, top, right and bottom edge in pixels; those of a whole frame are -0.5 and its length - 0.5.
        side: of the crop, in pixels.

    Raises:
        ParameterError: an edge is not finite, or `side` is less than 1.
        DataError: the box is empty.
    """
    _check_side(side)
    left, top, right, bottom = (float(edge) for edge in edges)
    if not np.isfinite((left, top, right, bottom)).all():
        raise ParameterError(f"box: expected finite edges, got {left, top, right, bottom}")
    if left >= right or top >= bottom:
        raise DataError(f"box: expected left < right and top < bottom, got {left, top, right, bottom}")
    across, down = side / (right - left), side / (bottom - top)
    return Alignment(np.array([[across, 0, -0.5 - across * left], [0, down, -0.5 - down * top]]), side)


def align(how: str, face: Face, side: int, shape: tuple[int, ...]) -> Alignment:
    """Return the alignment called `how` of a face.

    Args:
        how: "similarity", "whole_face", "square", "box", or "frame": the whole frame, its shape kept, its border going
            on where it is not square.
        face: found on the onset frame.
        side: of the crop, in pixels.
        shape: of the frame: height and width first.

    Raises:
        ParameterError: `how` is unknown, or another argument is out of range.
        DataError: the face has no extent.
    """
    if how == "similarity":
        return similarity(face.points, side)
    if how == "whole_face":
        return whole_face(face.points, side)
    if how == "square":
        return square(face.points, side)
    if how == "box":
        return box(face.box, side)
    if how == "frame":
        return _whole(shape, side)
    raise ParameterError(f"align: expected one of {', '.join(ALIGNMENTS)}, got {how!r}")


def _whole(shape: tuple[int, ...], side: int) -> Alignment:
    height, width = shape[:2]
    half = max(height, width) / 2
    x, y = (width - 1) / 2, (height - 1) / 2
    return box((x - half, y - half, x + half, y + half), side)


def _targets(side: int, margin: float) -> np.ndarray:
    """Where left eye, right eye, left lip and right lip belong in the crop: (4, 2)."""
    published = np.array(list(CONSTANT_POINTS.values()))
    mirrored = published[[1, 0, 3, 2]] * (-1, 1)
    symmetric = (published + mirrored) / 2 + ((MAP_SIZE - 1) / 2, 0)
    share = ((symmetric + 0.5) / MAP_SIZE + margin) / (1 + 2 * margin)
    return share * side - 0.5


def _as_complex(points: np.ndarray) -> np.ndarray:
    return points[:, 0] + 1j * points[:, 1]


def _check_side(side: int) -> None:
    if not 1 <= side <= _LONGEST:
        raise ParameterError(f"side: expected 1 to {_LONGEST} pixels, got {side}")


def _check_margin(margin: float) -> None:
    if not -0.5 < margin < np.inf:
        raise ParameterError(f"margin: expected a share of the side above -0.5, got {margin}")


def _checked(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image)
    shaped = image.ndim == 2 or (image.ndim == 3 and 1 <= image.shape[2] <= _MOST_CHANNELS)
    if not shaped or image.size == 0 or max(image.shape[:2]) > _LONGEST:
        raise ParameterError(
            f"image: expected (H, W) or (H, W, C) of 1 to {_LONGEST} pixels a side and 1 to {_MOST_CHANNELS} channels, "
            f"got {image.shape}"
        )
    if image.dtype not in _TYPES:
        raise ParameterError(f"image: expected uint8, uint16, float32 or float64, got {image.dtype}")
    if np.issubdtype(image.dtype, np.floating) and not np.isfinite(image).all():
        raise ParameterError("image: expected finite values, got some that are not")
    return image
