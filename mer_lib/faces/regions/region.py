"""One region of a face: a named polygon, with its mask and its box.

A pixel belongs to a polygon when its centre does; a centre exactly on an edge belongs to the polygon on the right of or
below that edge. So polygons that share an edge share no pixel and leave none out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mer_lib.datasets.synthetic.mesh import N_LANDMARKS
from mer_lib.errors import DataError, ParameterError
from mer_lib.faces.points import checked_points
from mer_lib.motion import Box

Side = Literal["left", "right", "middle"]

_OTHER: dict[Side, Side] = {"left": "right", "right": "left", "middle": "middle"}


@dataclass(frozen=True, eq=False)
class Region:
    """A named part of a face.

    Attributes:
        name: for people, such as "left lip corner"; that of a region beside the midline opens with its side.
        polygon: float64 (K, 2) corners, x then y in pixels, pixel centres at whole numbers; closed by itself.
        side: "left" or "right" of the image, or "middle".
    """

    name: str
    polygon: np.ndarray
    side: Side

    @property
    def centre(self) -> tuple[float, float]:
        """x and y of the middle of the polygon's extent, in pixels."""
        low, high = self.polygon.min(axis=0), self.polygon.max(axis=0)
        return float((low[0] + high[0]) / 2), float((low[1] + high[1]) / 2)

    @property
    def box(self) -> Box:
        """The smallest rectangle of whole pixels, at least one, around the polygon; it may leave the image."""
        left, top = np.ceil(self.polygon.min(axis=0)).astype(int)
        right, bottom = np.ceil(self.polygon.max(axis=0)).astype(int)
        return Box(int(left), int(top), int(max(right, left + 1)), int(max(bottom, top + 1)))

    @property
    def mirror(self) -> str:
        """Name of the region on the other side; its own where it lies in the middle."""
        return self.name.replace(self.side, _OTHER[self.side], 1)

    def box_within(self, height: int, width: int) -> Box:
        """Return the part of :attr:`box` inside an image.

        Raises:
            DataError: the region lies outside of the image.
        """
        box = self.box
        inside = Box(max(box.left, 0), max(box.top, 0), min(box.right, width), min(box.bottom, height))
        if inside.left >= inside.right or inside.top >= inside.bottom:
            raise DataError(f"{self.name} lies outside of the image of {width}x{height} pixels, at {tuple(box)}")
        return inside

    def mask(self, height: int, width: int) -> np.ndarray:
        """Return which pixels belong to the region: bool (height, width); none may, where it is tiny or outside.

        Raises:
            ParameterError: the image has no pixel.
        """
        return polygon_mask(self.polygon, height, width)


def polygon_mask(polygon: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return which pixel centres lie in a polygon, by the even-odd rule: bool (height, width).

    >>> polygon_mask(np.array([[0.5, 0.5], [2.5, 0.5], [2.5, 2.5], [0.5, 2.5]]), 4, 4).astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])

    Args:
        polygon: (K, 2) corners, x then y in pixels.
        height: rows.
        width: columns.

    Raises:
        ParameterError: the image has no pixel.
    """
    if min(height, width) < 1:
        raise ParameterError(f"mask: expected an image of at least 1x1 pixels, got {width}x{height}")
    turns = np.zeros((height, width + 1), bool)
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        _cross(turns, *sorted((tuple(start), tuple(end)), key=lambda point: (point[1], point[0])))
    return np.logical_xor.accumulate(turns, axis=1)[:, :width]


def _cross(turns: np.ndarray, upper: tuple[float, float], lower: tuple[float, float]) -> None:
    """Turn inside to outside, and back, where the rows cross the edge from its upper to its lower end."""
    first, beyond = np.clip(np.ceil([upper[1], lower[1]]), 0, turns.shape[0]).astype(int)
    if first >= beyond:
        return
    rows = np.arange(first, beyond)
    crossing = upper[0] + (rows - upper[1]) * (lower[0] - upper[0]) / (lower[1] - upper[1])
    turns[rows, np.clip(np.ceil(crossing), 0, turns.shape[1] - 1).astype(int)] ^= True


def checked_mesh(points: np.ndarray) -> np.ndarray:
    """Return landmarks as float64 (478, 2).

    Raises:
        ParameterError: they have another shape, or one is not finite.
    """
    return checked_points(points, N_LANDMARKS)


def rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return the polygon (4, 2) of an upright rectangle, clockwise from the top left."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=np.float64)
